import type { FeatureFrame } from '#features';
import type { InstrumentId } from '#market';
import { type Source, source, type View } from '../source.ts';

/** Whether momentum may be followed, and which way. */
export type MomentumState = 'bull' | 'bear' | 'flat';

export interface MomentumRegimeConfig {
  /** Bars of mean and deviation of the returns. */
  readonly bars: number;
  /** |t| above which there is a trend. */
  readonly tMin: number;
  /**
   * The market's leader and the others, this one among them: for all but the leader a trend must not run against how the
   * leader does beside the others. Null: nobody is asked.
   */
  readonly dominance: { readonly leader: InstrumentId; readonly others: readonly InstrumentId[] } | null;
  /** Values of the dominance that its deviation is taken over. */
  readonly dominanceBars: number;
}

/** Sheet S1 RX68, section 3, without peers. */
export const MOMENTUM_REGIME: MomentumRegimeConfig = {
  bars: 20,
  tMin: 0.5,
  dominance: null,
  dominanceBars: 500,
};

export const MOMENTUM_REGIME_SOURCE = 'regime';

/** t of the mean of `n` returns: mean / (deviation / sqrt n); 0 without deviation. */
export const momentumT = (mean: number, deviation: number, n: number): number =>
  deviation === 0 ? 0 : mean / (deviation / Math.sqrt(n));

/** How strong a trend is, 0..1. */
export const momentumStrength = (t: number): number => Math.min(1, Math.abs(t) / 2);

/** Proxy of how the leader does beside the others, remembered from bar to bar. Plain data. */
export interface DominanceMemory {
  /** Open time of the newest bar taken in; -1 before the first. */
  time: number;
  /** Leader's return less the mean of the others', newest last, without a hole. */
  readonly spreads: number[];
  /** Means of the spreads, newest last. */
  readonly values: number[];
  /** How often the frames had been mended when it was made. */
  mended: number;
}

export const newDominance = (): DominanceMemory => ({ time: -1, spreads: [], values: [], mended: 0 });

/** The dominance of the newest bar and its population deviation; null while one of them is not known. */
export interface Dominance {
  readonly value: number;
  readonly deviation: number;
}

/**
 * Takes in the bars of `own` that are not taken in yet. Needs a bar of the same time in every frame: one that lacks
 * it ends the run of returns that a mean is made of, and gives null while it is the newest. Reads the frames alone, so a
 * memory that begins late is the same as one that was there, as far back as the frames reach.
 */
export function followDominance(
  memory: DominanceMemory,
  own: FeatureFrame,
  leader: FeatureFrame | null,
  others: readonly (FeatureFrame | null)[],
  config: Pick<MomentumRegimeConfig, 'bars' | 'dominanceBars'>,
): Dominance | null {
  const mended = [own, leader, ...others].reduce((sum, frame) => sum + (frame?.mended ?? 0), 0);
  if (mended !== memory.mended) {
    // the past is another one now: all of it is read again
    Object.assign(memory, { time: -1, mended });
    memory.spreads.length = memory.values.length = 0;
  }
  const { time } = own.bars;
  let row = own.bars.length;
  while (row > 0 && time[row - 1]! > memory.time) row -= 1;
  let current = memory.spreads.length === config.bars && row === own.bars.length;
  for (; row < own.bars.length; row++) {
    const spread = spreadAt(time[row]!, leader, others);
    memory.time = time[row]!;
    current = false;
    if (spread === null) {
      memory.spreads.length = 0;
      continue;
    }
    memory.spreads.push(spread);
    if (memory.spreads.length > config.bars) memory.spreads.shift();
    if (memory.spreads.length < config.bars) continue;
    memory.values.push(meanOf(memory.spreads));
    if (memory.values.length > config.dominanceBars) memory.values.shift();
    current = true;
  }
  if (!current || memory.values.length < config.dominanceBars) return null;
  const mean = meanOf(memory.values);
  let squares = 0;
  for (const value of memory.values) squares += (value - mean) ** 2;
  return { value: memory.values.at(-1)!, deviation: Math.sqrt(squares / memory.values.length) };
}

function meanOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function spreadAt(
  time: number,
  leader: FeatureFrame | null,
  others: readonly (FeatureFrame | null)[],
): number | null {
  const led = returnAt(leader, time);
  let sum = 0;
  for (const other of others) sum += returnAt(other, time);
  const spread = led - sum / others.length;
  return Number.isFinite(spread) ? spread : null;
}

/** Log return of the bar that opened at `time`; NaN when it is not there. */
function returnAt(frame: FeatureFrame | null, time: number): number {
  if (frame === null) return Number.NaN;
  const { bars } = frame;
  let low = 0;
  let high = bars.length - 1;
  // the newest bar first: hardly ever another is asked for
  if (high >= 0 && bars.time[high] === time) low = high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bars.time[middle]! < time) low = middle + 1;
    else high = middle;
  }
  if (low < 1 || bars.time[low] !== time) return Number.NaN;
  return Math.log(bars.close[low]! / bars.close[low - 1]!);
}

/** The state by momentum alone. */
export const momentumState = (t: number, tMin: number): MomentumState =>
  t > tMin ? 'bull' : t < -tMin ? 'bear' : 'flat';

/** What the leader's lead leaves of a state: bull needs at most one deviation of it, bear at least minus one. */
export function underDominance(state: MomentumState, dominance: Dominance | null): MomentumState {
  if (state === 'flat' || dominance === null) return 'flat';
  const { value, deviation } = dominance;
  if (state === 'bull') return value <= deviation ? 'bull' : 'flat';
  return value >= -deviation ? 'bear' : 'flat';
}

/**
 * The regime gate as a source: +R in a bull state, -R in a bear state, 0 in a flat one, R = min(1, |t|/2). Silent while its
 * features are not defined.
 */
export function momentumRegime(changes: Partial<MomentumRegimeConfig> = {}): Source {
  const config = { ...MOMENTUM_REGIME, ...changes };
  const { bars, tMin, dominance } = config;
  return source({
    name: MOMENTUM_REGIME_SOURCE,
    emits: 'score',
    features: { mean: `logret_stats:${bars}/mean`, deviation: `logret_stats:${bars}/std` },
    state: newDominance,
    signal: (view, { mean, deviation }, memory) => {
      const t = momentumT(mean, deviation, bars);
      if (!Number.isFinite(t)) return null;
      const byTrend = momentumState(t, tMin);
      const asked = dominance !== null && view.instrument.id !== dominance.leader;
      const lead = asked ? leadOf(view, memory, config) : null;
      const state = asked ? underDominance(byTrend, lead) : byTrend;
      const value = state === 'flat' ? 0 : (state === 'bull' ? 1 : -1) * momentumStrength(t);
      const why =
        state === byTrend ? null : lead === null ? 'dominance is not known' : 'dominance is against it';
      return {
        kind: 'score',
        source: MOMENTUM_REGIME_SOURCE,
        value,
        horizonMs: bars * view.intervalMs,
        detail: {
          state,
          t,
          dominance: lead?.value ?? null,
          dominanceDeviation: lead?.deviation ?? null,
          why,
        },
      };
    },
  });
}

function leadOf(view: View, memory: DominanceMemory, config: MomentumRegimeConfig): Dominance | null {
  const { leader, others } = config.dominance!;
  const frames = others.map((id) => view.peer(id));
  return followDominance(memory, view.frame, view.peer(leader), frames, config);
}
