export { type DenseHmm, denseHmm, StateDensities } from './dense-hmm.ts';
export * from './hmm-filter.ts';
export * from './hmm-parameters.ts';
export * from './hmm-regime.ts';
export * from './name-states.ts';
