import { assert, broken, numberToSteps } from '#base';
import { type Instrument, notional } from '#market';
import { fillFlow } from './apply-fill.ts';
import type { Side } from './order.ts';

/** How a holding of a resolved binary claim is closed. */
export interface BinarySettlement {
  /** Side of the closing fill: longs are sold, shorts bought back at the payout. */
  readonly side: Side;
  readonly lots: number;
  /** 0 for a claim that lost, the instrument's `payoutTicks` for one that won. */
  readonly ticks: number;
  /** Cash received (negative when paid), minor units of settle. */
  readonly proceeds: number;
  /** Gross of fees, given the cost of the holding. */
  readonly realised: number;
}

/**
 * Settlement of `lots` (signed, not 0) held at `cost` minor units when the claim pays `payout` of 0..1 of its full
 * value. A payout between ticks is rounded against us. Pure.
 */
export function settleBinary(
  instrument: Instrument,
  lots: number,
  cost: number,
  payout: number,
): BinarySettlement {
  if (!(instrument.kind === 'binary' && instrument.payoutTicks !== null))
    broken(`${instrument.id} is no binary claim`);
  assert(lots !== 0, 'nothing to settle');
  if (!(payout >= 0 && payout <= 1)) broken(`payout outside 0..1: ${payout}`);
  const side = lots > 0 ? 'sell' : 'buy';
  const size = Math.abs(lots);
  const ticks = numberToSteps(
    payout * instrument.payoutTicks,
    { units: 1, scale: 0 },
    lots > 0 ? 'floor' : 'ceil',
  );
  const proceeds = fillFlow(instrument, side, size, ticks);
  return { side, lots: size, ticks, proceeds, realised: proceeds - (lots > 0 ? cost : 0 - cost) };
}

/** The most a holding of a binary claim can still lose, in minor units: what it was paid, or the payout less proceeds. */
export function binaryWorstLoss(instrument: Instrument, lots: number, cost: number): number {
  if (lots >= 0) return cost;
  return notional(instrument, instrument.payoutTicks ?? 0, -lots, 'ceil') - cost;
}
