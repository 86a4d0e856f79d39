import {
  intervalFor,
  readSample,
  readTapeFile,
  SYNTHETIC_INTERVAL_MS,
  Tape,
  type TapeSeries,
} from '#adapters';
import { canonicalJson, formatInterval, InputError, numberToSteps, parseInterval } from '#base';
import type {
  DeskModels,
  DeskParts,
  DeskSetup,
  DeskWithModels,
  PortfolioDefinition,
  TraceSink,
} from '#engine';
import { type SimulatedVenueOptions, venueOptions } from '#execution';
import {
  currency,
  type Instrument,
  type InstrumentId,
  instrumentFor,
  instrumentIdOf,
  seriesFor,
} from '#market';
import { seriesOfFeed } from '../ingest/ingest-settings.ts';
import { webhookFeed } from '../ingest/webhook-feed.ts';
import { modelResources } from '../models/model-resources.ts';
import { codeHash } from '../setup/code-hash.ts';
import {
  type AccountConfiguration,
  type FeedConfiguration,
  isLive,
  type PortfolioConfiguration,
} from '../setup/configuration.ts';
import { expandDesks } from '../setup/expand-desks.ts';
import { deskHash, deskWith, type LoadedDesk, loadDeskWith } from '../setup/load-desk.ts';
import { type FoundModels, theseModels, type UnfitCandidates } from '../setup/noting-models.ts';
import { bpsRate } from '../setup/study.ts';
import { liveVenueOf } from './live-venue-of.ts';
import { type MarketTape, RecordedTape, SyntheticTape } from './market-tape.ts';
import { isEvidence, type RunMode } from './run-mode.ts';

/** What a portfolio is made from; plain data that the journal's header repeats. */
export interface PortfolioRequest {
  readonly name: string;
  readonly portfolio: PortfolioConfiguration;
  readonly account: AccountConfiguration;
  readonly feed: FeedConfiguration;
}

/** The journal's first entry: everything that decides what the program does, but not how fast. */
export interface PaperHeader {
  readonly kind: 'paper';
  readonly runId: string;
  readonly mode: RunMode;
  /** False: nothing in this journal counts as evidence for or against a desk. */
  readonly evidence: boolean;
  readonly request: PortfolioRequest;
  readonly desks: readonly {
    readonly name: string;
    readonly hash: string;
    readonly parameters: unknown;
    /** What its references to models meant when the run began; entries of the journal say what they meant later. */
    readonly models?: FoundModels;
  }[];
  readonly tapeHash: string | null;
  /** Instruments of recorded or made-up bars with their interval; null for a live feed. */
  readonly series: readonly (readonly [instrument: InstrumentId, intervalMs: number])[] | null;
  readonly codeHash: string;
}

/** A portfolio ready to run. */
export interface PaperSetup {
  readonly name: string;
  readonly mode: RunMode;
  readonly request: PortfolioRequest;
  readonly header: Omit<PaperHeader, 'runId'>;
  readonly define: (trace: TraceSink) => PortfolioDefinition;
  readonly venue: SimulatedVenueOptions;
  readonly instruments: readonly Instrument[];
  readonly warmUpBars: number;
  readonly feedMs: number;
  /** Recorded or made-up events; null for a live feed. */
  readonly tape: MarketTape | null;
  /** Which candidates its desks cannot use, by desk. */
  readonly unfit: Readonly<Record<string, UnfitCandidates>>;
}

export function modeOf(feed: FeedConfiguration): RunMode {
  if (feed.kind === 'webhook') return feed.replayed ? 'REPLAY' : 'PAPER';
  return isLive(feed) ? 'PAPER' : feed.kind === 'synthetic' ? 'SYNTHETIC' : 'REPLAY';
}

/**
 * Loads desks and data of a portfolio. Throws {@link InputError} for whatever does not fit together. With `series`, as
 * the header of a journal has them, the data are left alone: a replay finds its events in the journal. `begun` is the
 * header of a journal that goes on: references to models mean what they meant when it began.
 */
