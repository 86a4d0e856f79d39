import { formatInterval, InputError, numberToSteps, parseInterval } from '#base';
import type { PortfolioDefinition, TraceSink } from '#engine';
import { type SimulatedVenueOptions, venueOptions } from '#execution';
import {
  currency,
  type Instrument,
  type InstrumentId,
  instrumentFor,
  instrumentIdOf,
  seriesFor,
} from '#market';
import type { LoadedDesk } from './load-desk.ts';

/** Simulation settings of one run; what is null follows the desk, then the instrument. */
export interface StudySettings {
  readonly cash: number | null;
  readonly feeBps: number | null;
  readonly slippageBps: number | null;
  readonly seed: string;
  /** Studies of what a part is worth: see the option of the simulated venue. */
  readonly deafTo?: readonly string[];
  /** Studies of what costs are worth: fees and slippage are so many times those of the run; 1 when left out. */
  readonly costFactor?: number;
}

/** Everything a run of one desk over recorded bars is made from. */
export interface Study {
  readonly definition: PortfolioDefinition;
  readonly venue: SimulatedVenueOptions;
  readonly instruments: readonly Instrument[];
  readonly base: string;
  readonly intervalMs: number;
  readonly cash: number;
  readonly feeBps: number | null;
  readonly slippageBps: number;
}

/**
 * The simulated venue reports at once: what comes late is about a recent order. Few enough that they die young; with
 * 256 they outlive two young collections and double the memory of a run.
 */
const REMEMBERED_ORDERS = 64;

export interface SeriesShape {
  readonly instrument: InstrumentId;
  readonly intervalMs: number;
}

/** Basis points as parts of a fill's notional, as the venue reckons with them. */
export const bpsRate = (bps: number): number => numberToSteps(bps, { units: 1, scale: 4 }, 'half-away');

/** Builds the portfolio of one desk over the given bar series. */
export function buildStudy(
  desk: LoadedDesk,
  series: readonly SeriesShape[],
  settings: StudySettings,
  trace: TraceSink,
  portfolio = 'study',
): Study {
  const { parts } = desk;
  const brought = new Map<InstrumentId, number[]>();
  for (const { instrument, intervalMs } of series)
    brought.set(instrument, [...(brought.get(instrument) ?? []), intervalMs]);
  const finest = new Map([...brought].map(([id, all]) => [id, Math.min(...all)] as const));
  const { ids, watched } = instrumentsOf(desk, [...finest.keys()].sort());
  const intervalMs =
    parts.interval === 'tape' ? Math.max(...finest.values()) : intervalOf(parts.interval, desk);
  const otherMs = (parts.otherIntervals ?? []).map((name) => intervalOf(name, desk));
  for (const id of [...ids, ...watched]) {
    for (const ms of [intervalMs, ...otherMs]) {
      if (seriesFor(brought.get(id)!, ms) !== null) continue;
      throw new InputError(
        `${id}: bars of ${brought.get(id)!.map(formatInterval).join(', ')} cannot make bars of ${formatInterval(ms)}`,
        `give bars of ${formatInterval(ms)} or of a finer interval that divides it`,
      );
    }
  }
  const instruments = ids.map((id) => withFees(instrumentFor(id), settings.costFactor ?? 1));
  const base = instruments[0]!.settle;
  const mixed = instruments.find((i) => i.settle !== base || i.minorScale !== instruments[0]!.minorScale);
  if (mixed !== undefined) {
    throw new InputError(
      `${mixed.id} settles in ${mixed.settle}, ${instruments[0]!.id} in ${base}`,
      'give one run instruments that settle in one currency',
    );
  }
  const defaults = parts.simulation ?? {};
  const { costFactor = 1 } = settings;
  const settled = settledCosts(parts, settings);
  const cash = settled.cash;
  const slippageBps = settled.slippageBps * costFactor;
  const feeBps = settled.feeBps === null ? null : settled.feeBps * costFactor;
  // a fee that is asked for is everybody's
  const makerBps = settings.feeBps === null ? times(parts.simulation?.makerFeeBps, costFactor) : null;
  const instrumentOf = lookup(instruments);
  const venue = venueOptions({
    instrumentOf,
    seed: settings.seed,
    latencyMs: defaults.latencyMs ?? 250,
    slippage: slippageBps > 0 ? { kind: 'fixed', rate: bpsRate(slippageBps) } : { kind: 'none' },
    rememberedOrders: REMEMBERED_ORDERS,
    participation: defaults.participation === undefined ? 0.1 : defaults.participation,
    ...(settings.deafTo === undefined ? {} : { deafTo: settings.deafTo }),
    feeOverride:
      feeBps === null ? null : { makerRate: bpsRate(makerBps ?? feeBps), takerRate: bpsRate(feeBps) },
  });
  const { instrumentOf: _, seed: __, ...shadowVenue } = venue;
  const minorScale = instruments[0]!.minorScale;
  const definition: PortfolioDefinition = {
    name: portfolio,
    base: currency(base),
    baseMinorScale: minorScale,
    cash: numberToSteps(cash, { units: 1, scale: minorScale }, 'half-away'),
    desks: [
      {
        name: desk.definition.name,
        configuration: 'default',
        parts: withCosts(parts, slippageBps),
        instruments,
        ...(watched.length === 0 ? {} : { watched: watched.map((id) => instrumentFor(id)) }),
        intervalMs,
        otherMs,
      },
    ],
    feedMs: (id, wantedMs) =>
      wantedMs === undefined ? finest.get(id)! : seriesFor(brought.get(id)!, wantedMs)!,
    breaker: parts.breaker ?? null,
    platform: null,
    running: true,
    autoResume: true,
    feeRate: feeBps === null ? null : feeBps / 10_000,
    rememberedOrders: REMEMBERED_ORDERS,
    shadowVenue,
    trace,
  };
  return { definition, venue, instruments, base, intervalMs, cash, feeBps, slippageBps };
}

