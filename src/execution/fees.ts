import { type Instant, mulDiv, safe } from '#base';
import type { Liquidity } from '#ledger';
import { feesAt, type Instrument, notional, RATE_ONE } from '#market';
import type { FeeQuestion, SimulatedVenueOptions } from './venue-options.ts';

/** `rate` (1e-8) of the value of `lots` at `ticks`, rounded once and against us: paid up, rebates down. */
export function feeOn(instrument: Instrument, ticks: number, lots: number, rate: number): number {
  if (rate === 0 || ticks === 0 || lots === 0) return 0;
  if (instrument.valueDenominator === 1 && instrument.kind !== 'inverse-perpetual') {
    return mulDiv(notional(instrument, ticks, lots, 'ceil'), rate, RATE_ONE, 'ceil');
  }
  const inverse = instrument.kind === 'inverse-perpetual';
  const value = BigInt(lots) * BigInt(instrument.valueNumerator) * (inverse ? 1n : BigInt(ticks));
  const over = BigInt(instrument.valueDenominator) * (inverse ? BigInt(ticks) : 1n) * BigInt(RATE_ONE);
  const product = value * BigInt(rate);
  const floor = product / over;
  const up = product % over !== 0n && product > 0n ? floor + 1n : floor;
  return safe(Number(up));
}

function rateOf(
  options: SimulatedVenueOptions,
  instrument: Instrument,
  liquidity: Liquidity,
  at: Instant,
): number {
  if (liquidity === 'settlement') return 0;
  if (liquidity === 'liquidation' && typeof options.liquidationFeeRate === 'number') {
    return options.liquidationFeeRate;
  }
  const rates = options.feeOverride ?? feesAt(instrument, at);
  return liquidity === 'maker' ? rates.makerRate : rates.takerRate;
}

/** Fee of a fill in minor units of settle: the venue's own rule, else the dated schedule or its override. */
export function feeOf(options: SimulatedVenueOptions, question: FeeQuestion): number {
  const own = options.feeRule?.(question) ?? null;
  if (own !== null) return safe(own);
  const rate = rateOf(options, question.instrument, question.liquidity, question.at);
  return feeOn(question.instrument, question.ticks, question.lots, rate);
}
