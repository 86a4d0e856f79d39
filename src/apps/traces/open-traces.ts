import { createRequire } from 'node:module';
import { join } from 'node:path';
import { InputError } from '#base';
import { packageVersion } from '../setup/code-hash.ts';
import { traceSettings } from './trace-settings.ts';
import { Traces } from './traces.ts';

const PACKAGE = '@opentelemetry/exporter-trace-otlp-http';

export interface OpenTracesOptions {
  /** Which of the program's processes this is. */
  readonly process: 'loop' | 'server' | 'ingest';
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  /** The exporter's package; another one in tests. */
  readonly name?: string;
  /** As of {@link Traces}; a longer one in tests. */
  readonly goodbyeMs?: number;
  /** Where it is looked for, beside the program's own folder. */
  readonly folder?: string;
}

/**
 * Traces as the environment asks for them; null when it does not. Throws {@link InputError} for settings that cannot be, and
 * when the exporter is not installed: it is of use only with a collector, so it is no dependency of the program.
 */
export function openTraces(options: OpenTracesOptions): Traces | null {
  const { say, env, name = PACKAGE, folder = process.cwd() } = options;
  const settings = traceSettings(env);
  if (settings === null) return null;
  const exporter = fileOf(name, import.meta.url) ?? fileOf(name, join(folder, 'index.js'));
  if (exporter === null)
    throw new InputError(
      `traces need the package ${name}, which is not installed`,
      `npm install ${name} (with -g where quorum was installed with -g), or unset OTEL_EXPORTER_OTLP_ENDPOINT`,
    );
  for (const note of settings.notes) say(note);
  const resource = {
    'service.version': packageVersion(),
    ...settings.resource,
    'process.pid': String(process.pid),
    'quorum.process': options.process,
  };
  const { goodbyeMs } = options;
  const more = goodbyeMs === undefined ? {} : { goodbyeMs };
  return new Traces({ settings: { ...settings, resource }, exporter, say, ...more });
}

function fileOf(name: string, from: string): string | null {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return null;
  }
}
