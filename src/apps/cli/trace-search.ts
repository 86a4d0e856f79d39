import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatInstant, InputError, type Instant, SECOND } from '#base';
import type { DecisionTrace, HappeningTrace, TraceLine, TraceSink } from '#engine';

/** Which decision is asked about; null leaves it open. */
export interface TraceQuestion {
  readonly at: Instant | null;
  readonly instrument: string | null;
  /** The decision that sent this order, as an entry or as the stop or target of one. */
  readonly order: string | null;
}

/** A slice that waited for a late bar is decided some seconds after its close. */
export const GRACE_MS = 5 * SECOND;

/** Goes through a trace in order of time and keeps what answers one question. Takes little memory. */
export class TraceSearch implements TraceSink {
  readonly level = 'all';
  /** Decisions of the slice found, one per instrument and desk. */
  found: DecisionTrace[] = [];
  /** What else happened at that time: exits, breaker moves, orders. */
  happenings: HappeningTrace[] = [];
  /** Whether any decision was traced at all, and the first one's time. */
  first: Instant | null = null;
  readonly instruments = new Set<string>();
  private readonly question: TraceQuestion;
  private latest: DecisionTrace | null = null;
  private beside: HappeningTrace[] = [];

  constructor(question: TraceQuestion) {
    this.question = question;
  }

  line(line: TraceLine): void {
    const { at, instrument, order } = this.question;
    if (at !== null && line.at > at + GRACE_MS) return;
    if (instrument !== null && line.instrument !== null && line.instrument !== instrument) {
      if (line.type === 'decision') this.instruments.add(line.instrument);
      return;
    }
    if (line.type !== 'decision') {
      if (this.beside[0] !== undefined && this.beside[0].at !== line.at) this.beside = [];
      this.beside.push(line);
      if (this.found[0]?.at === line.at) this.happenings = [...this.beside];
      return;
    }
    this.first ??= line.at;
    this.instruments.add(line.instrument);
    if (order !== null) {
      if (line.orders.includes(order)) this.begin(line);
    } else if (at === null) this.ofInterest(line);
    else if (this.found[0]?.at === line.at) this.found.push(line);
    else this.begin(line);
  }

  private begin(line: DecisionTrace): void {
    this.found = [line];
    this.happenings = this.beside[0]?.at === line.at ? [...this.beside] : [];
  }

  /** Without a time: the newest decision that was more than a wait, or else the newest of all. */
  private ofInterest(line: DecisionTrace): void {
    if (line.outcome !== 'wait') this.begin(line);
    else this.latest = line;
  }

  /** Ends the search: falls back to a plain wait where nothing of interest happened. */
  finish(): this {
    if (this.found.length === 0 && this.latest !== null) this.begin(this.latest);
    return this;
  }

  /** Whether a decision was made just at the time asked for. */
  get isExact(): boolean {
    const { at } = this.question;
    return this.found.length > 0 && (at === null || Math.abs(this.found[0]!.at - at) <= GRACE_MS);
  }

  /** Throws InputError naming what there is when nothing was found. */
  demand(run: string): void {
    if (this.found.length > 0) return;
    const { at, instrument, order } = this.question;
    if (order !== null) {
      throw new InputError(
        `${run} has no decision that sent order ${order}`,
        'ids stand in the orderId column of fills.csv; ask for an exit with --at and the time of its fill',
      );
    }
    const known = [...this.instruments].sort();
    if (instrument !== null && known.length > 0 && !known.includes(instrument)) {
      throw new InputError(`${run} decided nothing about ${instrument}`, `it has ${known.join(', ')}`);
    }
    const until = at === null ? '' : ` up to ${formatInstant(at)}`;
    const mend =
      this.first === null
        ? 'nothing has wanted to act yet: quorum status --show desks says what a running desk waits for'
        : `its first decision is at ${formatInstant(this.first)}`;
    throw new InputError(
      `${run} holds no decision${instrument === null ? '' : ` about ${instrument}`}${until}`,
      mend,
    );
  }
}

/** Reads a run's decisions.jsonl into a search. */
export async function searchRecorded(dir: string, question: TraceQuestion): Promise<TraceSearch> {
  const search = new TraceSearch(question);
  const path = join(dir, 'decisions.jsonl');
  if (!existsSync(path)) return search.finish();
  const input = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    if (text === '') continue;
    try {
      search.line(JSON.parse(text) as TraceLine);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new InputError(
        `${path}:${number} is no line of a trace: ${cause.message}`,
        'restore the file from a copy, or delete it: the decisions are then rebuilt by replay',
      );
    }
  }
  return search.finish();
}
