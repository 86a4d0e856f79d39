import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { InputError } from '#base';
import { serveTasks } from '../setup/threads/serve-tasks.ts';
import type { EndedSpan } from './spans.ts';

/** What the thread begins with. Where spans go, with which headers, it reads from the environment. */
export interface ExportData {
  /** File of `@opentelemetry/exporter-trace-otlp-http`. */
  readonly exporter: string;
  readonly resource: Readonly<Record<string, string>>;
}

/** Null: a collector took the batch. Else why not, without a word of what it said, which may be anything. */
export interface Delivered {
  readonly fault: string | null;
}

/** The part of the exporter's package that is used. */
interface ExporterPackage {
  readonly OTLPTraceExporter: new () => {
    export(spans: readonly unknown[], done: (result: { code: number; error?: Error }) => void): void;
  };
}

/** Time of the specification for one batch, with all its repetitions. */
const EXPORT_MS = 30_000;
const KINDS = { internal: 0, server: 1, client: 2 } as const;
const SUCCESS = 0;
const STATUS = { unset: { code: 0 }, failed: { code: 2 } } as const;
const SCOPE = { name: 'quorum' };

const hrTime = (ms: number): [number, number] => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];

// The thread that hands spans to a collector with OpenTelemetry's own exporter.
serveTasks<ExportData, readonly EndedSpan[], never, Delivered>(async ({ exporter, resource: attributes }) => {
  const loaded = (await import(pathToFileURL(exporter).href)) as ExporterPackage & {
    default?: ExporterPackage;
  };
  const Exporter = loaded.OTLPTraceExporter ?? loaded.default?.OTLPTraceExporter;
  if (Exporter === undefined)
    throw new InputError('the exporter of traces is of another version', 'install the one that is asked for');
  const open = new Exporter();
  const resource = { attributes };
  return async (spans) => {
    const readable = spans.map((span) => readableSpan(span, resource));
    const over = new AbortController();
    const sent = new Promise<Delivered>((done) =>
      open.export(readable, ({ code, error }) =>
        done({ fault: code === SUCCESS ? null : faultOf(error as Failed | undefined) }),
      ),
    ).finally(() => over.abort());
    const late = sleep(EXPORT_MS, { fault: 'the collector does not answer' }, over);
    return Promise.race([sent, late]);
  };
});

interface Failed {
  readonly code?: number | string;
}

function faultOf(error: Failed | undefined): string {
  const code = error?.code;
  if (typeof code === 'number') return `the collector answers with ${code}`;
  return code === undefined
    ? 'the collector does not answer as it should'
    : `the collector cannot be reached (${code})`;
}

/** As the exporter takes spans: `ReadableSpan` of OpenTelemetry's SDK. */
function readableSpan(span: EndedSpan, resource: { readonly attributes: object }) {
  const { traceId, spanId, parentSpanId, name, kind, attributes, failed, startMs, endMs } = span;
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => ({ traceId, spanId, traceFlags: 1 }),
    ...(parentSpanId === null
      ? {}
      : { parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: 1 }, parentSpanId }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    ended: true,
    status: failed ? STATUS.failed : STATUS.unset,
    attributes,
    links: [],
    events: [],
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}
