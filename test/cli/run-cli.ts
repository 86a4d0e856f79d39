import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/apps/cli/main.ts';

/** The first example: a desk that trades on any bars. */
export const SMA = fileURLToPath(new URL('../../examples/01-sma-cross.ts', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process and catches what it writes. */
export async function runCli(...argv: string[]): Promise<CliResult> {
  const texts = { stdout: '', stderr: '' };
  const restore: (() => void)[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name];
    const write = stream.write;
    stream.write = ((piece: string | Uint8Array) => {
      texts[name] += typeof piece === 'string' ? piece : Buffer.from(piece).toString('utf8');
      return true;
    }) as typeof stream.write;
    restore.push(() => {
      stream.write = write;
    });
  }
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    const code = await main(argv);
    return { code, ...texts };
  } finally {
    process.exitCode = before;
    for (const undo of restore) undo();
  }
}

/** The one object on stdout of a `--json` run; throws when there is anything else. */
export function jsonOf(result: CliResult): Record<string, unknown> {
  return JSON.parse(result.stdout) as Record<string, unknown>;
}

/** A folder that goes away with the test. */
export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'quorum-cli-'));

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const HEADER = 'time,open,high,low,close,volume';
export const START = 1_688_169_600_000;
const HOUR = 3_600_000;

/** Hourly bars of a wave with a trend: every desk of the tests trades on it. */
export function waveCsv(rows: number, change: (row: string[], i: number) => string[] = (row) => row): string {
  const lines = [HEADER];
  for (let i = 0; i < rows; i++) {
    const at = (k: number) => 100 + k * 0.01 + 5 * Math.sin(k / 9);
    const open = at(i);
    const close = at(i + 1);
    const row = [
      START + i * HOUR,
      open,
      Math.max(open, close) + 0.5,
      Math.min(open, close) - 0.5,
      close,
      1000,
    ];
    lines.push(change(row.map(String), i).join(','));
  }
  return `${lines.join('\n')}\n`;
}