/** What a desk trades and what it only looks at, of the instruments a tape holds. Throws {@link InputError}. */
function instrumentsOf(
  { parts, definition }: LoadedDesk,
  held: readonly InstrumentId[],
): { readonly ids: readonly InstrumentId[]; readonly watched: readonly InstrumentId[] } {
  if (held.length === 0) throw new InputError('no bars were given', 'add --bars FILE');
  const wanted = (parts.watches ?? []).map(instrumentIdOf);
  const own =
    parts.onlyThose === true
      ? (parts.instruments ?? []).map(instrumentIdOf)
      : held.filter((id) => !wanted.includes(id));
  const watched = wanted.filter((id) => !own.includes(id));
  const missing = [...own, ...watched].find((id) => !held.includes(id));
  if (missing !== undefined) {
    throw new InputError(
      `desk ${definition.name} needs bars of ${missing}`,
      `add --bars ${missing}=FILE; given are ${held.join(', ')}`,
    );
  }
  if (own.length === 0)
    throw new InputError(
      `desk ${definition.name} only watches what was given`,
      'add --bars of what it is to trade',
    );
  return { ids: own, watched };
}

const times = (bps: number | null | undefined, factor: number): number | null =>
  bps == null ? null : bps * factor;

/** What a run costs and begins with: what is asked for, else the desk's own, else the house's. A fee of null is the schedule. */
export function settledCosts(
  { simulation = {} }: Pick<LoadedDesk['parts'], 'simulation'>,
  { cash, feeBps, slippageBps }: Pick<StudySettings, 'cash' | 'feeBps' | 'slippageBps'>,
): { readonly cash: number; readonly feeBps: number | null; readonly slippageBps: number } {
  return {
    cash: cash ?? simulation.cash ?? 10_000,
    feeBps: feeBps ?? simulation.feeBps ?? null,
    slippageBps: slippageBps ?? simulation.slippageBps ?? 0,
  };
}

/** An instrument whose fees are so many times its schedule's. A rebate does not grow: that would be no cost. */
function withFees(instrument: Instrument, factor: number): Instrument {
  if (factor === 1) return instrument;
  const times = (rate: number) =>
    rate > 0 ? Math.round(rate * factor) : Math.round(rate / Math.max(1, factor));
  const fees = instrument.fees.map((schedule) => ({
    ...schedule,
    makerRate: times(schedule.makerRate),
    takerRate: times(schedule.takerRate),
  }));
  return { ...instrument, fees };
}

/** The sizer reckons with the slippage of the run, not only with the desk's default. */
function withCosts(parts: LoadedDesk['parts'], slippageBps: number): LoadedDesk['parts'] {
  return { ...parts, simulation: { ...parts.simulation, slippageBps } };
}

function intervalOf(name: string, desk: LoadedDesk): number {
  const ms = parseInterval(name);
  if (ms === null) {
    throw new InputError(
      `desk ${desk.definition.name}: "${name}" is not an interval`,
      'write 1m, 5m, 1h, 1d or tape',
    );
  }
  return ms;
}

function lookup(instruments: readonly Instrument[]): (id: InstrumentId) => Instrument {
  const byId = new Map(instruments.map((i) => [i.id, i]));
  return (id) => byId.get(id) ?? instrumentFor(id);
}
