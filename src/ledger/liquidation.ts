import { power10, stepsToNumber } from '#base';
import type { Instrument, MarginTier } from '#market';
import { isPerpetual } from './apply-fill.ts';

const NO_TIERS: readonly MarginTier[] = [
  { maxNotional: null, maintenanceRate: 0, maintenanceAmount: 0, maxLeverage: 1 },
];

/** The maintenance tier that holds `notional` minor units; a notional on a border belongs to the lower tier. */
export function maintenanceTier(instrument: Instrument, notional: number): MarginTier {
  const tiers = instrument.marginTiers.length > 0 ? instrument.marginTiers : NO_TIERS;
  for (const tier of tiers) if (tier.maxNotional === null || notional <= tier.maxNotional) return tier;
  return tiers[tiers.length - 1]!;
}

/**
 * The notional N at which an isolated position meets its maintenance margin, in minor units, or null when it never
 * does. With cost C, margin m, maintenance rate r and amount a of the tier that holds N itself: where losses come with
 * a falling notional (linear long, inverse short) m + N - C = rN - a, else m + C - N = rN - a. Where a border without
 * a joining amount leaves no such tier the border is met first.
 */
function liquidationNotional(
  tiers: readonly MarginTier[],
  cost: number,
  margin: number,
  falls: boolean,
): number | null {
  for (let step = 0; step < tiers.length; step++) {
    const i = falls ? tiers.length - 1 - step : step;
    const tier = tiers[i]!;
    const rate = tier.maintenanceRate / 1e8;
    const low = i === 0 ? 0 : (tiers[i - 1]!.maxNotional ?? 0);
    const last = i === tiers.length - 1; // judges all that lies beyond its end, too
    const high = last ? Number.POSITIVE_INFINITY : (tier.maxNotional ?? Number.POSITIVE_INFINITY);
    if (falls) {
      const root = (cost - margin - tier.maintenanceAmount) / (1 - rate);
      if (root > low) return Math.min(root, high);
    } else {
      const root = (cost + margin + tier.maintenanceAmount) / (1 + rate);
      if (root <= high) return Math.max(root, low);
    }
  }
  return null;
}

function ticksAtNotional(instrument: Instrument, lots: number, notional: number): number {
  const { valueNumerator: n, valueDenominator: d } = instrument;
  return instrument.kind === 'inverse-perpetual' ? (lots * n) / d / notional : (notional / lots / n) * d;
}

/**
 * Ticks (a float) at which an isolated perpetual position is liquidated, null when it cannot be. `lots` signed,
 * `cost` and `margin` in minor units; fees are ignored.
 */
export function liquidationTicksOf(
  instrument: Instrument,
  lots: number,
  cost: number,
  margin: number,
): number | null {
  if (!isPerpetual(instrument) || lots === 0) return null;
  const tiers = instrument.marginTiers.length > 0 ? instrument.marginTiers : NO_TIERS;
  const falls = lots > 0 !== (instrument.kind === 'inverse-perpetual');
  const notional = liquidationNotional(tiers, cost, margin, falls);
  if (notional === null || !(notional > 0)) return null;
  const ticks = ticksAtNotional(instrument, Math.abs(lots), notional);
  return Number.isFinite(ticks) && ticks > 0 ? ticks : null;
}

/**
 * Price at which a position of `lots` (signed) opened at `entryPrice` with `leverage` would be liquidated, null when
 * it cannot be. For one tier: long Pe (1 - 1/L) / (1 - mmr), short Pe (1 + 1/L) / (1 + mmr).
 */
export function liquidationPrice(
  instrument: Instrument,
  lots: number,
  entryPrice: number,
  leverage: number,
): number | null {
  if (lots === 0 || !(entryPrice > 0) || !(leverage > 0)) return null;
  const entryTicks = (entryPrice * power10(instrument.tick.scale)) / instrument.tick.units;
  const { valueNumerator: n, valueDenominator: d } = instrument;
  const size = (Math.abs(lots) * n) / d;
  const cost = instrument.kind === 'inverse-perpetual' ? size / entryTicks : size * entryTicks;
  const ticks = liquidationTicksOf(instrument, lots, cost, cost / leverage);
  return ticks === null ? null : stepsToNumber(ticks, instrument.tick);
}

/** Nearest whole tick on the side of an earlier liquidation: up for longs, down for shorts. */
export function wholeLiquidationTicks(ticks: number, lots: number): number {
  const nearest = Math.round(ticks);
  if (Math.abs(ticks - nearest) <= Math.max(1e-6, ticks * 1e-12)) return nearest;
  return lots > 0 ? Math.ceil(ticks) : Math.floor(ticks);
}
