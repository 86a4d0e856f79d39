export * from './importance.ts';
export type { MedianPrunerSpec, StepReport } from './pruner.ts';
export { prunesByMedian } from './pruner.ts';
export type { CmaEsSpec, GridSpec, SamplerSpec, TpeSpec } from './sampler.ts';
export * from './space.ts';
export * from './study.ts';
export * from './test-problems.ts';
