import type { InstrumentId } from '#market';

/** Free numbers and words a source wants kept in the trace and shown to its pooling rule. */
export type SignalDetail = Readonly<Record<string, number | string | boolean | null>>;

interface FromSource {
  readonly source: string;
  readonly detail?: SignalDetail;
}

/** An opinion without a probability: -1 (short) .. 1 (long) over a horizon. */
export interface Score extends FromSource {
  readonly kind: 'score';
  readonly value: number;
  /** Stated strength 0..1; never a win rate. Defaults to |value|. */
  readonly confidence?: number;
  readonly horizonMs: number;
}

export type Claim = 'up-at-horizon' | 'target-before-stop' | 'resolves-yes';

/** A claim with a probability, scored later by one rule (Brier, log loss). */
export interface Forecast extends FromSource {
  readonly kind: 'forecast';
  readonly claim: Claim;
  /** 0..1 */
  readonly probability: number;
  readonly horizonMs: number;
}

export interface ProposedLeg {
  readonly instrument: InstrumentId;
  readonly side: 'buy' | 'sell';
  /** Size in units of the instrument (not lots). */
  readonly quantity: number;
  /** null is a market order. */
  readonly limitPrice: number | null;
  readonly postOnly?: boolean;
}

/** Legs from a desk that forecasts nothing: grid, market making, arbitrage, carry. Prices and money as floats. */
export interface Proposal extends FromSource {
  readonly kind: 'proposal';
  readonly legs: readonly ProposedLeg[];
  /** Expected profit in quote currency. */
  readonly expectedEdge: number;
  /** Worst loss in quote currency, positive. */
  readonly worstLoss: number;
}

export type Signal = Score | Forecast | Proposal;

function isHorizon(ms: number): boolean {
  return ms > 0 && Number.isFinite(ms);
}

/** Why a signal may not be used, or null: every number finite and in its range. */
export function signalFault(signal: Signal): string | null {
  switch (signal.kind) {
    case 'score':
      if (!(signal.value >= -1 && signal.value <= 1)) return `score ${signal.value} is not within -1..1`;
      if (signal.confidence !== undefined && !(signal.confidence >= 0 && signal.confidence <= 1)) {
        return `confidence ${signal.confidence} is not within 0..1`;
      }
      return isHorizon(signal.horizonMs) ? null : `horizon ${signal.horizonMs} ms is not a length of time`;
    case 'forecast':
      if (!(signal.probability >= 0 && signal.probability <= 1)) {
        return `probability ${signal.probability} is not within 0..1`;
      }
      return isHorizon(signal.horizonMs) ? null : `horizon ${signal.horizonMs} ms is not a length of time`;
    case 'proposal':
      return proposalFault(signal);
  }
}

function proposalFault({ expectedEdge, worstLoss, legs }: Proposal): string | null {
  if (!Number.isFinite(expectedEdge) || !(worstLoss >= 0 && Number.isFinite(worstLoss))) {
    return 'edge or worst loss is not a finite amount';
  }
  for (const { quantity, limitPrice } of legs) {
    if (!isAmount(quantity) || (limitPrice !== null && !isAmount(limitPrice))) {
      return 'a leg has a size or price that is not positive';
    }
  }
  return null;
}

function isAmount(value: number): boolean {
  return value > 0 && Number.isFinite(value);
}