export async function setUpPortfolio(
  given: PortfolioRequest,
  series: PaperHeader['series'] = null,
  begun: Pick<PaperHeader, 'desks'> | null = null,
): Promise<PaperSetup> {
  const request = await expanded(given);
  const { portfolio, feed, account, name } = request;
  const desks = await Promise.all(
    portfolio.desks.map((d, i) => loadDeskWith(d.desk, d.parameters, begun?.desks[i]?.models)),
  );
  const source = series === null ? await sourceOf(feed) : withoutData(series);
  const setups = desks.map((desk, i) => ({ desk, given: portfolio.desks[i]! }));
  const traded = setups.map(({ desk, given }) => instrumentsOf(desk, given.instruments, source, feed));
  const watched = setups.map(({ desk }, i) => watchedBy(desk, traded[i]!, source, feed));
  checkCurrency(traded.flat(), portfolio.base);
  const instruments = inOrder([...traded.flat(), ...watched.flat()]);
  const feedMs = source.intervalMs ?? liveInterval(desks, feed);
  const feeBps = account.feeBps ?? simulationFeeBps(desks);
  const slippageBps = slippageOf(account, desks);
  const venue = venueOf(request, desks, instruments, feeBps, slippageBps);
  const base = traded[0]![0]!;
  const cash = portfolio.cash ?? desks[0]!.parts.simulation?.cash ?? 10_000;
  const names = new Set<string>();
  const deskSetups: DeskSetup[] = setups.map(({ desk, given }, i) => {
    const deskName = given.name ?? desk.definition.name;
    if (names.has(deskName)) {
      throw new InputError(
        `portfolio ${name} has two desks named ${deskName}`,
        'give one of them another name',
      );
    }
    names.add(deskName);
    const { interval, otherIntervals = [] } = desk.parts;
    const intervalOfAll = (text: string) =>
      intervalOf(text, [...traded[i]!, ...watched[i]!], source, feedMs, deskName);
    return {
      name: deskName,
      configuration: given.configuration,
      parts: partsOf(desk.parts, slippageBps),
      instruments: traded[i]!,
      ...(watched[i]!.length === 0 ? {} : { watched: watched[i]! }),
      intervalMs: intervalOfAll(interval),
      otherMs: otherIntervals.map(intervalOfAll),
      ...(desk.models === undefined
        ? {}
        : { models: modelsOf(desk, desk.models, given.parameters, slippageBps) }),
    };
  });
  const { instrumentOf: _, seed: __, ...shadowVenue } = venue;
  const mode = modeOf(feed);
  const { brought } = source;
  return {
    name,
    mode,
    request,
    header: {
      kind: 'paper',
      mode,
      evidence: isEvidence(mode),
      request: withoutPace(request),
      desks: desks.map((desk, i) => ({
        name: deskSetups[i]!.name,
        hash: deskHash(desk),
        parameters: desk.parameters,
        ...(desk.models === undefined ? {} : { models: desk.models }),
      })),
      tapeHash: source.hash,
      series:
        source.offers?.flatMap((id) => (brought?.get(id) ?? [feedMs]).map((ms) => [id, ms] as const)) ?? null,
      codeHash: codeHash(),
    },
    define: (trace) => ({
      name,
      base: currency(portfolio.base),
      baseMinorScale: base.minorScale,
      cash: numberToSteps(cash, { units: 1, scale: base.minorScale }, 'half-away'),
      desks: deskSetups,
      feedMs: (id, wantedMs) => {
        const offered = brought?.get(id) ?? [feedMs];
        return wantedMs === undefined ? Math.min(...offered) : seriesFor(offered, wantedMs)!;
      },
      breaker: desks.find((d) => d.parts.breaker !== undefined)?.parts.breaker ?? null,
      // an operator may set limits where the configuration has none
      limits: portfolio.limits ?? {},
      platform: null,
      running: portfolio.running,
      feeRate: feeBps === null ? null : feeBps / 10_000,
      shadowVenue,
      trace,
    }),
    venue,
    instruments,
    warmUpBars: Math.max(...desks.map((d) => d.parts.warmUpBars)),
    feedMs,
    tape: source.tape,
    unfit: Object.fromEntries(desks.map(({ unfit = {} }, i) => [deskSetups[i]!.name, unfit])),
  };
}

/** A portfolio whose every desk has a line of its own. */
export async function expanded(request: PortfolioRequest): Promise<PortfolioRequest> {
  const desks = await expandDesks(request.portfolio.desks);
  return { ...request, portfolio: { ...request.portfolio, desks } };
}

/** Pace, addresses, the source of news and who may change models do not decide what is traded: a restart may change them. */
function withoutPace(request: PortfolioRequest): PortfolioRequest {
  // what is published and which models are taken comes as events
  const { news: _, newModels: __, ...portfolio } = request.portfolio;
  return { ...request, portfolio, feed: bareFeed(request.feed) };
}

function bareFeed(feed: FeedConfiguration): FeedConfiguration {
  switch (feed.kind) {
    case 'recorded':
      return { kind: feed.kind, bars: [], funding: [] };
    case 'synthetic':
      return { kind: feed.kind, seed: feed.seed };
    case 'webhook': {
      const { kind, series, instruments, replayed } = feed;
      return webhookFeed.parse({ kind, instruments, replayed, ...(series === undefined ? {} : { series }) });
    }
    default:
      return { kind: feed.kind };
  }
}

