export * from './capacity.ts';
export * from './family.ts';
export * from './family-evidence.ts';
export * from './habitat.ts';
export * from './passport.ts';
export * from './trading-year.ts';
export * from './trial.ts';
export * from './trial-neighbours.ts';
