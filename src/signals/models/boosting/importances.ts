import type { BoostedModel } from './boosted-model.ts';

/** XGBoost's kinds: splits counted; loss saved; rows seen; the latter two per split or in total. */
export type ImportanceKind = 'weight' | 'gain' | 'cover' | 'total_gain' | 'total_cover';

/**
 * Importance of each feature as XGBoost's `get_score` has it, 0 for one that no tree splits on (XGBoost leaves those
 * out). Weights of dart's trees play no part in it, as there.
 */
export function importances(model: BoostedModel, kind: ImportanceKind): Float64Array {
  const splits = new Float64Array(model.features);
  const sums = new Float64Array(model.features);
  for (const tree of model.trees) {
    const values = kind === 'gain' || kind === 'total_gain' ? tree.gain : tree.cover;
    for (let n = 0; n < tree.left.length; n++) {
      if (tree.left[n]! < 0) continue;
      splits[tree.feature[n]!]! += 1;
      sums[tree.feature[n]!]! += values[n]!;
    }
  }
  if (kind === 'weight') return splits;
  if (kind === 'total_gain' || kind === 'total_cover') return sums;
  return sums.map((sum, f) => (splits[f] === 0 ? 0 : sum / splits[f]!));
}
