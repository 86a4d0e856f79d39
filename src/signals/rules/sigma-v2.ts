import { InputError } from '#base';
import type { Signal, SignalDetail } from '../signal.ts';
import { type Source, source } from '../source.ts';
import { type SigmaReadings, sigmaFeaturesFor, sigmaGuards } from './sigma-readings.ts';

/** Thresholds of the ten rules. A reading on a threshold is neutral. */
export interface SigmaV2Config {
  readonly rsiLow: number;
  readonly rsiHigh: number;
  readonly stochLow: number;
  readonly stochHigh: number;
  /** |MACD histogram| must exceed this many ATR. */
  readonly macdAtr: number;
  readonly cciLow: number;
  readonly cciHigh: number;
  readonly mfiLow: number;
  readonly mfiHigh: number;
  readonly zLow: number;
  readonly zHigh: number;
  /** The close must stand off VWAP by more than this many ATR. */
  readonly vwapAtr: number;
  readonly pUpHigh: number;
  readonly pUpLow: number;
  readonly barsMin: number;
  readonly horizonBars: number;
  /** Only shared with V1, so that both ask for the same features. */
  readonly barsPerYear: number;
}

export const SIGMA_V2: SigmaV2Config = Object.freeze({
  rsiLow: 30,
  rsiHigh: 70,
  stochLow: 20,
  stochHigh: 80,
  macdAtr: 0.1,
  cciLow: -100,
  cciHigh: 100,
  mfiLow: 20,
  mfiHigh: 80,
  zLow: -2,
  zHigh: 2,
  vwapAtr: 0.5,
  pUpHigh: 0.6,
  pUpLow: 0.4,
  barsMin: 200,
  horizonBars: 12,
  barsPerYear: 105_120,
});

/** The rules in the sheet's order; bit i of a mask is rule i. */
export const SIGMA_RULES = [
  'rsi',
  'stochastic',
  'macd',
  'ema',
  'bollinger',
  'cci',
  'mfi',
  'z',
  'vwap',
  'monte-carlo',
] as const;

export type SigmaRule = (typeof SIGMA_RULES)[number];

/** Votes of the ten rules: which say long and which say short, as masks and as counts. */
export interface SigmaV2Votes {
  readonly long: number;
  readonly short: number;
  readonly longRules: number;
  readonly shortRules: number;
}

function bits(mask: number): number {
  let n = 0;
  for (let m = mask; m !== 0; m &= m - 1) n++;
  return n;
}

/**
 * The ten rules on one bar. An undefined reading is neutral. VWAP and the EMA stack vote with the trend, the
 * oscillators against an extreme.
 */
export function voteV2(close: number, r: SigmaReadings, config: SigmaV2Config = SIGMA_V2): SigmaV2Votes {
  // each reading is taken once: it may be a live view on a frame
  const { rsi, stochK, cci, macdHist, atr, ema9, ema20, ema50, percentB, mfi, vwap, z, pUp } = r;
  let long = 0;
  let short = 0;
  if (rsi < config.rsiLow) long |= 1;
  else if (rsi > config.rsiHigh) short |= 1;
  if (stochK < config.stochLow) long |= 2;
  else if (stochK > config.stochHigh) short |= 2;
  const hist = config.macdAtr * atr;
  if (macdHist > hist) long |= 4;
  else if (macdHist < -hist) short |= 4;
  if (ema9 > ema20 && ema20 > ema50) long |= 8;
  else if (ema9 < ema20 && ema20 < ema50) short |= 8;
  if (percentB < 0) long |= 16;
  else if (percentB > 1) short |= 16;
  if (cci < config.cciLow) long |= 32;
  else if (cci > config.cciHigh) short |= 32;
  if (mfi < config.mfiLow) long |= 64;
  else if (mfi > config.mfiHigh) short |= 64;
  if (z < config.zLow) long |= 128;
  else if (z > config.zHigh) short |= 128;
  const off = config.vwapAtr * atr;
  if (close - vwap > off) long |= 256;
  else if (vwap - close > off) short |= 256;
  if (pUp > config.pUpHigh) long |= 512;
  else if (pUp < config.pUpLow) short |= 512;
  return { long: bits(long), short: bits(short), longRules: long, shortRules: short };
}

