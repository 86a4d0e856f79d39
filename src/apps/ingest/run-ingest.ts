import type { FeedClock } from '#adapters';
import type { Traces } from '../traces/traces.ts';
import { BarIntake } from './bar-intake.ts';
import { INTAKE_RULES, type IntakeRules } from './bar-plan.ts';
import { chartValuesOf } from './chart-values.ts';
import { INTAKE_GROUP, openEndpoint } from './endpoint.ts';
import { GapFiller } from './gap-filler.ts';
import { type FigureSources, type IngestFigures, ingestFigures } from './ingest-figures.ts';
import { type IngestSettings, openFeedStore, openSources, openStreams } from './ingest-settings.ts';
import { type IntakeCounts, noIntake } from './intake-counts.ts';
import { OVERDUE_RULES, type OverdueRules, OverdueWatch } from './overdue-watch.ts';
import { runWorker, WORKER_RULES, type WorkerRules } from './worker.ts';
import { takeWorkerName } from './worker-name.ts';

export const ROLES = ['endpoint', 'worker', 'both'] as const;
export type Role = (typeof ROLES)[number];

export interface IngestOptions {
  readonly settings: IngestSettings;
  /** What the configuration calls it; `feed` unless given. */
  readonly feedName?: string;
  readonly role: Role;
  readonly clock: FeedClock;
  /** A line for people. */
  readonly say: (line: string) => void;
  /** Told once everything is open. */
  readonly onOpen: (place: { readonly shown: string | null; readonly port: number | null }) => void;
  readonly signal: AbortSignal;
  /** Takes how it stands, once open and every few seconds. */
  readonly onFigures?: (figures: IngestFigures) => void;
  /** Other than usual, for rehearsals. */
  readonly rules?: Partial<IntakeRules & OverdueRules & WorkerRules>;
  /** Where requests are told; null or absent: nowhere. Closed by who opened it. */
  readonly traces?: Traces | null;
}

const DAY_MS = 86_400_000;
const FIGURES_MS = 2_000;

/** Runs the endpoint of a feed, a worker, or both, until the signal; what the worker did. Throws what keeps it from beginning. */
export async function runIngest(options: IngestOptions): Promise<IntakeCounts> {
  const { settings, feedName = 'feed', role, clock, say, signal, onFigures = () => undefined } = options;
  const { traces = null } = options;
  const counts = noIntake();
  const closes: (() => Promise<void> | void)[] = [];
  try {
    const streams = await openStreams(settings);
    closes.push(() => streams.close());
    const worker = role === 'endpoint' ? null : await openWorker(options, streams, counts, closes);
    // the address opens last: what it takes is dealt with from the first bar on
    const endpoint = role === 'worker' ? null : await openEndpoint(settings, streams, clock, say, traces);
    if (endpoint !== null) closes.push(() => endpoint.close());
    say(`the queue is ${streams.kind}: ${streams.durability}`);
    const sources = { feed: feedName, streams, clock, endpoint, worker: worker?.figures ?? null, traces };
    closes.push(tellFigures(sources, onFigures));
    options.onOpen({ shown: endpoint?.shown ?? null, port: endpoint?.port ?? null });
    if (worker !== null) await worker.run();
    else await untilAborted(signal);
    return counts;
  } finally {
    for (const close of closes.reverse()) await close();
  }
}

async function openWorker(
  { settings, clock, say, signal, rules = {} }: IngestOptions,
  streams: Awaited<ReturnType<typeof openStreams>>,
  counts: IntakeCounts,
  closes: (() => Promise<void> | void)[],
): Promise<{ readonly figures: NonNullable<FigureSources['worker']>; run(): Promise<void> }> {
  const { series, feed } = settings;
  const store = await openFeedStore(settings);
  closes.push(() => store.close());
  for (const note of store.notes) say(`the store of bars: ${note}`);
  const sources = openSources(settings, store, clock);
  closes.push(() => sources.close());
  const { name: holder, release } = takeWorkerName(settings.folder);
  closes.push(release);
  const reader = await streams.reader(INTAKE_GROUP, holder);
  closes.push(() => reader.close());
  const filler = new GapFiller({ store, series, sources: sources.all, clock });
  const intakeRules = { ...INTAKE_RULES, ...rules };
  const charts = chartValuesOf(streams, feed.desk);
  const intake = new BarIntake({
    store,
    reader,
    series,
    filler,
    judge: sources.judge,
    clock,
    rules: intakeRules,
    counts,
    say,
    ...(charts === null ? {} : { onStored: (bar) => charts.put(bar) }),
  });
  const keepMs = feed.keepDays === undefined ? null : feed.keepDays * DAY_MS;
  const overdue = new OverdueWatch({
    store,
    series,
    filler,
    intake,
    clock,
    rules: { ...OVERDUE_RULES, keepMs, ...rules },
    holder,
    say,
  });
  const run = async () => {
    // a worker that waits for its store must let go of it, too
    const closed = untilAborted(signal).then(() => intake.close());
    await Promise.all([
      runWorker({ reader, intake, rules: { ...WORKER_RULES, ...rules }, counts, signal, say }),
      overdue.run(signal),
    ]);
    await closed;
  };
  return { figures: { counts, holding: () => intake.holding() }, run };
}

/** Tells how it stands until the function that comes back is called. */
function tellFigures(sources: FigureSources, onFigures: (figures: IngestFigures) => void): () => void {
  let isOver = false;
  const tell = async () => {
    const figures = await ingestFigures(sources);
    if (!isOver) onFigures(figures);
  };
  const timer = setInterval(() => void tell(), FIGURES_MS).unref();
  void tell();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // an abort signal alone does not keep the process alive
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener(
      'abort',
      () => {
        clearInterval(alive);
        resolve();
      },
      { once: true },
    );
  });
}
