import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { InputError } from '#base';
import type { DeskParts } from '#engine';
import type { Explanation, FillLine } from '../../explain/explanation.ts';
import { instantArgument } from '../arguments.ts';
import type { Rebuilt } from '../rebuilt-trace.ts';
import { EXIT, ExitError, paint, Terminal } from '../terminal.ts';
import type { TraceQuestion, TraceSearch } from '../trace-search.ts';

interface Options {
  live: boolean;
  dataDir: string;
  portfolio?: string;
  at?: number;
  instrument?: string;
  order?: string;
  rebuild: boolean;
  json: boolean;
}

const EXAMPLES = `
Without --at: the newest decision that was more than a wait. With --at: the slice decided then, of every instrument or
of the one named. What a run did not keep is rebuilt by deciding it again.

Examples:
  $ quorum why runs/first
  $ quorum why runs/first --at 2023-07-05T00:30Z --instrument ETHUSDT
  $ quorum why runs/first --order study-3
  $ quorum why --live --instrument BTCUSDT`;

export function whyCommand(): Command {
  return new Command('why')
    .description('Why a decision came out as it did, and what would have let a non-trade pass.')
    .argument('[dir]', "a run's directory, or the folder of a portfolio")
    .option('--live', 'ask the running program', false)
    .option('--data-dir <dir>', 'with --live: where journals and logs are kept', '.quorum')
    .option('--portfolio <name>', 'with --live: which one, when several run')
    .option('--at <time>', 'when it was decided', instantArgument)
    .option('--instrument <id>', 'about which instrument')
    .option('--order <id>', 'the decision that sent this order; ids as in fills.csv')
    .option(
      '--rebuild',
      "decide again even when the trace is there: adds the members of Sigma's categories",
      false,
    )
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', EXAMPLES)
    .action(run);
}

/** Where an answer came from. */
type Origin = 'recorded' | 'rebuilt' | 'live';

async function run(dir: string | undefined, options: Options): Promise<void> {
  const terminal = new Terminal(options.json);
  if (options.live === (dir !== undefined)) {
    throw new ExitError(
      EXIT.usage,
      'name either a directory or --live',
      'write: quorum why DIR, or: quorum why --live',
    );
  }
  if (options.order !== undefined && options.at !== undefined) {
    throw new ExitError(EXIT.usage, 'choose one of --at and --order', 'an order has one time only');
  }
  const { instrumentIdOf } = await import('#market');
  const { explainDecision } = await import('../../explain/explanation.ts');
  const { searchRecorded } = await import('../trace-search.ts');
  const question: TraceQuestion = {
    at: options.at ?? null,
    instrument: options.instrument === undefined ? null : instrumentIdOf(options.instrument),
    order: options.order ?? null,
  };
  if (dir === undefined) return live(terminal, options, question);
  if (!existsSync(join(dir, 'journal'))) {
    const isFile = existsSync(dir) && !statSync(dir).isDirectory();
    throw new InputError(
      `${dir} ${isFile ? 'is a file' : 'has no journal'}`,
      'give the directory that backtest --out wrote, or the folder of a portfolio',
    );
  }
  const { checkJournal, isPortfolio } = await import('../../setup/replay-run.ts');
  if (isPortfolio(dir)) return paper(terminal, dir, question);
  // nothing is explained from a record that was changed
  checkJournal(dir);
  await demandInstrument(dir, question.instrument);
  const recorded = await searchRecorded(dir, question);
  const { search, rebuilt, note } =
    recorded.isExact && !options.rebuild
      ? { search: recorded, rebuilt: null, note: null }
      : await decideAgain(terminal, dir, question, recorded);
  search.demand(dir);
  const parts = rebuilt?.parts ?? (await partsOf(dir));
  const fills = await fillsOf(dir, new Set(search.found.flatMap(({ orders }) => orders)));
  const decisions = search.found.map((trace) => {
    const score = trace.signals.find(({ source }) => source === 'sigma-v1');
    const members =
      rebuilt === null || score?.kind !== 'score'
        ? null
        : rebuilt.members(trace.desk, trace.instrument, score.value);
    return explainDecision({
      trace,
      parts: parts.get(trace.desk) ?? null,
      fills,
      members: members && { ...members },
    });
  });
  await answer(terminal, {
    origin: rebuilt === null ? 'recorded' : 'rebuilt',
    mode: null,
    note,
    decisions,
    search,
  });
}

/** A misspelt instrument is told at once, not after a replay. */
async function demandInstrument(dir: string, instrument: string | null): Promise<void> {
  if (instrument === null) return;
  const { configurationOfRun } = await import('../../setup/replay-run.ts');
  const { series } = configurationOfRun(dir);
  const known = [...new Set(series.map((one) => one.instrument))].sort();
  if (!known.includes(instrument)) {
    throw new InputError(`${dir} decided nothing about ${instrument}`, `it has ${known.join(', ')}`);
  }
}

