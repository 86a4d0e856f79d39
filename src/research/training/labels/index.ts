export * from './cusum-filter.ts';
export * from './fractional-difference.ts';
export * from './sequential-bootstrap.ts';
export * from './triple-barrier.ts';
export { averageUniqueness, concurrency, labelWeights } from './uniqueness.ts';
