import { InputError } from '#base';
import { isOpen } from '#market';
import type { Objection } from './decision.ts';
import { type Gate, gate } from './pooling.ts';

/** An objection for a measure that is not there: what cannot be measured does not pass. */
function unmeasured(by: string, what: string): Objection {
  return { by, reason: `${what} is not defined yet` };
}

function positive(name: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InputError(`${name}: ${value} is not a positive number`, 'use a positive number');
  }
}

/** Passes when the pooled confidence is at least `min`. */
export function minConfidence(min: number, name = 'min-confidence'): Gate<never> {
  if (!(min >= 0 && min <= 1))
    throw new InputError(`${name}: ${min} is not within 0..1`, 'use a confidence such as 0.6');
  return gate({
    name,
    features: {},
    check: ({ confidence }) =>
      confidence >= min
        ? null
        : {
            by: name,
            reason: 'confidence is too low',
            measured: confidence,
            needed: min,
            relation: '>=',
            unit: 'confidence',
          },
  });
}

/** Sigma's entry threshold on the final confidence. */
export function entryThreshold(min = 0.6): Gate<never> {
  return minConfidence(min, 'entry-threshold');
}

/** Passes when the bar's volume is at least `shareMin` of the mean of the last `bars` volumes, this one included. */
export function thinVolume(shareMin = 0.2, bars = 20): Gate<never> {
  positive('thin-volume', shareMin);
  return gate({
    name: 'thin-volume',
    features: { mean: `volume_mean:${bars}` },
    check: (_pooled, { volume }, { mean }) => {
      if (!Number.isFinite(volume + mean)) return unmeasured('thin-volume', 'volume');
      // a market without any volume is thin
      const measured = mean > 0 ? volume / mean : 0;
      if (measured >= shareMin) return null;
      const reason = 'volume is thin';
      return { by: 'thin-volume', reason, measured, needed: shareMin, relation: '>=', unit: 'of its mean' };
    },
  });
}

/** Passes while annualised Garman-Klass volatility of 20 bars is at most `max`; 105,120 five-minute bars a year. */
export function maxVolatility(max = 0.8, barsPerYear = 105_120): Gate<never> {
  positive('max-volatility', max);
  return gate({
    name: 'max-volatility',
    features: { gk: `gk:20:${barsPerYear}/annual` },
    check: (_pooled, _view, { gk }) => {
      if (gk <= max) return null;
      if (!Number.isFinite(gk)) return unmeasured('max-volatility', 'volatility');
      const reason = 'volatility is too high';
      return { by: 'max-volatility', reason, measured: gk, needed: max, relation: '<=', unit: 'a year' };
    },
  });
}

/** Passes with a trend (ADX at least `adxMin`) or a stretched price (|Z| at least `zMin`). */
export function trendOrStretch(adxMin = 15, zMin = 0.5): Gate<never> {
  positive('trend-or-stretch', adxMin);
  positive('trend-or-stretch', zMin);
  return gate({
    name: 'trend-or-stretch',
    features: { adx: 'adx:14', z: 'zscore:20' },
    check: (_pooled, _view, { adx, z }) => {
      if (!Number.isFinite(adx + z)) return unmeasured('trend-or-stretch', 'trend or stretch');
      const stretch = Math.abs(z);
      if (adx >= adxMin || stretch >= zMin) return null;
      // the relatively smaller step is the one that would have let it pass
      return adx / adxMin >= stretch / zMin
        ? {
            by: 'trend-or-stretch',
            reason: 'no trend and no stretch',
            measured: adx,
            needed: adxMin,
            relation: '>=',
            unit: 'ADX',
          }
        : {
            by: 'trend-or-stretch',
            reason: 'no trend and no stretch',
            measured: stretch,
            needed: zMin,
            relation: '>=',
            unit: '|Z|',
          };
    },
  });
}

export interface SessionOpenConfig {
  /** No entry in the first and in the last so many ms of a session. */
  readonly afterOpenMs?: number;
  readonly beforeCloseMs?: number;
}

/** Passes while the instrument's own calendar is open, optionally away from the ends of the session. */
export function sessionOpen(config: SessionOpenConfig = {}): Gate<never> {
  const { afterOpenMs = 0, beforeCloseMs = 0 } = config;
  if (!(afterOpenMs >= 0 && beforeCloseMs >= 0)) {
    throw new InputError('session-open: a margin is negative', 'use milliseconds from 0 up');
  }
  return gate({
    name: 'session-open',
    veto: true,
    features: {},
    check: (_pooled, { at, instrument: { calendar } }) => {
      if (!isOpen(calendar, at)) return { by: 'session-open', reason: `${calendar} is closed` };
      if (afterOpenMs > 0 && !isOpen(calendar, at - afterOpenMs)) {
        return { by: 'session-open', reason: `${calendar} has only just opened` };
      }
      if (beforeCloseMs > 0 && !isOpen(calendar, at + beforeCloseMs)) {
        return { by: 'session-open', reason: `${calendar} closes soon` };
      }
      return null;
    },
  });
}
