import { canonicalJson, type Instant, sha256 } from '#base';
import type { Scaler } from '#features';
import type { ProbabilityCalibration } from './probability-calibration.ts';

/** What a model was made from; everything needed to make it again. */
export interface Training {
  /** The rows it learned from: their first and last bar's close. Its age counts from `to`. */
  readonly from: Instant;
  readonly to: Instant;
  readonly rows: number;
  readonly seed: string;
  /** SHA-256 of the bars (and funding) it was made from. */
  readonly dataHash: string;
  readonly codeHash: string;
  /** `BTCUSDT.BINANCE-USDM`, `15m`. */
  readonly instrument: string;
  readonly interval: string;
  /** Hyper-parameters, the search's winner. */
  readonly parameters: Readonly<Record<string, number | string>>;
}

/**
 * A model with all it takes to use it: plain data, named by its own content. No wall clock in it, so that the same data,
 * seed and code give the same bytes.
 */
export interface ModelArtefact {
  readonly schemaVersion: 1;
  /** What it is for: `S1_RX68_BTC_15M`. Versions of one name follow each other. */
  readonly name: string;
  readonly kind: 'boosted-trees';
  /** Inputs in order. */
  readonly features: readonly string[];
  /** Classes in the order of the model's outputs, such as `down`, `none`, `up`; for a binary model the one it speaks of. */
  readonly classes: readonly string[];
  /** A model in XGBoost's JSON format, as data. */
  readonly model: unknown;
  readonly scaler: Scaler | null;
  /** One per class, fitted out of sample; null uses the model's own probabilities. */
  readonly calibration: readonly ProbabilityCalibration[] | null;
  /** What a probability must reach, and by how much it must lead its opposite. */
  readonly threshold: { readonly probabilityMin: number; readonly leadMin: number };
  readonly training: Training;
  /** Measured out of sample; null where it is not defined. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Why it may not be promoted as it is: `no sentiment gate`. */
  readonly stamps: readonly string[];
  /** Id of the model it was made to follow. */
  readonly parent: string | null;
}

/** The id of a model: SHA-256 over its canonical JSON. */
export function modelIdOf(artefact: ModelArtefact): string {
  return sha256(canonicalJson(artefact));
}
