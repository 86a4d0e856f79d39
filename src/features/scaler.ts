import { broken, canonicalJson, sha256 } from '#base';

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

/**
 * Mean and population deviation per feature of rows [from, to) of a row-major matrix with `features.length` columns: the
 * training window and nothing else. Two passes. A deviation of 0 becomes 1. Throws where the window is empty or a value
 * in it is no number: such rows are left out before.
 */
export function fitScaler(
  features: readonly string[],
  rows: ArrayLike<number>,
  { from, to }: { readonly from: number; readonly to: number },
): Scaler {
  const width = features.length;
  if (!(to > from && from >= 0 && to * width <= rows.length)) broken(`no rows from ${from} to ${to}`);
  const n = to - from;
  const mean: number[] = [];
  const std: number[] = [];
  for (let k = 0; k < width; k++) {
    // from the first value on, so that equal values deviate by nothing at all
    const base = rows[from * width + k]!;
    let sum = 0;
    for (let i = from; i < to; i++) sum += rows[i * width + k]! - base;
    const shift = sum / n;
    let squares = 0;
    for (let i = from; i < to; i++) squares += (rows[i * width + k]! - base - shift) ** 2;
    const deviation = Math.sqrt(squares / n);
    if (!Number.isFinite(base + shift + deviation))
      broken(`${features[k]} is no number somewhere in the window`);
    mean.push(base + shift);
    std.push(deviation === 0 ? 1 : deviation);
  }
  const fitted = { features: [...features], mean, std };
  return { ...fitted, hash: scalerHash(fitted) };
}

/** Scaled values beyond this many deviations are cut off there, and counted. */
export const SCALED_MOST = 8;

/** Scales a row in place of `out`: (x - mean) / std within -8..8. Returns how many values were cut off. */
export function applyScaler({ mean, std }: Scaler, row: ArrayLike<number>, out: Float64Array): number {
  let clipped = 0;
  for (let k = 0; k < mean.length; k++) {
    const scaled = (row[k]! - mean[k]!) / std[k]!;
    if (scaled > SCALED_MOST || scaled < -SCALED_MOST) {
      clipped += 1;
      out[k] = scaled > 0 ? SCALED_MOST : -SCALED_MOST;
    } else out[k] = scaled;
  }
  return clipped;
}

/** Why a scaler may not be used with these features, or null: touched since it was fitted, other features, no numbers. */
export function scalerFault(scaler: Scaler, features: readonly string[]): string | null {
  const { mean, std, hash } = scaler;
  if (scaler.features.length !== features.length || scaler.features.some((name, k) => name !== features[k]))
    return 'the scaler was fitted on other features';
  if (mean.length !== features.length || std.length !== features.length)
    return 'the scaler has not one mean and one deviation per feature';
  if (!mean.every(Number.isFinite) || !std.every((s) => s > 0 && Number.isFinite(s)))
    return 'the scaler holds what is no number';
  return scalerHash(scaler) === hash ? null : 'the scaler is not the one its hash names';
}

/** Rows that {@link ClipWatch} looks back over, and the share of them from above which inputs have drifted. */
export const CLIP_WINDOW = 200;
export const CLIP_SHARE_MOST = 0.05;

/** Counts rows of which something was cut off: more than 5 % of the last 200 is drift. Plain data for snapshots. */
export interface ClipWatch {
  /** Places in the last rows, by their number, that were cut; oldest first. */
  readonly clippedAt: number[];
  rows: number;
}

export const newClipWatch = (): ClipWatch => ({ clippedAt: [], rows: 0 });

/** Takes in a row; true while the inputs have drifted. Rows before the first 200 count as not cut. */
export function watchClips(watch: ClipWatch, clipped: boolean): boolean {
  watch.rows += 1;
  if (clipped) watch.clippedAt.push(watch.rows);
  while (watch.clippedAt.length > 0 && watch.clippedAt[0]! <= watch.rows - CLIP_WINDOW)
    watch.clippedAt.shift();
  return haveDrifted(watch);
}

/** Whether too many of the newest rows were cut. */
export const haveDrifted = ({ clippedAt }: ClipWatch): boolean =>
  clippedAt.length > CLIP_SHARE_MOST * CLIP_WINDOW;

/** Share of the newest {@link CLIP_WINDOW} rows that were cut. */
export const clippedShare = ({ clippedAt }: ClipWatch): number => clippedAt.length / CLIP_WINDOW;
