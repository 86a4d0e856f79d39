import type { StoredBar } from '#adapters';
import { formatInstant } from '#base';
import { readCommand, readEvent } from '#engine';
import type { PaperNote } from '../../src/apps/runner/notes.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import type { WebhookWeek } from './webhook-week.ts';

/** What became of a stretch of market; without faults nothing was lost and nothing was done twice. */
export interface Verdict {
  readonly faults: readonly string[];
  readonly bars: number;
  /** How the bars of the stretch came into the store. */
  readonly told: number;
  readonly lookedUp: number;
  /** Bars of the stretch whose volume nobody stated. */
  readonly silent: number;
  readonly differences: number;
  readonly journalEntries: number;
  readonly entries: number;
  readonly fills: number;
  readonly trades: number;
  readonly desksThatTraded: number;
}

const FAULTS_MOST = 20;

/** Looks at store and journal after the programs have ended. */
export async function judgeWeek(week: WebhookWeek): Promise<Verdict> {
  const faults: string[] = [];
  const fault = (text: string) => faults.length < FAULTS_MOST && faults.push(text);
  const stored = await storedBars(week, fault);
  const journal = readStory(week, fault);
  for (const letter of await week.deadLetters()) fault(`dead letter: ${letter}`);
  // every decision and every fill again, from the first entry
  const replay = await replayPaper(week.portfolioFolder);
  if (replay.by !== 'decided') fault('the journal could not be decided again');
  const differences = await week.store!.differences(null, 100_000);
  return { faults, ...stored, differences: differences.length, ...journal };
}

async function storedBars(week: WebhookWeek, fault: (text: string) => void) {
  const { tape } = week.options;
  const { start } = tape;
  const byConfig = new Map<string, StoredBar[]>();
  let seq = 0;
  let bars = 0;
  let lookedUp = 0;
  let silent = 0;
  for (;;) {
    const some = await week.store!.readFrom(seq, 5_000, null);
    if (some.length === 0) break;
    for (const bar of some) {
      if (bar.seq !== ++seq) fault(`number ${seq} of the store is missing`);
      seq = bar.seq;
      if (bar.time < start) continue;
      bars += 1;
      if (bar.source === 'backfill') lookedUp += 1;
      if (bar.volumeUnknown === true) silent += 1;
      const own = byConfig.get(bar.config);
      if (own === undefined) byConfig.set(bar.config, [bar]);
      else own.push(bar);
    }
  }
  for (const { id, intervalMs } of tape.series) {
    const own = byConfig.get(id) ?? [];
    const expected = Math.floor((week.end - start) / intervalMs);
    if (own.length !== expected) fault(`${id}: ${own.length} bars of ${expected}`);
    own.forEach((bar, i) => {
      const name = `${id} ${formatInstant(bar.time)}`;
      if (bar.time !== start + i * intervalMs) fault(`${name}: out of its order`);
      if (bar.missingBefore > 0) fault(`${name}: ${bar.missingBefore} bars were given up before it`);
      const { volume, ...prices } = tape.bar(id, bar.time);
      const told = Object.entries(prices).every(([key, value]) => bar[key as keyof typeof prices] === value);
      // the volume of a bar made of shorter ones is another sum of the same numbers
      const off = bar.volumeUnknown === true ? 0 : Math.abs(bar.volume - volume);
      if (!told || off > (bar.source === 'webhook' ? 0 : volume * 1e-12)) fault(`${name}: other figures`);
    });
  }
  return { bars, told: bars - lookedUp, lookedUp, silent };
}

function readStory(week: WebhookWeek, fault: (text: string) => void) {
  const { tape } = week.options;
  const newest = new Map<string, number>();
  const counts = new Map<string, number>();
  const once = new Set<string>();
  const filled = new Map<string, number>();
  const wanted = new Map<string, number>();
  const desks = new Set<string>();
  const sum = { journalEntries: 0, entries: 0, fills: 0, trades: 0 };
  const onlyOnce = (what: string) => {
    if (once.has(what)) fault(`twice: ${what}`);
    once.add(what);
  };
  for (const { kind, text } of week.journal()) {
    sum.journalEntries += 1;
    if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) {
      const event = readEvent(text);
      if (event.kind !== 'bar-closed') continue;
      const series = `${event.instrument} ${event.intervalMs}`;
      const { time } = event.bar;
      const before = newest.get(series);
      if (before !== undefined && time !== before + event.intervalMs)
        fault(`the loop took ${series} ${formatInstant(time)} behind ${formatInstant(before)}`);
      newest.set(series, time);
      if (time >= tape.start) counts.set(series, (counts.get(series) ?? 0) + 1);
    } else if (kind === 'command') {
      const command = readCommand(text);
      if (command.kind !== 'submit-order') continue;
      onlyOnce(`order ${command.order.clientId}`);
      wanted.set(command.order.clientId, command.order.lots);
    } else if (kind === 'note') {
      const note = JSON.parse(text) as PaperNote;
      if (note.note === 'fill') {
        sum.fills += 1;
        const { clientId, lots, fillId } = note.fill;
        onlyOnce(`fill ${fillId}`);
        filled.set(clientId, (filled.get(clientId) ?? 0) + lots);
      } else if (note.note === 'trade') {
        sum.trades += 1;
        onlyOnce(`trade ${note.trade.id}`);
      } else if (note.note === 'trace' && note.line.type === 'decision' && !note.line.shadow) {
        const { desk, instrument, at, outcome } = note.line;
        if (outcome !== 'entered') continue;
        sum.entries += 1;
        desks.add(desk);
        onlyOnce(`entry of ${desk} in ${instrument} at ${formatInstant(at)}`);
      }
    }
  }
  for (const [id, lots] of filled)
    if (lots > (wanted.get(id) ?? 0)) fault(`order ${id}: ${lots} lots filled of ${wanted.get(id)}`);
  for (const { id, instrument, intervalMs } of tape.series) {
    const taken = counts.get(`${instrument} ${intervalMs}`) ?? 0;
    const expected = Math.floor((week.end - tape.start) / intervalMs);
    if (taken !== expected) fault(`the loop took ${taken} bars of ${expected} of ${id}`);
  }
  return { ...sum, desksThatTraded: desks.size };
}
