import { type BarColumns, type InstrumentId, instrumentFor } from '#market';
import { type ColdCosts, type ColdData, type ColdPoint, type ColdRules, regimeAlong } from '#research';
import { QUARTER } from './trending-market.ts';

/** Rules of the fifteen-minute config of S1. */
export const COLD_RULES: ColdRules = {
  stopAtr: 1.5,
  targetAtr: 2.25,
  verticalBars: 12,
  probabilityMin: 0.55,
  leadMin: 0.1,
  regimeWeight: 0.25,
  modelWeight: 0.6,
  newsWeight: 0.15,
  scoreMin: 0.58,
  risk: 0.005,
  notionalMax: 3,
  participation: 0.1,
};

/** A model that is soon trained, with the sheet's lengths. */
export const COLD_POINT: ColdPoint = {
  rsi: 14,
  atr: 14,
  momentum: 20,
  maxDepth: 3,
  eta: 0.2,
  minChildWeight: 2,
  subsample: 0.8,
  rounds: 10,
};

export const COLD_COSTS: ColdCosts = { cash: 10_000 * 10 ** 8, feeRate: 0.00038, slippageRate: 0.0001 };

/** Quarters of an hour of BTC, without funding and news. */
export const coldDataOf = (bars: BarColumns): ColdData => ({
  instrument: instrumentFor('BTCUSDT.BINANCE-USDM' as InstrumentId),
  intervalMs: QUARTER,
  bars,
  fundingTilts: null,
  funding: null,
  ...regimeAlong(bars, null),
  news: null,
});
