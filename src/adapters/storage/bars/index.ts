export { gapsBetween } from './bar-accounts.ts';
export * from './bar-store.ts';
export { type BarStorePlace, openBars } from './open-bars.ts';
export { PostgresBars } from './postgres-bars.ts';
export { SqliteBars } from './sqlite-bars.ts';
