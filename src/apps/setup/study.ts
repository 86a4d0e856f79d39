import { formatInterval, InputError, numberToSteps, parseInterval } from '#base';
import type { PortfolioDefinition, TraceSink } from '#engine';
import { type SimulatedVenueOptions, venueOptions } from '#execution';
import { currency, type Instrument, type InstrumentId, instrumentFor } from '#market';
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
  const finest = new Map<InstrumentId, number>();
  for (const { instrument, intervalMs } of series) {
    finest.set(instrument, Math.min(intervalMs, finest.get(instrument) ?? Infinity));
  }
  const ids = [...finest.keys()].sort();
  if (ids.length === 0) throw new InputError('no bars were given', 'add --bars FILE');
  const intervalMs =
    parts.interval === 'tape' ? Math.max(...finest.values()) : intervalOf(parts.interval, desk);
  const otherMs = (parts.otherIntervals ?? []).map((name) => intervalOf(name, desk));
  for (const [id, feedMs] of finest) {
    for (const ms of [intervalMs, ...otherMs]) {
      if (ms % feedMs !== 0) {
        throw new InputError(
          `${id}: bars of ${formatInterval(feedMs)} cannot make bars of ${formatInterval(ms)}`,
          `give bars of ${formatInterval(ms)} or of a finer interval that divides it`,
        );
      }
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
  const instrumentOf = lookup(instruments);
  const venue = venueOptions({
    instrumentOf,
    seed: settings.seed,
    latencyMs: defaults.latencyMs ?? 250,
    slippage: slippageBps > 0 ? { kind: 'fixed', rate: bpsRate(slippageBps) } : { kind: 'none' },
    rememberedOrders: REMEMBERED_ORDERS,
    participation: defaults.participation === undefined ? 0.1 : defaults.participation,
    ...(settings.deafTo === undefined ? {} : { deafTo: settings.deafTo }),
    feeOverride: feeBps === null ? null : { makerRate: bpsRate(feeBps), takerRate: bpsRate(feeBps) },
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
        intervalMs,
        otherMs,
      },
    ],
    feedMs: (id) => finest.get(id)!,
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
