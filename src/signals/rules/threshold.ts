import { InputError } from '#base';
import { columnarSources } from '../columnar.ts';
import { type Source, source } from '../source.ts';

/** A side of a threshold; the threshold itself does not count. */
export interface Zone {
  readonly above?: number;
  readonly below?: number;
}

export interface ThresholdConfig {
  /** A feature expression such as `rsi:14`. */
  readonly feature: string;
  readonly long?: Zone;
  readonly short?: Zone;
  /** `entering` (default) speaks on the bar that enters a zone, `inside` on every bar within it. */
  readonly when?: 'entering' | 'inside';
  readonly name?: string;
  readonly horizonBars?: number;
}

interface ThresholdState {
  /** Zone of the last defined value; null before the first. */
  zone: 1 | 0 | -1 | null;
}

function isIn(zone: Zone | undefined, value: number): boolean {
  if (zone === undefined) return false;
  return (zone.above === undefined || value > zone.above) && (zone.below === undefined || value < zone.below);
}

function checkZone(name: string, side: string, zone: Zone | undefined): void {
  if (zone === undefined) return;
  const bounds = [zone.above, zone.below].filter((x) => x !== undefined);
  const empty = zone.above !== undefined && zone.below !== undefined && zone.above >= zone.below;
  if (bounds.length === 0 || empty || !bounds.every(Number.isFinite)) {
    throw new InputError(
      `${name}: the ${side} zone holds no value or every value`,
      'give a finite above or below',
    );
  }
}

/**
 * Score +1 in the long zone of one feature, -1 in its short zone, for example RSI below 30 and above 70. The first
 * defined value enters no zone. A value in both zones is silent.
 */
export function thresholdSource(config: ThresholdConfig): Source {
  const { feature, long, short, when = 'entering', name = 'threshold', horizonBars = 20 } = config;
  if (long === undefined && short === undefined) {
    throw new InputError(`${name}: no zone is given`, 'give long, short or both');
  }
  checkZone(name, 'long', long);
  checkZone(name, 'short', short);
  if (!(horizonBars > 0))
    throw new InputError(`${name}: horizonBars ${horizonBars} is not positive`, 'use 20');
  const zoneOf = (value: number): 1 | 0 | -1 => {
    const inLong = isIn(long, value);
    return inLong === isIn(short, value) ? 0 : inLong ? 1 : -1;
  };
  const made = source({
    name,
    emits: 'score',
    features: { value: feature },
    state: (): ThresholdState => ({ zone: null }),
    signal: (view, { value }, state) => {
      if (!Number.isFinite(value)) return null;
      const zone = zoneOf(value);
      const before = state.zone;
      state.zone = zone;
      if (zone === 0 || (when === 'entering' && (before === null || before === zone))) return null;
      return { kind: 'score', source: name, value: zone, horizonMs: horizonBars * view.intervalMs };
    },
    speaksAt: ({ value }, from, to, { zone }) => {
      for (let row = from; row < to; row++) {
        if (!Number.isFinite(value[row]!)) continue;
        const now = zoneOf(value[row]!);
        if (now !== zone || (now !== 0 && when === 'inside')) return row;
      }
      return to;
    },
  });
  const zones = { long: long ?? null, short: short ?? null };
  return columnarSources.describe(made, { kind: 'threshold', feature, ...zones, when });
}
