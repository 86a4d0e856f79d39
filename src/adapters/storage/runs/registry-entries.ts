import type { Stage, TrialKind, TrialRecord } from '#research';

/** A run to be put on record. */
export interface NewTrial {
  readonly record: TrialRecord;
  /** Simple return of each day. */
  readonly returns: Float64Array;
  /** UTC days of the data; at least as many as returns. Their hash is that of the record. */
  readonly days: Int32Array;
  readonly kind: TrialKind;
  /** Path of the desk's file; null of a built-in. */
  readonly file: string | null;
  readonly study: string | null;
}

/** A desk that was let through, or put back. */
export interface StageRecord {
  readonly desk: string;
  readonly deskHash: string;
  readonly from: Stage;
  readonly to: Stage;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Who ran the command: user and machine. */
  readonly by: string;
  readonly trialHash: string;
  readonly profile: string;
  /** SHA-256 of the evidence bundle's list of files. */
  readonly bundle: string;
  /** An exception from DSR and PBO, and who signed it; null without. */
  readonly exception: { readonly name: string; readonly reason: string } | null;
}

export interface RegistryHead {
  readonly entries: number;
  /** Chain hash of the last entry; empty for none. */
  readonly chain: string;
}
