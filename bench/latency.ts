// Decision latency on paper with full trace: from the moment the loop turns to the bar that completes a slice until
// everything it led to is decided, traced and written to the journal (before the sync), and until that is on the disk and
// orders may leave (with the sync). What the simulated venue does first with that bar, and the reports of its fills, are
// other events and not in it: a real venue does its own work elsewhere. The program's own loop, venue and journal; Sigma
// on made-up bars.
// npm run bench:latency [-- DECISIONS FOLDER]
import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalFile } from '#adapters';
import { Engine } from '#engine';
import { simulatedVenue } from '#execution';
import type { MarketEvent } from '#market';
import { serveOwnEntries } from '../bin/own-entries.js';
import { tuneCompiler } from '../bin/tune-compiler.js';
import { demoPortfolio } from '../src/apps/runner/choose.ts';
import { SyntheticTape } from '../src/apps/runner/market-tape.ts';
import { PaperJournal } from '../src/apps/runner/paper-journal.ts';
import { PaperLoop } from '../src/apps/runner/paper-loop.ts';
import { setUpPortfolio } from '../src/apps/runner/portfolio-setup.ts';
import { Recorder } from '../src/apps/runner/recorder.ts';

tuneCompiler();
serveOwnEntries(new URL('../src/', import.meta.url), '.ts');

const decisions = Number(process.argv[2] ?? 20_000);
/** Where the journal goes: the disk whose sync is timed. */
const parent = process.argv[3] ?? tmpdir();
/**
 * One program that runs on, as it does for those who trade with it: slices before those that are timed give features their
 * history and the compiler its time. A desk without an edge on made-up bars soon stops sending orders, so its expectancy
 * is not asked for; what it risks is little, so that no loss limit ends the run.
 */
const WARM_UP = 20_000;
const PARAMETERS = { ignoreExpectancy: true, monitor: false, explorationRisk: 0.0005 };
const WANTED_US = 50;

/** When the first sync since the last reset began and ended: a stopwatch around the system call itself. */
const firstSync = { began: Number.NaN, ended: Number.NaN };
const { fsyncSync } = fs;
fs.fsyncSync = (fd) => {
  const first = Number.isNaN(firstSync.began);
  if (first) firstSync.began = performance.now();
  fsyncSync(fd);
  if (first) firstSync.ended = performance.now();
};
syncBuiltinESMExports();

interface Slices {
  readonly decided: number[];
  readonly before: number[];
  readonly with: number[];
  /** Of slices that sent an order, before the sync. */
  readonly acted: number[];
}

async function play(pairs: number, slices: number): Promise<Slices> {
  const seed = 'latency';
  const seen: Slices = { decided: [], before: [], with: [], acted: [] };
  const demo = demoPortfolio(seed);
  const [desk] = demo.portfolio.desks;
  const instruments = new SyntheticTape(seed).instruments.slice(0, pairs);
  const setup = await setUpPortfolio({
    ...demo,
    portfolio: {
      ...demo.portfolio,
      desks: [{ ...desk!, parameters: PARAMETERS, instruments: [...instruments] }],
    },
    feed: { kind: 'synthetic', seed },
  });
  const folder = mkdtempSync(join(parent, 'quorum-latency-'));
  const journal = new PaperJournal(JournalFile.create(join(folder, 'journal'), { headFile: 'keep' }));
  let decided = Number.NaN;
  const commit = journal.commit.bind(journal);
  journal.commit = () => {
    if (Number.isNaN(decided)) decided = performance.now();
    commit();
  };
  const recorder = new Recorder();
  const engine = new Engine(
    setup.define({
      level: 'all',
      line: (line) => recorder.line(line),
    }),
  );
  recorder.watch(engine);
  recorder.sink = (note) => journal.note(note);
  let sent = 0;
  /** When the loop had nothing before it but the bar. */
  let from = Number.NaN;
  const venue = simulatedVenue(setup.venue);
  const onMarket = venue.onMarket.bind(venue);
  venue.onMarket = (event) => {
    const reports = onMarket(event);
    from = performance.now();
    return reports;
  };
  const step = engine.step.bind(engine);
  engine.step = (event) => {
    const commands = step(event);
    if (event.kind !== 'bar-closed') from = performance.now();
    return commands;
  };
  const execute = venue.execute.bind(venue);
  venue.execute = (command, at) => {
    sent += 1;
    return execute(command, at);
  };
  const loop = new PaperLoop({
    engine,
    venue,
    journal,
    latencyMs: setup.venue.latencyMs,
    onCommand: () => {},
  });
  const tape = setup.tape!;
  const start = tape.peek()!;
  loop.happened({
    kind: 'run-started',
    at: start,
    eventTime: start,
    portfolio: setup.name,
    seed,
    codeHash: '',
    configurationHash: '',
  });
  const traded = new Set<string>(instruments);
  const next = (): MarketEvent[] => {
    const at = tape.peek();
    const events: MarketEvent[] = [];
    while (tape.peek() === at) {
      const event = tape.next();
      if ('instrument' in event && traded.has(event.instrument as string)) events.push(event);
    }
    return events;
  };
  for (let slice = -WARM_UP; slice < slices; ) {
    const events = next();
    const closing = events.filter((event) => event.kind === 'bar-closed');
    const last = closing.pop();
    if (last === undefined) {
      for (const event of events) loop.market(event);
      journal.commit();
      continue;
    }
    for (const event of closing) loop.market(event);
    journal.commit();
    const sentBefore = sent;
    firstSync.began = Number.NaN;
    decided = Number.NaN;
    loop.market(last);
    journal.commit();
    if (slice >= 0) {
      const before = (firstSync.began - from) * 1_000;
      seen.before.push(before);
      seen.decided.push((decided - from) * 1_000);
      seen.with.push((firstSync.ended - from) * 1_000);
      if (sent > sentBefore) seen.acted.push(before);
    }
    slice += 1;
    // bars that open now are the venue's: not part of the decision
    for (const event of events) if (event.kind !== 'bar-closed') loop.market(event);
  }
  journal.file.close();
  rmSync(folder, { recursive: true, force: true });
  return seen;
}

const quantile = (values: readonly number[], q: number) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};
const line = (name: string, values: readonly number[]) =>
  console.log(
    `  ${name.padEnd(46)}p50 ${quantile(values, 0.5).toFixed(0).padStart(6)} us   ` +
      `p99 ${quantile(values, 0.99).toFixed(0).padStart(6)} us   of ${values.length}`,
  );

console.log(`Sigma on paper, trace all, ${WARM_UP} slices to warm up`);
for (const pairs of [1, 8]) {
  const seen = await play(pairs, Math.ceil(decisions / pairs));
  const slices = seen.before.length;
  console.log(
    `${pairs === 1 ? 'one pair' : `${pairs} pairs`}: ${slices * pairs} decisions in ${slices} slices`,
  );
  line('a slice, decided and traced, not yet written', seen.decided);
  line('a slice, before the sync of the disk', seen.before);
  line('a slice, with the sync', seen.with);
  if (seen.acted.length > 0) line('a slice that sent orders, before the sync', seen.acted);
  if (pairs > 1)
    line(
      'a decision (slice / pairs), before the sync',
      seen.before.map((us) => us / pairs),
    );
  else console.log(`  wanted: p99 before the sync below ${WANTED_US} us`);
}