const WORDS: Record<SigmaRule, readonly [long: string, short: string]> = {
  rsi: ['RSI is oversold', 'RSI is overbought'],
  stochastic: ['Stochastic is oversold', 'Stochastic is overbought'],
  macd: ['MACD histogram is clearly positive', 'MACD histogram is clearly negative'],
  ema: ['EMA 9 > 20 > 50', 'EMA 9 < 20 < 50'],
  bollinger: ['close is below the lower band', 'close is above the upper band'],
  cci: ['CCI is oversold', 'CCI is overbought'],
  mfi: ['MFI is oversold', 'MFI is overbought'],
  z: ['close is far below its mean', 'close is far above its mean'],
  vwap: ['close is clearly above VWAP', 'close is clearly below VWAP'],
  'monte-carlo': ['simulated paths mostly rise', 'simulated paths mostly fall'],
};

export interface SigmaRuleVote {
  readonly rule: SigmaRule;
  readonly vote: 'LONG' | 'SHORT' | 'neutral';
  readonly text: string;
}

/** The ten votes in words, from the detail of a `sigma-v2` signal (or from {@link voteV2}). */
export function explainV2(detail: SignalDetail | SigmaV2Votes): readonly SigmaRuleVote[] {
  const longRules = Number(detail.longRules);
  const shortRules = Number(detail.shortRules);
  return SIGMA_RULES.map((rule, i) => {
    const bit = 1 << i;
    if (longRules & bit) return { rule, vote: 'LONG', text: WORDS[rule][0] };
    if (shortRules & bit) return { rule, vote: 'SHORT', text: WORDS[rule][1] };
    return { rule, vote: 'neutral', text: `${rule} is neutral` };
  });
}

/** `changes` over the sheet's thresholds; refuses pairs in which one reading would vote for both sides. */
export function sigmaV2Config(changes: Partial<SigmaV2Config> = {}): SigmaV2Config {
  const c = { ...SIGMA_V2, ...changes };
  const pairs = [
    [c.rsiLow, c.rsiHigh],
    [c.stochLow, c.stochHigh],
    [c.cciLow, c.cciHigh],
    [c.mfiLow, c.mfiHigh],
    [c.zLow, c.zHigh],
    [c.pUpLow, c.pUpHigh],
    [0, c.macdAtr],
    [0, c.vwapAtr],
    [1, c.barsMin],
    [1, c.horizonBars],
    [1, c.barsPerYear],
  ] as const;
  if (!pairs.every(([low, high]) => low <= high && Number.isFinite(low + high))) {
    throw new InputError(
      'sigma-v2: a threshold is no number, or a low one lies above its high one',
      'correct them',
    );
  }
  return Object.freeze(c);
}

/**
 * Sigma V2 as a source: value (long - short) / 10, counts and masks of the rules in its detail. Which of them
 * support and which conflict is judged by the pooling rule against V1's direction. Silent on fewer than 200 bars.
 */
export function sigmaV2(changes: Partial<SigmaV2Config> = {}): Source {
  const config = sigmaV2Config(changes);
  return source({
    name: 'sigma-v2',
    emits: 'score',
    features: sigmaFeaturesFor(config.barsPerYear),
    signal: (view, values): Signal | null => {
      if (view.count < config.barsMin) return null;
      const detail = voteV2(view.close, sigmaGuards(view.frame.bars, values), config);
      return {
        kind: 'score',
        source: 'sigma-v2',
        value: (detail.long - detail.short) / 10,
        horizonMs: config.horizonBars * view.intervalMs,
        detail: detail as SigmaV2Votes & SignalDetail,
      };
    },
  });
}
