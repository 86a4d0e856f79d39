import { InputError } from '#base';
import type { Signal } from '../signal.ts';
import { type Source, source } from '../source.ts';
import { type SigmaReadings, sigmaFeaturesFor, sigmaGuards } from './sigma-readings.ts';

export type SigmaAction = 'ENTER_LONG' | 'ENTER_SHORT' | 'WAIT';

export interface SigmaCategories {
  readonly momentum: number;
  readonly trend: number;
  readonly volatility: number;
  readonly volume: number;
  readonly meanReversion: number;
  readonly probability: number;
}

/** Each in -1..1; ATR and Garman-Klass carry no direction and are not members. */
export interface SigmaMembers {
  readonly rsi: number;
  readonly stochastic: number;
  readonly cci: number;
  readonly macd: number;
  readonly ema: number;
  readonly bollinger: number;
  readonly obv: number;
  readonly mfi: number;
  readonly vwap: number;
  readonly z: number;
  readonly bollingerExtremes: number;
  readonly monteCarlo: number;
}

export interface SigmaV1Score {
  readonly members: SigmaMembers;
  readonly categories: SigmaCategories;
  /** Weighted sum of the categories. */
  readonly raw: number;
  /** Damping by volatility, 0.5..1 by default. */
  readonly factor: number;
  readonly adjusted: number;
  /** Stated strength 0..1, not a win rate. */
  readonly confidence: number;
  readonly action: SigmaAction;
}

export interface SigmaV1Config {
  readonly weights: SigmaCategories;
  /** |adjusted| from which on an entry is wanted. */
  readonly entry: number;
  readonly confidencePerScore: number;
  /** Annualised Garman-Klass volatility at which the damping is full. */
  readonly volatilityFull: number;
  /** Share of the score that full volatility takes away. */
  readonly damping: number;
  readonly cciScale: number;
  /** MACD histogram is measured in this many ATR. */
  readonly macdAtr: number;
  readonly slopeScale: number;
  /** Silent on fewer bars. */
  readonly barsMin: number;
  readonly horizonBars: number;
  /** For the annualised volatility; 105,120 five-minute bars. */
  readonly barsPerYear: number;
  /** Keep the twelve members in the signal's detail, not only the six categories. */
  readonly keepMembers: boolean;
}

export const SIGMA_V1: SigmaV1Config = Object.freeze({
  weights: Object.freeze({
    momentum: 0.25,
    trend: 0.2,
    volatility: 0.15,
    volume: 0.1,
    meanReversion: 0.2,
    probability: 0.1,
  }),
  entry: 0.2,
  confidencePerScore: 2.5,
  volatilityFull: 0.8,
  damping: 0.5,
  cciScale: 150,
  macdAtr: 0.5,
  slopeScale: 5,
  barsMin: 200,
  horizonBars: 12,
  barsPerYear: 105_120,
  keepMembers: false,
});

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A score whose parts a source writes over bar by bar: thirty boxed numbers a bar would cost more than the score. */
interface ScoreInWork extends Omit<Mutable<SigmaV1Score>, 'members' | 'categories'> {
  readonly members: Mutable<SigmaMembers>;
  readonly categories: Mutable<SigmaCategories>;
}

function emptyScore(): ScoreInWork {
  const none = Number.NaN;
  return {
    members: {
      rsi: none,
      stochastic: none,
      cci: none,
      macd: none,
      ema: none,
      bollinger: none,
      obv: none,
      mfi: none,
      vwap: none,
      z: none,
      bollingerExtremes: none,
      monteCarlo: none,
    },
    categories: {
      momentum: none,
      trend: none,
      volatility: none,
      volume: none,
      meanReversion: none,
      probability: none,
    },
    raw: none,
    factor: none,
    adjusted: none,
    confidence: none,
    action: 'WAIT',
  };
}

/** The six categories pooled: also what the published samples are checked against. */
export function pooledScore(
  categories: SigmaCategories,
  gkAnnual: number,
  config: SigmaV1Config = SIGMA_V1,
): Pick<SigmaV1Score, 'raw' | 'factor' | 'adjusted' | 'confidence' | 'action'> {
  const out = emptyScore();
  pool(out, categories, gkAnnual, config);
  const { raw, factor, adjusted, confidence, action } = out;
  return { raw, factor, adjusted, confidence, action };
}

function pool(out: ScoreInWork, categories: SigmaCategories, gkAnnual: number, config: SigmaV1Config): void {
  const w = config.weights;
  out.raw =
    w.momentum * categories.momentum +
    w.trend * categories.trend +
    w.volatility * categories.volatility +
    w.volume * categories.volume +
    w.meanReversion * categories.meanReversion +
    w.probability * categories.probability;
  // Math.min and Math.max keep NaN
  out.factor = 1 - config.damping * Math.min(1, Math.max(0, gkAnnual / config.volatilityFull));
  const adjusted = out.raw * out.factor;
  out.adjusted = adjusted;
  out.confidence = Math.min(1, config.confidencePerScore * Math.abs(adjusted));
  out.action = adjusted >= config.entry ? 'ENTER_LONG' : adjusted <= -config.entry ? 'ENTER_SHORT' : 'WAIT';
}

/** -tanh(2 (x - 50) / 50): an oscillator of 0..100 read against the move. */
export function contrarian(points: number): number {
  return -Math.tanh((points - 50) / 25);
}

/** Sign of a - b. */
function side(a: number, b: number): number {
  return a > b ? 1 : a < b ? -1 : 0;
}

