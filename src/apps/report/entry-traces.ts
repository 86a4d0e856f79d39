import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { InputError } from '#base';
import type { DecisionTrace, HappeningTrace, TraceLine, TraceSink } from '#engine';
import { replayRun } from '../setup/replay-run.ts';

/** What was traced of the decisions that led to trades. */
export interface EntryTraces {
  /** By the orders they sent. */
  readonly byOrder: ReadonlyMap<string, DecisionTrace>;
  /** Why positions were left, by instrument and time of the trade's close. */
  readonly exits: readonly HappeningTrace[];
  readonly origin: 'recorded' | 'rebuilt' | 'none';
  /** Why there is nothing, in words; null otherwise. */
  readonly note: string | null;
}

/** Keeps entries and exits of the real account, and forgets the rest. */
class EntryCollector implements TraceSink {
  readonly level = 'decisions';
  readonly byOrder = new Map<string, DecisionTrace>();
  readonly exits: HappeningTrace[] = [];

  line(line: TraceLine): void {
    if (line.shadow) return;
    if (line.type === 'decision') for (const order of line.orders) this.byOrder.set(order, line);
    else if (line.type === 'exit') this.exits.push(line);
  }
}

/** From decisions.jsonl; where the run kept none, by deciding it again. Throws InputError for a damaged file. */
export async function readEntryTraces(
  dir: string,
  trades: number,
  onProgress: (done: number, total: number) => void,
): Promise<EntryTraces> {
  const collector = new EntryCollector();
  const hasLines = await collectRecorded(join(dir, 'decisions.jsonl'), collector);
  if (hasLines || trades === 0) return { ...collector, origin: 'recorded', note: null };
  try {
    const { mode, difference } = await replayRun(dir, onProgress, collector);
    if (mode === 'decided' && difference === null) return { ...collector, origin: 'rebuilt', note: null };
    return nothing('the run was decided by another version, so its decisions cannot be rebuilt');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return nothing(`the run kept no decisions, and they cannot be rebuilt: ${error.message}`);
  }
}

const nothing = (note: string): EntryTraces => ({ byOrder: new Map(), exits: [], origin: 'none', note });

/** Whether the file holds anything. Lines without orders are not even parsed: most are. */
async function collectRecorded(path: string, into: EntryCollector): Promise<boolean> {
  if (!existsSync(path)) return false;
  const input = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    const isEntry = text.startsWith('{"type":"decision"') && !text.endsWith('"orders":[]}');
    if (!isEntry && !text.startsWith('{"type":"exit"')) continue;
    try {
      into.line(JSON.parse(text) as TraceLine);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new InputError(
        `${path}:${number} is no line of a trace: ${cause.message}`,
        'restore the file from a copy, or delete it: the decisions are then rebuilt by replay',
      );
    }
  }
  return number > 0;
}

/** Which way a signal of a decision points: 1 up, -1 down, 0 neither. */
export function leaningOf(signal: DecisionTrace['signals'][number], instrument: string): -1 | 0 | 1 {
  if (signal.kind === 'score') return Math.sign(signal.value) as -1 | 0 | 1;
  if (signal.kind === 'forecast') return Math.sign(signal.probability - 0.5) as -1 | 0 | 1;
  const leg = signal.legs.find((one) => one.instrument === instrument);
  return leg === undefined ? 0 : leg.side === 'buy' ? 1 : -1;
}
