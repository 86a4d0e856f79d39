import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type JsonlLog, LOG_NAMES, type LogName, openLogs, type ProjectionEntry } from '#adapters';
import { formatDecimal, formatInstant } from '#base';
import type { Event } from '#engine';
import { entriesFrom, instrumentIn, type Timed } from './journal-entries.ts';
import type { PaperNote } from './notes.ts';
import { isEvidence, type RunMode } from './run-mode.ts';

const FAILURES = new Set<string>([
  'order-rejected',
  'order-unknown',
  'send-failed',
  'cancel-rejected',
  'amend-rejected',
]);

/**
 * The platform's four logs, written behind the journal: each line names the journal position it comes from, so a restart
 * goes on behind the last line and writes none twice.
 */
export class LogLines {
  private readonly logs: Record<LogName, JsonlLog>;
  private readonly stamp: Record<string, unknown>;
  private next: number;

  /** `journal` is read from behind the last line written, up to where it ends now. */
  constructor(directory: string, journal: string, portfolio: string, mode: RunMode) {
    const last = Math.max(-1, ...LOG_NAMES.map((name) => lastPosition(join(directory, `${name}.jsonl`))));
    this.logs = openLogs(directory);
    this.stamp = { portfolio, mode, evidence: isEvidence(mode) };
    this.next = last + 1;
    for (const entry of entriesFrom(journal, this.next)) this.take([entry]);
  }

  take(entries: readonly ProjectionEntry[]): void {
    for (const entry of entries) {
      if (entry.position < this.next) continue;
      this.next = entry.position + 1;
      if (entry.value === null) continue;
      const timed = entry.value as Timed;
      if (entry.kind === 'event') this.event(entry.position, timed);
      else if (entry.kind === 'note') this.note(entry.position, timed);
    }
  }

  close(): void {
    for (const log of Object.values(this.logs)) log.close();
  }

  private write(log: LogName, position: number, at: number, value: Record<string, unknown>): void {
    this.logs[log].write({ position, at, time: formatInstant(at), ...this.stamp, ...value });
  }

  private event(position: number, timed: Timed): void {
    const event = timed.value as Event;
    const { at } = event;
    if (FAILURES.has(event.kind)) this.write('execution_failures', position, at, { ...event });
    else if (event.kind === 'feed-changed' && (event.status === 'disconnected' || event.status === 'stale')) {
      this.write('execution_failures', position, at, { ...event });
    } else if (event.kind === 'funding-charged') {
      const { instrument, book, amount } = event;
      const paid = formatDecimal(amount, instrumentIn(timed, instrument).minorScale);
      this.write('pnl_tracking', position, at, { kind: 'funding', instrument, book, paid });
    }
  }

  private note(position: number, timed: Timed): void {
    const { at } = timed;
    const note = timed.value as PaperNote;
    switch (note.note) {
      case 'trace':
        if (note.line.type === 'decision')
          this.write('ai_trading_log', position, note.line.at, { ...note.line });
        else if (note.line.type === 'breaker') {
          this.write('safety_violations', position, note.line.at, { kind: 'breaker', text: note.line.text });
        }
        return;
      case 'safety': {
        const { desk, layer, objection } = note;
        this.write('safety_violations', position, note.at, { kind: 'safety-layer', desk, layer, objection });
        return;
      }
      case 'trade': {
        const { trade, desk, regime } = note;
        const { minorScale } = instrumentIn(timed, trade.instrument);
        const money = (minor: number) => formatDecimal(minor, minorScale);
        const { realised, fees, funding, net, ...rest } = trade;
        const amounts = {
          realised: money(realised),
          fees: money(fees),
          funding: money(funding),
          net: money(net),
        };
        this.write('pnl_tracking', position, at, { kind: 'trade', desk, regime, ...rest, ...amounts });
        return;
      }
      case 'performance': {
        const { note: kind, ...figures } = note;
        this.write('pnl_tracking', position, at, { kind, ...figures });
        return;
      }
      default:
        return;
    }
  }
}

const TAIL_BYTES = 256 * 1024;

/** The journal position named in the last whole line of a log; -1 when there is none. */
function lastPosition(path: string): number {
  for (const file of [path, `${path}.1`]) {
    const line = lastLine(file);
    const match = line === null ? null : /"position":(\d+)/.exec(line);
    if (match) return Number(match[1]);
  }
  return -1;
}

function lastLine(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const lines = tail.toString('utf8').split('\n');
    // what stands behind the last line end is half a line
    return lines.at(-2) ?? null;
  } finally {
    closeSync(fd);
  }
}
