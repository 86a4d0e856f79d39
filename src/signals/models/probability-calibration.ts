/**
 * From a stated probability to the observed one. `platt`: logistic(a*logit(p) + b). `beta` (Kull et al. 2017):
 * logistic(a*ln p - b*ln(1-p) + c). `isotonic`: linear between knots of rising x, constant beyond them.
 */
export type ProbabilityCalibration =
  | { readonly kind: 'platt'; readonly a: number; readonly b: number }
  | { readonly kind: 'beta'; readonly a: number; readonly b: number; readonly c: number }
  | { readonly kind: 'isotonic'; readonly x: readonly number[]; readonly p: readonly number[] };