interface Source {
  readonly tape: MarketTape | null;
  readonly hash: string | null;
  /** The finest interval of all; null: what the desks ask of a live feed. */
  readonly intervalMs: number | null;
  /** Intervals that come for each instrument, ascending; null: that one of all. */
  readonly brought: ReadonlyMap<InstrumentId, readonly number[]> | null;
  /** What the feed can bring; null: whatever it is asked for. */
  readonly offers: readonly InstrumentId[] | null;
}

async function sourceOf(feed: FeedConfiguration): Promise<Source> {
  if (isLive(feed)) return { tape: null, hash: null, intervalMs: null, brought: null, offers: null };
  switch (feed.kind) {
    case 'synthetic': {
      const tape = new SyntheticTape(feed.seed);
      return { tape, hash: null, intervalMs: SYNTHETIC_INTERVAL_MS, brought: null, offers: tape.instruments };
    }
    case 'webhook': {
      const brought = intervalsOf(
        seriesOfFeed(feed).map(({ instrument, intervalMs }) => [instrument, intervalMs]),
      );
      const offers = [...brought.keys()].sort();
      return { tape: null, hash: null, intervalMs: finestOf(brought), brought, offers };
    }
    case 'sample':
      return recordedSource([await readSample()]);
    case 'recorded': {
      const series: TapeSeries[] = [];
      for (const file of [...feed.bars, ...feed.funding]) series.push(...(await readTapeFile(file)));
      return recordedSource(series);
    }
  }
}

/** Intervals by instrument, each once and ascending. */
function intervalsOf(
  pairs: Iterable<readonly [InstrumentId, number]>,
): ReadonlyMap<InstrumentId, readonly number[]> {
  const brought = new Map<InstrumentId, readonly number[]>();
  for (const [id, ms] of pairs)
    brought.set(
      id,
      [...new Set([...(brought.get(id) ?? []), ms])].sort((a, b) => a - b),
    );
  return brought;
}

const finestOf = (brought: ReadonlyMap<InstrumentId, readonly number[]>): number =>
  Math.min(...[...brought.values()].flat());

function withoutData(series: NonNullable<PaperHeader['series']>): Source {
  const brought = intervalsOf(series);
  return { tape: null, hash: null, intervalMs: finestOf(brought), brought, offers: [...brought.keys()] };
}

function recordedSource(series: readonly TapeSeries[]): Source {
  const tape = new Tape(series);
  const brought = intervalsOf(
    tape.series.flatMap((one) => (one.kind === 'bars' ? [[one.instrument, one.intervalMs] as const] : [])),
  );
  if (brought.size === 0) throw new InputError('the feed holds no bars', 'name bar files under "bars"');
  return {
    tape: new RecordedTape(tape),
    hash: tape.hash,
    intervalMs: finestOf(brought),
    brought,
    offers: [...brought.keys()].sort(),
  };
}

/** Each instrument once, by id. */
const inOrder = (instruments: readonly Instrument[]): Instrument[] =>
  [...new Map(instruments.map((i) => [i.id, i])).values()].sort((a, b) => (a.id < b.id ? -1 : 1));

/** What a desk looks at besides what it trades. */
function watchedBy(
  desk: LoadedDesk,
  traded: readonly Instrument[],
  source: Source,
  feed: FeedConfiguration,
): Instrument[] {
  const ids = (desk.parts.watches ?? []).map(instrumentIdOf);
  for (const id of ids) checkOffered(id, source, feed);
  return ids.filter((id) => !traded.some((one) => one.id === id)).map((id) => instrumentFor(id));
}

function checkOffered(id: InstrumentId, source: Source, feed: FeedConfiguration): void {
  const { venue = '' } = liveVenueOf(feed) ?? {};
  const offered = source.offers === null ? id.endsWith(`.${venue}`) : source.offers.includes(id);
  if (offered) return;
  const what = source.offers?.join(', ') ?? `instruments that end in .${venue}`;
  throw new InputError(`the feed ${feed.kind} does not bring ${id}`, `it brings ${what}`);
}

function instrumentsOf(
  desk: LoadedDesk,
  given: readonly string[] | undefined,
  source: Source,
  feed: FeedConfiguration,
): Instrument[] {
  const { instruments, onlyThose = false } = desk.parts;
  const named = source.offers === null || onlyThose ? instruments : undefined;
  const wanted = (given ?? named)?.map(instrumentIdOf);
  const ids = wanted ?? source.offers ?? [];
  if (ids.length === 0) {
    throw new InputError(
      `desk ${desk.definition.name} names no instruments`,
      'list them under "instruments" in the configuration',
    );
  }
  for (const id of ids) checkOffered(id, source, feed);
  return ids.map((id) => instrumentFor(id));
}

function checkCurrency(instruments: readonly Instrument[], base: string): void {
  const other = instruments.find((i) => i.settle !== base || i.minorScale !== instruments[0]!.minorScale);
  if (other === undefined) return;
  throw new InputError(
    `${other.id} settles in ${other.settle}, the portfolio keeps its books in ${base}`,
    `set "base" to ${other.settle}, or move the instrument to another portfolio`,
  );
}

