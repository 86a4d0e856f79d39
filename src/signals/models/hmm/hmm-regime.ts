import { InputError } from '#base';
import type { FeatureNeeds } from '../../source.ts';
import { HmmFilter } from './hmm-filter.ts';
import type { HmmParameters } from './hmm-parameters.ts';

export interface HmmRegimeOptions {
  /** Filtered probability that a state needs to become the regime; below it the regime stays. Default 0: the likeliest. */
  readonly probabilityMin?: number;
  /** Observations before the first regime. Default 1. */
  readonly observationsMin?: number;
}

/**
 * A desk's regime from a hidden Markov model: the name of the likeliest state by filtered probability, which is the one
 * that could have been known at the bar. Goes where a desk's parts say `regime`. One of these per instrument is made by
 * `create`. Throws InputError for options that cannot be.
 */
export function hmmRegime(
  parameters: HmmParameters,
  options: HmmRegimeOptions = {},
): { readonly features: FeatureNeeds; readonly create: () => HmmRegime } {
  const { probabilityMin = 0, observationsMin = 1 } = options;
  if (!(probabilityMin >= 0 && probabilityMin < 1)) {
    throw new InputError(
      `a regime cannot need a probability of ${probabilityMin}`,
      'give 0 or more, below 1',
    );
  }
  if (!Number.isInteger(observationsMin) || observationsMin < 1) {
    throw new InputError(`a regime cannot wait for ${observationsMin} observations`, 'give 1 or more');
  }
  const features = Object.fromEntries(parameters.features.map((expression, i) => [`x${i}`, expression]));
  return { features, create: () => new HmmRegime(parameters, probabilityMin, observationsMin) };
}

/** {@link hmmRegime}'s tracker. Bars on which a feature is not defined are not counted while there was none that is. */
export class HmmRegime {
  static readonly configuration = ['names', 'keys', 'row', 'probabilityMin', 'observationsMin'];
  private readonly names: readonly string[];
  private readonly keys: readonly string[];
  private readonly row: Float64Array;
  private readonly probabilityMin: number;
  private readonly observationsMin: number;
  private readonly filter: HmmFilter;
  /** Null until enough was observed. */
  name: string | null = null;

  constructor(parameters: HmmParameters, probabilityMin: number, observationsMin: number) {
    this.names = parameters.names;
    this.keys = parameters.features.map((_, i) => `x${i}`);
    this.row = new Float64Array(this.keys.length);
    this.probabilityMin = probabilityMin;
    this.observationsMin = observationsMin;
    this.filter = new HmmFilter(parameters);
  }

  /** Takes in the features of one bar, by the names that {@link hmmRegime} gave them. */
  update(values: { readonly [name: string]: number }): void {
    let defined = true;
    for (let i = 0; i < this.keys.length; i++) {
      this.row[i] = values[this.keys[i]!]!;
      defined &&= Number.isFinite(this.row[i]!);
    }
    if (!defined && this.filter.count === 0) return;
    const posterior = this.filter.advance(this.row);
    if (this.filter.count < this.observationsMin) return;
    const best = this.filter.likeliest();
    if (posterior[best]! >= this.probabilityMin) this.name = this.names[best]!;
  }

  /** Filtered probability of a state by name; null before the first observation and for a name that is none. */
  probabilityOf(name: string): number | null {
    const at = this.names.indexOf(name);
    return at < 0 || this.filter.count === 0 ? null : this.filter.posterior[at]!;
  }
}
