import { Chance, numberToSteps, power10, stepsToNumber } from '#base';
import type { Side } from '#ledger';
import { type Instrument, RATE_ONE } from '#market';
import type { PriceBand, SimulatedVenueOptions } from './venue-options.ts';
import type { Track, VenueOrder } from './venue-state.ts';

/** Price of whole ticks as a float. */
export const priceOf = (instrument: Instrument, ticks: number): number =>
  stepsToNumber(ticks, instrument.tick);

/** A price this near to a tick, as a share of itself, is that tick: the grid is finer than what was recorded. */
const ON_GRID = 1e-8;

/** A price as ticks, rounded against a taker: buys up, sells down, never below one tick. */
export function ticksAgainst(instrument: Instrument, price: number, side: Side): number {
  const nearest = numberToSteps(price, instrument.tick, 'half-away');
  if (nearest >= 1 && Math.abs(priceOf(instrument, nearest) - price) <= ON_GRID * price) return nearest;
  if (side === 'buy') return numberToSteps(price, instrument.tick, 'ceil');
  return Math.max(1, numberToSteps(price, instrument.tick, 'floor'));
}

/** Units (as volumes and sizes are recorded) of one lot. Inverse contracts are recorded in contracts. */
export function unitsPerLot(instrument: Instrument): number {
  const lot = instrument.lot.units / power10(instrument.lot.scale);
  if (instrument.kind === 'inverse-perpetual') return lot;
  return (lot * instrument.contractSize.units) / power10(instrument.contractSize.scale);
}

/** Whole lots in `units`, floored; what is more than any order can hold counts as 2^53 - 1. */
export function lotsIn(instrument: Instrument, units: number): number {
  const lots = units / unitsPerLot(instrument);
  if (!(lots < Number.MAX_SAFE_INTEGER)) return lots > 0 ? Number.MAX_SAFE_INTEGER : 0;
  const nearest = Math.round(lots);
  if (Math.abs(lots - nearest) <= Math.max(1e-6, lots * 4 * Number.EPSILON)) return Math.max(0, nearest);
  return Math.max(0, Math.floor(lots));
}

/**
 * Square-root impact as a fraction of price: half spread + k * sigma * sqrt(share), share = q/V
 * (Torre 1997). `impactRate(0.0001, 0.5, 0.002, 0.04)` is 0.0003.
 */
export function impactRate(halfSpread: number, k: number, sigma: number, share: number): number {
  return halfSpread + k * sigma * Math.sqrt(share);
}

/** Sample deviation (ddof 1) of simple returns and mean volume over the ring; null below two returns. */
export function recentBars(track: Track): { sigma: number; meanVolume: number } | null {
  const window = track.closes.length;
  const n = Math.min(track.bars, window);
  if (n < 3) return null;
  let sum = 0;
  let volume = 0;
  const first = track.bars - n;
  const at = (i: number) => track.closes[(first + i) % window]!;
  for (let i = 0; i < n; i++) volume += track.volumes[(first + i) % window]!;
  for (let i = 1; i < n; i++) sum += at(i) / at(i - 1) - 1;
  const mean = sum / (n - 1);
  let squares = 0;
  for (let i = 1; i < n; i++) squares += (at(i) / at(i - 1) - 1 - mean) ** 2;
  return { sigma: Math.sqrt(squares / (n - 2)), meanVolume: volume / n };
}

/** What `lots` of this order lose by slippage, as a fraction of price. A market without volume counts as q = V. */
export function slippageRate(
  options: SimulatedVenueOptions,
  track: Track,
  instrument: Instrument,
  order: VenueOrder,
  lots: number,
): number {
  const { slippage, noise } = options;
  let rate = 0;
  if (slippage.kind === 'fixed') rate = slippage.rate / RATE_ONE;
  else if (slippage.kind === 'impact') {
    rate = slippage.halfSpreadRate / RATE_ONE;
    const recent = recentBars(track);
    if (recent) {
      const share = recent.meanVolume > 0 ? (lots * unitsPerLot(instrument)) / recent.meanVolume : 1;
      rate = impactRate(rate, slippage.k, recent.sigma, share);
    }
  }
  if (noise && rate > 0) {
    const draw = new Chance(`${options.seed}/slip/${order.request.clientId}/${order.fills.length}`);
    rate *= noise.slippageFrom + (noise.slippageTo - noise.slippageFrom) * draw.uniform();
  }
  return rate;
}

/** A taker's price in ticks: slipped, rounded against us, inside what the contract can cost and the price band. */
export function takerTicks(
  instrument: Instrument,
  price: number,
  side: Side,
  rate: number,
  band: PriceBand | null,
): number {
  let ticks = ticksAgainst(instrument, side === 'buy' ? price * (1 + rate) : price * (1 - rate), side);
  if (instrument.payoutTicks !== null) ticks = Math.min(ticks, instrument.payoutTicks);
  if (band) ticks = Math.min(Math.max(ticks, band.lowTicks), band.highTicks);
  return ticks;
}

/** The better of two prices for us. */
export const betterTicks = (side: Side, a: number, b: number): number =>
  side === 'buy' ? Math.min(a, b) : Math.max(a, b);
