export { type Compute, computeChecked } from './columns.ts';
export * from './label-permutation.ts';
export * from './look-ahead.ts';
export * from './warm-up.ts';