/**
 * Sigma's probabilistic score of one bar, or null when a reading is undefined or infinite. Contrarian members answer
 * against the move, trend members with it. %B is read as 0.5 while the bands have no width, and an ATR of 0 silences
 * the members that divide by it; for the other neutral values see {@link sigmaGuards}.
 */
export function scoreV1(
  close: number,
  readings: SigmaReadings,
  config: SigmaV1Config = SIGMA_V1,
): SigmaV1Score | null {
  const out = emptyScore();
  return scoreInto(out, close, readings, config) ? out : null;
}

/** {@link scoreV1} into an object that is there already; false where that gives null. */
function scoreInto(out: ScoreInWork, close: number, readings: SigmaReadings, config: SigmaV1Config): boolean {
  // each reading is taken once: it may be a live view on a frame
  const { rsi, stochK, cci, macdHist, atr, ema9, ema20, ema50, ema200, bbWidth, bbWidthMedian } = readings;
  const { slopePercent, obvSlope, obvR2, mfi, vwap, z, pUp, gkAnnual } = readings;
  const percentB = bbWidth === 0 ? 0.5 : readings.percentB;
  const sum =
    close +
    rsi +
    stochK +
    cci +
    macdHist +
    atr +
    ema9 +
    ema20 +
    ema50 +
    ema200 +
    bbWidth +
    bbWidthMedian +
    percentB +
    slopePercent +
    obvSlope +
    obvR2 +
    mfi +
    vwap +
    z +
    pUp +
    gkAnnual;
  if (sum - sum !== 0) return false;
  const stack = side(close, ema9) + side(ema9, ema20) + side(ema20, ema50) + side(ema50, ema200);
  const { members, categories } = out;
  members.rsi = contrarian(rsi);
  members.stochastic = contrarian(stochK);
  members.cci = -Math.tanh(cci / config.cciScale);
  members.macd = atr > 0 ? Math.tanh(macdHist / atr / config.macdAtr) : 0;
  members.ema = stack / 4;
  members.bollinger = bbWidth > bbWidthMedian ? Math.tanh(slopePercent * config.slopeScale) : 0;
  members.obv = obvSlope > 0 ? obvR2 : obvSlope < 0 ? -obvR2 : 0;
  members.mfi = contrarian(mfi);
  members.vwap = atr > 0 ? -Math.tanh((close - vwap) / atr / 2) : 0;
  members.z = -Math.tanh(z / 2);
  members.bollingerExtremes = percentB < 0 ? 1 : percentB > 1 ? -1 : 0.5 - percentB;
  members.monteCarlo = 2 * pUp - 1;
  categories.momentum = (members.rsi + members.stochastic + members.cci) / 3;
  categories.trend = (members.macd + members.ema) / 2;
  categories.volatility = members.bollinger;
  categories.volume = (members.obv + members.mfi + members.vwap) / 3;
  categories.meanReversion = (members.z + members.bollingerExtremes) / 2;
  categories.probability = members.monteCarlo;
  pool(out, categories, gkAnnual, config);
  return true;
}

/** `changes` over the sheet's configuration; refuses numbers that make no score. */
export function sigmaV1Config(changes: Partial<SigmaV1Config> = {}): SigmaV1Config {
  const config = { ...SIGMA_V1, ...changes };
  const weights = Object.values(config.weights);
  if (!weights.every((w) => w >= 0 && w <= 1) || weights.reduce((a, b) => a + b, 0) > 1 + 1e-9) {
    throw new InputError(
      'sigma-v1: category weights must lie in 0..1 and sum to at most 1',
      'lower the weights',
    );
  }
  const { entry, confidencePerScore, volatilityFull, damping, cciScale, macdAtr, horizonBars, barsMin } =
    config;
  const positive = [entry, confidencePerScore, volatilityFull, cciScale, macdAtr, horizonBars, barsMin];
  if (!positive.every((x) => x > 0 && Number.isFinite(x))) {
    throw new InputError(
      'sigma-v1: thresholds, scales and bar counts must be positive numbers',
      'correct them',
    );
  }
  if (!(damping >= 0 && damping <= 1)) {
    throw new InputError(`sigma-v1: damping ${damping} is not within 0..1`, 'use 0.5 as the sheet does');
  }
  return Object.freeze(config);
}

/**
 * Sigma V1 as a source. Silent on fewer than 200 bars or when a reading is undefined; otherwise a Score whose value
 * is the adjusted score, with the action (WAIT included), raw score, factor and categories in its detail.
 */
export function sigmaV1(changes: Partial<SigmaV1Config> = {}): Source {
  const config = sigmaV1Config(changes);
  const score = emptyScore();
  return source({
    name: 'sigma-v1',
    emits: 'score',
    features: sigmaFeaturesFor(config.barsPerYear),
    signal: (view, values): Signal | null => {
      if (view.count < config.barsMin) return null;
      if (!scoreInto(score, view.close, sigmaGuards(view.frame.bars, values), config)) return null;
      const { adjusted, confidence, action, raw, factor, categories: c } = score;
      const detail = {
        action,
        raw,
        factor,
        momentum: c.momentum,
        trend: c.trend,
        volatility: c.volatility,
        volume: c.volume,
        meanReversion: c.meanReversion,
        probability: c.probability,
      };
      return {
        kind: 'score',
        source: 'sigma-v1',
        value: Math.max(-1, Math.min(1, adjusted)),
        confidence,
        horizonMs: config.horizonBars * view.intervalMs,
        detail: config.keepMembers ? { ...detail, ...withPrefix(score.members) } : detail,
      };
    },
  });
}

/** Members as `member.rsi` and so on: their names would meet those of the categories. */
function withPrefix(members: SigmaMembers): Record<string, number> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`member.${name}`, value]));
}
