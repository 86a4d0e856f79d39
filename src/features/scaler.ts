import { canonicalJson, sha256 } from '#base';

/** Mean and standard deviation per feature, fitted on a training window and never again. */
export interface Scaler {
  readonly features: readonly string[];
  readonly mean: readonly number[];
  /** Population deviation; where a feature never moved, 1. */
  readonly std: readonly number[];
  /** {@link scalerHash} of the three above: a scaler that was touched is not used. */
  readonly hash: string;
}

/** SHA-256 over features, mean and deviation. */
export function scalerHash({ features, mean, std }: Omit<Scaler, 'hash'>): string {
  return sha256(canonicalJson({ features, mean, std }));
}
