export * from './correlations.ts';
export * from './feature-frame.ts';
export * from './flow.ts';
export type * from './kernel.ts';
export * from './microprice.ts';
export * from './order-flow.ts';
export * from './regime.ts';
export * from './registry.ts';
export * from './statistics.ts';
