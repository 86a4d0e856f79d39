export * from './daily-equity.ts';
export * from './grid.ts';
export * from './plateau.ts';
export * from './predicate.ts';
export * from './sweep-row.ts';
