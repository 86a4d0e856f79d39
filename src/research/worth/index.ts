export * from './ablations.ts';
export * from './compare.ts';
export * from './match-trades.ts';
export * from './removals.ts';
