import type { Stage } from './stage.ts';

/** What a criterion measures. */
export type FigureName =
  | 'profitFactor'
  | 'winRate'
  | 'maxDrawdown'
  | 'trades'
  | 'sharpe'
  | 'expectancy'
  | 'dsr'
  | 'pbo'
  | 'parityBpPerBar'
  | 'paperDays'
  | 'paperUptime';

export const FIGURE_NAMES: readonly FigureName[] = [
  'profitFactor',
  'winRate',
  'maxDrawdown',
  'trades',
  'sharpe',
  'expectancy',
  'dsr',
  'pbo',
  'parityBpPerBar',
  'paperDays',
  'paperUptime',
];

export type Relation = '>' | '>=' | '<' | '<=';

/** One bar to pass. Shares are fractions; `needed` may depend on the desk's interval (`5m`). */
export interface ProfileCriterion {
  readonly figure: FigureName;
  readonly relation: Relation;
  readonly needed: number | Readonly<Record<string, number>>;
  /** The stages it must be met for. */
  readonly stages: readonly Exclude<Stage, 'research'>[];
  /** Why the number is that. */
  readonly source: string;
}

/** Bars of one kind of desk: data. */
export interface PromotionProfile {
  readonly name: string;
  readonly criteria: readonly ProfileCriterion[];
}

const BOTH = ['paper', 'live'] as const;
const LIVE = ['live'] as const;

/** Stands on top of every profile; only these two may be excepted, by a person who signs. */
export const EVIDENCE_CRITERIA: readonly ProfileCriterion[] = [
  { figure: 'dsr', relation: '>=', needed: 0.95, stages: BOTH, source: 'every profile' },
  { figure: 'pbo', relation: '<=', needed: 0.2, stages: BOTH, source: 'every profile' },
];

export const PROFILES: Readonly<Record<string, PromotionProfile>> = {
  s1: {
    name: 's1',
    criteria: [
      { figure: 'profitFactor', relation: '>', needed: 1.1, stages: BOTH, source: 'S1 7' },
      { figure: 'winRate', relation: '>', needed: 0.55, stages: BOTH, source: 'S1 7' },
      {
        figure: 'maxDrawdown',
        relation: '<=',
        needed: { '1m': 0.1, '3m': 0.12, '5m': 0.15, '15m': 0.2 },
        stages: BOTH,
        source: 'S1 7, band of the interval',
      },
      { figure: 'trades', relation: '>=', needed: 100, stages: BOTH, source: 'S1 7' },
      { figure: 'parityBpPerBar', relation: '<', needed: 1, stages: LIVE, source: 'S1 7 and 8' },
      { figure: 'paperDays', relation: '>=', needed: 90, stages: LIVE, source: 'S1 7' },
      { figure: 'paperUptime', relation: '>=', needed: 0.95, stages: LIVE, source: 'S1 7' },
    ],
  },
  fleet: {
    name: 'fleet',
    criteria: [
      { figure: 'trades', relation: '>=', needed: 100, stages: BOTH, source: 'Fleet 8' },
      { figure: 'winRate', relation: '>=', needed: 0.45, stages: BOTH, source: 'Fleet 8' },
      { figure: 'sharpe', relation: '>=', needed: 1, stages: BOTH, source: 'Fleet 8' },
    ],
  },
  sigma: {
    name: 'sigma',
    criteria: [
      {
        figure: 'winRate',
        relation: '>=',
        needed: 0.6,
        stages: BOTH,
        source: 'Sigma 11, guide value 60 to 75 %',
      },
      { figure: 'sharpe', relation: '>', needed: 1, stages: BOTH, source: 'Sigma 11, guide value' },
      { figure: 'expectancy', relation: '>', needed: 10, stages: BOTH, source: 'Sigma 11, guide value' },
      { figure: 'maxDrawdown', relation: '<', needed: 0.1, stages: BOTH, source: 'Sigma 11, guide value' },
    ],
  },
};

/** Names of S1's configs and their models and desks: `S1_RX68_BTC_15M`, `s1-momentum`. */
const S1_NAME = /^s1([-_]|$)/i;

/** The profile a desk goes by when none is named: its own, else the fleet's. */
export function usualProfile(desk: string): PromotionProfile {
  if (S1_NAME.test(desk)) return PROFILES.s1!;
  return desk === 'sigma' ? PROFILES.sigma! : PROFILES.fleet!;
}

/**
 * What a desk or model of this name is judged by where a profile was named: for S1 its own criteria whatever else is asked for,
 * since a caller who may choose the bar has none (S1 7). Others are judged by what was named.
 */
export function bindingProfile(name: string, named: PromotionProfile): PromotionProfile {
  const { s1 } = PROFILES;
  if (!S1_NAME.test(name) || s1!.criteria.every((one) => named.criteria.includes(one))) return named;
  return { name: `s1+${named.name}`, criteria: [...s1!.criteria, ...named.criteria] };
}
