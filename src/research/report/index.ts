export * from './drawdown-episodes.ts';
export * from './held.ts';
export * from './histogram.ts';
export * from './monthly-returns.ts';
export * from './rolling-figures.ts';
export * from './series.ts';
export * from './sweep-view.ts';
export * from './trade-facts.ts';