/** Bars to ask a live feed for: the longest it makes that those of all desks are made of. */
function liveInterval(desks: readonly LoadedDesk[], feed: FeedConfiguration): number {
  const all = desks.flatMap((d) => [d.parts.interval, ...(d.parts.otherIntervals ?? [])]);
  const known = all.map(parseInterval).filter((ms) => ms !== null);
  if (known.length === 0) {
    throw new InputError(
      'no desk says which bars it decides on',
      'set the interval of a desk, for example "5m"',
    );
  }
  return intervalFor(liveVenueOf(feed)!, known);
}

/** Milliseconds of an interval that a desk names. Throws {@link InputError} where a feed's bars cannot make it. */
function intervalOf(
  text: string,
  instruments: readonly Instrument[],
  source: Source,
  feedMs: number,
  desk: string,
): number {
  const ms = text === 'tape' ? feedMs : parseInterval(text);
  if (ms === null)
    throw new InputError(`desk ${desk}: "${text}" is not an interval`, 'write 1m, 5m, 1h, 1d or tape');
  for (const { id } of instruments) {
    const brought = source.brought?.get(id) ?? [feedMs];
    if (seriesFor(brought, ms) !== null) continue;
    throw new InputError(
      `desk ${desk}: bars of ${brought.map(formatInterval).join(', ')} cannot make bars of ${text}`,
      'choose intervals that the finest one divides',
    );
  }
  return ms;
}

/** How a desk is made with other models than those that it began with. */
function modelsOf(
  desk: LoadedDesk,
  begun: FoundModels,
  parameters: unknown,
  slippageBps: number,
): DeskModels {
  // asked for when it is judged and when it is taken: reading trees twice would hold up the loop twice
  let last: { readonly models: string; readonly made: DeskWithModels } | null = null;
  return {
    begun,
    build: (models) => {
      const wanted = canonicalJson(models);
      if (last?.models === wanted) return last.made;
      const built = deskWith(desk, parameters, models, theseModels(modelResources(), models));
      const made = { parts: partsOf(built.parts, slippageBps), hash: deskHash(built) };
      last = { models: wanted, made };
      return made;
    },
  };
}

function partsOf(parts: DeskParts, slippageBps: number): DeskParts {
  return {
    ...parts,
    // the sizer reckons with the slippage of the account
    simulation: { ...parts.simulation, slippageBps },
  };
}

/** One account fills all desks: where it says nothing, the most cautious desk speaks. */
function slippageOf(account: AccountConfiguration, desks: readonly LoadedDesk[]): number {
  return account.slippageBps ?? Math.max(...desks.map((d) => d.parts.simulation?.slippageBps ?? 0));
}

function simulationFeeBps(desks: readonly LoadedDesk[]): number | null {
  const fees = desks.map((d) => d.parts.simulation?.feeBps ?? null).filter((fee) => fee !== null);
  return fees.length === 0 ? null : Math.max(...fees);
}

/** What makers pay: as with other fees the most cautious desk speaks, unless the account says itself what a fill costs. */
function makerBpsOf(account: AccountConfiguration, desks: readonly LoadedDesk[]): number | null {
  if (account.feeBps !== null) return null;
  const fees = desks
    .map(({ parts: { simulation = {} } }) => simulation.makerFeeBps ?? simulation.feeBps ?? null)
    .filter((fee) => fee !== null);
  return fees.length === 0 ? null : Math.max(...fees);
}

function venueOf(
  { portfolio, account }: PortfolioRequest,
  desks: readonly LoadedDesk[],
  instruments: readonly Instrument[],
  feeBps: number | null,
  slippageBps: number,
): SimulatedVenueOptions {
  const byId = new Map(instruments.map((i) => [i.id, i]));
  const caps = desks.map((d) =>
    d.parts.simulation?.participation === undefined ? 0.1 : d.parts.simulation.participation,
  );
  const cap = caps.filter((c) => c !== null);
  return venueOptions({
    instrumentOf: (id) => byId.get(id) ?? instrumentFor(id),
    seed: portfolio.seed,
    latencyMs: account.latencyMs ?? Math.max(...desks.map((d) => d.parts.simulation?.latencyMs ?? 250)),
    slippage: slippageBps > 0 ? { kind: 'fixed', rate: bpsRate(slippageBps) } : { kind: 'none' },
    participation: account.participation ?? (cap.length === 0 ? null : Math.min(...cap)),
    feeOverride:
      feeBps === null
        ? null
        : { makerRate: bpsRate(makerBpsOf(account, desks) ?? feeBps), takerRate: bpsRate(feeBps) },
  });
}
