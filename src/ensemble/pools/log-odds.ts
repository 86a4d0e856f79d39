import { InputError } from '#base';
import type { Signal, View } from '#signals';
import { logistic, logit } from '../calibration.ts';
import type { Pooled, PoolingRule, Weights } from '../pooling.ts';
import { bySource, checkRange, entering, ofKind, reaches, waiting, weightOf } from './inputs.ts';

export interface LogOddsConfig {
  readonly name?: string;
  /** Base weight per source, multiplied by the learned one; a source not named here weighs 1. */
  readonly weights?: Weights;
  /** Probabilities are kept within clip .. 1 - clip, so that nobody who is certain decides alone. */
  readonly clip?: number;
  /** Fewest sources of positive weight. */
  readonly sourcesMin?: number;
  /** Pooled probability from which on to enter long, and down to which to enter short; null never enters short. */
  readonly longFrom?: number;
  readonly shortTo?: number | null;
}

/**
 * Weighted mean of log-odds: P = logistic(sum w logit(clip(p)) / sum w) (Genest and Zidek 1986). Takes calibrated
 * forecasts of one claim. The only rules that state a probability are this one and `single`.
 */
export function logOddsPool(config: LogOddsConfig = {}): PoolingRule {
  const { name = 'log-odds', weights: base = {}, clip = 0.02, sourcesMin = 1, longFrom = 0.55 } = config;
  const shortTo = config.shortTo === undefined ? 1 - longFrom : config.shortTo;
  checkRange(name, 'clip', clip, 0, 0.49);
  checkRange(name, 'sourcesMin', sourcesMin, 1, 1000);
  checkRange(name, 'longFrom', longFrom, 0, 1);
  if (shortTo !== null) checkRange(name, 'shortTo', shortTo, 0, longFrom);
  return {
    name,
    takes: 'forecast',
    pool(signals: readonly Signal[], _view: View, learned: Weights): Pooled {
      const forecasts = bySource(ofKind(signals, 'forecast', name));
      let total = 0;
      let sum = 0;
      let sources = 0;
      for (const { source, probability, claim } of forecasts) {
        if (claim !== forecasts[0]!.claim) {
          throw new InputError(
            `${name}: ${source} claims "${claim}", ${forecasts[0]!.source} another thing`,
            'pool one claim',
          );
        }
        const weight = weightOf(base, source) * weightOf(learned, source);
        if (weight === 0) continue;
        sources += 1;
        total += weight;
        sum += weight * logit(Math.min(1 - clip, Math.max(clip, probability)));
      }
      if (sources < sourcesMin) {
        const reason = 'too few sources answered';
        return waiting(reason, [
          { by: name, reason, measured: sources, needed: sourcesMin, relation: '>=', unit: 'sources' },
        ]);
      }
      const p = logistic(sum / total);
      if (!Number.isFinite(p)) {
        return waiting('the sources contradict each other with certainty', [
          { by: name, reason: 'certain yes and certain no' },
        ]);
      }
      const confidence = Math.abs(2 * p - 1);
      if (reaches(p, longFrom)) return entering(1, confidence, 'pooled probability is high', p);
      if (shortTo !== null && reaches(-p, -shortTo))
        return entering(-1, confidence, 'pooled probability is low', p);
      const low = shortTo !== null && shortTo - p > p - longFrom;
      const reason = 'pooled probability is undecided';
      const objection = low
        ? ({ by: name, reason, measured: p, needed: shortTo, relation: '<=', unit: 'probability' } as const)
        : ({ by: name, reason, measured: p, needed: longFrom, relation: '>=', unit: 'probability' } as const);
      return waiting(reason, [objection], confidence, p);
    },
  };
}