/** Rebuilds what the run did not keep; where that is impossible, what it did keep has to do. */
async function decideAgain(
  terminal: Terminal,
  dir: string,
  question: TraceQuestion,
  recorded: TraceSearch,
): Promise<{ search: TraceSearch; rebuilt: Rebuilt | null; note: string | null }> {
  const { rebuild } = await import('../rebuilt-trace.ts');
  const bar = terminal.progress('deciding again');
  try {
    const rebuilt = await rebuild(dir, question, bar.update);
    // members are computed where the replay stopped, so a decision found without a time is gone back to
    const at = rebuilt.search.found[0]?.at;
    if (question.at === null && at !== undefined) {
      const again = await rebuild(
        dir,
        { ...question, at, instrument: rebuilt.search.found[0]!.instrument },
        () => {},
      );
      return { search: again.search, rebuilt: again, note: null };
    }
    return { search: rebuilt.search, rebuilt, note: null };
  } catch (error) {
    if (!(error instanceof InputError) || recorded.found.length === 0) throw error;
    const note = `the decision could not be rebuilt (${error.message}); this is the newest recorded one before`;
    return { search: recorded, rebuilt: null, note };
  } finally {
    bar.stop();
  }
}

/** The parts of a run's desk, to name gates and limits that had no objection; none when it cannot be loaded any more. */
async function partsOf(dir: string): Promise<ReadonlyMap<string, DeskParts>> {
  const { configurationOfRun } = await import('../../setup/replay-run.ts');
  const { loadDeskWith } = await import('../../setup/load-desk.ts');
  try {
    const { desk, parameters, models } = configurationOfRun(dir);
    const loaded = await loadDeskWith(desk, parameters, models);
    return new Map([[loaded.definition.name, loaded.parts]]);
  } catch (error) {
    if (error instanceof InputError) return new Map();
    throw error;
  }
}

/** Fills of the orders asked for, from fills.csv. */
async function fillsOf(dir: string, orders: ReadonlySet<string>): Promise<FillLine[]> {
  const path = join(dir, 'fills.csv');
  const fills: FillLine[] = [];
  if (orders.size === 0 || !existsSync(path)) return fills;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const [time, , , , side, quantity, price, fee, , orderId, ...reason] = line.split(',');
    if (orderId === undefined || !orders.has(orderId)) continue;
    fills.push({
      orderId,
      time: Number(time),
      side: side!,
      quantity: quantity!,
      price: price!,
      fee: fee!,
      reason: reason.join(',').replaceAll('"', ''),
    });
  }
  return fills;
}

interface Answer {
  readonly origin: Origin;
  /** What a portfolio's figures rest on; null for a backtest. */
  readonly mode: string | null;
  readonly note: string | null;
  readonly decisions: readonly Explanation[];
  readonly search: TraceSearch;
}

async function answer(terminal: Terminal, { origin, mode, note, decisions, search }: Answer): Promise<void> {
  const { explanationLines } = await import('../explanation-lines.ts');
  const { plainData } = await import('../plain-text.ts');
  terminal.result({ origin, mode, note, decisions, happenings: search.happenings });
  if (note !== null) terminal.warn(note);
  if (mode !== null && mode !== 'PAPER') terminal.say(paint('33', `${mode}: no evidence of anything`));
  decisions.forEach((one, i) => {
    if (i > 0) terminal.say();
    for (const line of explanationLines(plainData(one))) terminal.say(line);
  });
  if (search.happenings.length > 0) terminal.say('  beside it');
  for (const { type, instrument, text } of plainData(search.happenings)) {
    terminal.say(`    ${type}${instrument === null ? '' : ` ${instrument}`}: ${text}`);
  }
}

/** A paper portfolio keeps the trace of every idea that wanted to act in its journal. */
async function paper(terminal: Terminal, dir: string, question: TraceQuestion): Promise<void> {
  const { searchJournal } = await import('../paper-trace.ts');
  const { wholeJournal } = await import('../../runner/replay-paper.ts');
  wholeJournal(join(dir, 'journal'));
  const search = searchJournal(dir, question);
  search.demand(dir);
  await explainPaper(terminal, dir, search, 'recorded');
}

async function live(terminal: Terminal, options: Options, question: TraceQuestion): Promise<void> {
  const { searchJournal, searchRunning } = await import('../paper-trace.ts');
  const { directory, portfolio, search } = await searchRunning(
    options.dataDir,
    options.portfolio ?? null,
    question,
  );
  // what the program no longer has in memory stands in its journal
  const found = search.isExact ? search : searchJournal(directory, question);
  found.demand(`portfolio ${portfolio}`);
  await explainPaper(terminal, directory, found, 'live');
}

async function explainPaper(
  terminal: Terminal,
  directory: string,
  search: TraceSearch,
  origin: Origin,
): Promise<void> {
  const { fillsInJournal, modeOfPortfolio } = await import('../paper-trace.ts');
  const { partsOfPortfolio } = await import('../../explain/portfolio-parts.ts');
  const { explainDecision } = await import('../../explain/explanation.ts');
  const parts = await partsOfPortfolio(directory);
  const fills = fillsInJournal(directory, new Set(search.found.flatMap(({ orders }) => orders)));
  const decisions = search.found.map((trace) =>
    explainDecision({ trace, parts: parts.get(trace.desk) ?? null, fills, members: null }),
  );
  const note = search.isExact
    ? null
    : 'nothing wanted to act at that time; this is the newest decision before it that did';
  await answer(terminal, { origin, mode: modeOfPortfolio(directory), note, decisions, search });
}
