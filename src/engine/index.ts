export * from './counts.ts';
export * from './desk.ts';
export * from './engine.ts';
export * from './events.ts';
export * from './journal-format.ts';
export * from './loop.ts';
export type * from './portfolio.ts';
export * from './replay.ts';
export * from './trace.ts';
