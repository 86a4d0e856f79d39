import type { FeatureDefinition, FeatureParameter } from './kernel.ts';

/** Most bars a period may span. */
export const LONGEST_PERIOD = 10_000;

/** An integer parameter counted in bars. */
export function bars(name: string, standard: number, min = 1): FeatureParameter {
  return { name, kind: 'integer', default: standard, min, max: LONGEST_PERIOD };
}

/** A real parameter. */
export function real(name: string, standard: number, min: number, max: number): FeatureParameter {
  return { name, kind: 'number', default: standard, min, max };
}

/** Bars per year for annualised values; 105,120 are the five-minute bars of 365 days. */
export const barsPerYear: FeatureParameter = {
  name: 'bars_per_year',
  kind: 'integer',
  default: 105_120,
  min: 1,
  max: 1_000_000_000,
};

/** Parameters arrive complete and checked: `parseFeature` fills in defaults. */
export type Definitions = readonly FeatureDefinition[];
