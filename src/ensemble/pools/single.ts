import { InputError } from '#base';
import type { Signal } from '#signals';
import { columnarPoolings, type Pooled, type PoolingRule } from '../pooling.ts';
import { checkRange, entering, ofKind, reaches, strengthOf, waiting } from './inputs.ts';
import { proposing } from './proposals.ts';

export interface SingleConfig {
  readonly takes?: 'score' | 'forecast' | 'proposal';
  /** Needed when the desk has more than one source of this kind. */
  readonly source?: string;
  /** Smallest |score|, or probability of the better side, that enters. Default: any score but 0, 0.55. */
  readonly enterFrom?: number;
}

/** One source as it is: its score's sign, its forecast's better side, or its proposal. Learned weights do not matter. */
export function single(config: SingleConfig = {}): PoolingRule {
  const { takes = 'score', source } = config;
  const enterFrom = config.enterFrom ?? (takes === 'forecast' ? 0.55 : 0);
  checkRange('single', 'enterFrom', enterFrom, takes === 'forecast' ? 0.5 : 0, 1);
  const rule: PoolingRule = {
    name: 'single',
    takes,
    pool(signals: readonly Signal[]): Pooled {
      let signal: Signal | null = null;
      for (const candidate of ofKind(signals, takes, 'single') as readonly Signal[]) {
        if (source !== undefined && candidate.source !== source) continue;
        if (signal !== null) {
          throw new InputError(
            `single: ${signal.source} and ${candidate.source} both answered`,
            'name one in `source`',
          );
        }
        signal = candidate;
      }
      if (signal === null) return waiting('silent', SILENT);
      switch (signal.kind) {
        case 'score': {
          const { value } = signal;
          const size = Math.abs(value);
          if (value !== 0 && size >= enterFrom)
            return entering(value > 0 ? 1 : -1, strengthOf(signal), 'score');
          const reason = 'score is too small';
          const relation = enterFrom > 0 ? '>=' : '>';
          return waiting(
            reason,
            [{ by: signal.source, reason, measured: size, needed: enterFrom, relation, unit: 'score' }],
            size,
          );
        }
        case 'forecast': {
          const p = signal.probability;
          const better = Math.max(p, 1 - p);
          const confidence = Math.abs(2 * p - 1);
          if (reaches(better, enterFrom) && p !== 0.5)
            return entering(p > 0.5 ? 1 : -1, confidence, 'forecast', p);
          const reason = 'forecast is undecided';
          const objection = {
            by: signal.source,
            reason,
            measured: better,
            needed: enterFrom,
            relation: '>=',
            unit: 'probability',
          } as const;
          return waiting(reason, [objection], confidence, p);
        }
        case 'proposal':
          return proposing(signal);
      }
    },
  };
  if (takes !== 'score') return rule;
  return columnarPoolings.describe(rule, {
    kind: 'single',
    source: source ?? null,
    enterFrom,
    shortsClose: false,
  });
}

const SILENT = Object.freeze([Object.freeze({ by: 'single', reason: 'the source is silent' })]);
