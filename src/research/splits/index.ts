export * from './cross-validation.ts';
export { evenSpans, type LabelSpans, standardEmbargo } from './label-spans.ts';
export { purgedTraining, type Split } from './purge.ts';
export * from './walk-forward.ts';
