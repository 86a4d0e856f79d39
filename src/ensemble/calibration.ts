import { assert, broken } from '#base';
import type { Forecast, Signal } from '#signals';

/**
 * From what a source states to what has been observed; learned in learning/, applied here. Plain data.
 * `platt`: P = 1 / (1 + exp(-(a x + b))), where x is a score's value or the log-odds of a stated probability
 * (Platt 1999). `steps`: P by linear interpolation between knots of rising x (for isotonic fits), constant beyond
 * them, where x is a score's value or a stated probability.
 */
export type Calibration =
  | { readonly kind: 'platt'; readonly a: number; readonly b: number }
  | { readonly kind: 'steps'; readonly x: readonly number[]; readonly p: readonly number[] };

/** Calibration per source name. */
export type Calibrations = Readonly<Record<string, Calibration>>;

export const NO_CALIBRATIONS: Calibrations = Object.freeze({});

/** Stated probabilities are kept this far from 0 and 1 before their log-odds are taken. */
const EDGE = 1e-9;

/** 1 / (1 + exp(-x)) without overflow. */
export function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** ln(p / (1 - p)); infinite at 0 and 1. */
export function logit(p: number): number {
  return Math.log(p) - Math.log1p(-p);
}

/** The observed frequency that belongs to a stated score or probability. */
export function calibratedProbability(calibration: Calibration, signal: Signal): number {
  if (!(signal.kind !== 'proposal')) broken(`${signal.source} proposes; a proposal has no probability`);
  const stated = signal.kind === 'score' ? signal.value : signal.probability;
  if (calibration.kind === 'platt') {
    const x = signal.kind === 'score' ? stated : logit(Math.min(1 - EDGE, Math.max(EDGE, stated)));
    return logistic(calibration.a * x + calibration.b);
  }
  return interpolate(calibration.x, calibration.p, stated);
}

function interpolate(xs: readonly number[], ps: readonly number[], x: number): number {
  assert(xs.length > 0 && xs.length === ps.length, 'a calibration needs as many values as knots');
  const last = xs.length - 1;
  if (!(x > xs[0]!)) return ps[0]!;
  if (x >= xs[last]!) return ps[last]!;
  let i = 1;
  while (xs[i]! < x) i++;
  const left = xs[i - 1]!;
  const share = (x - left) / (xs[i]! - left);
  return ps[i - 1]! + share * (ps[i]! - ps[i - 1]!);
}

/**
 * The signal as its calibration reads it: a Score becomes a Forecast "up at the horizon", a Forecast gets its
 * observed probability. Without a calibration, and for proposals, the signal is returned as it is.
 */
export function calibrated(signal: Signal, calibrations: Calibrations): Signal {
  const calibration = calibrations[signal.source];
  if (calibration === undefined || signal.kind === 'proposal') return signal;
  const { source, horizonMs } = signal;
  const forecast: Forecast = {
    kind: 'forecast',
    source,
    claim: signal.kind === 'forecast' ? signal.claim : 'up-at-horizon',
    probability: calibratedProbability(calibration, signal),
    horizonMs,
  };
  return signal.detail === undefined ? forecast : { ...forecast, detail: signal.detail };
}
