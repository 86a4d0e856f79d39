export * from './backtest.ts';
export * from './bias/index.ts';
export * from './equity-curve.ts';
export * from './optimise/index.ts';
export * from './splits/index.ts';
export * from './statistics/index.ts';
export * from './sweep/index.ts';
export * from './worth/index.ts';
