export * from './backtest.ts';
export * from './equity-curve.ts';
