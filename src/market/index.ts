export * from './bar.ts';
export * from './bar-check.ts';
export * from './calendar.ts';
export * from './event-order.ts';
export type * from './events.ts';
export * from './instrument.ts';
export * from './known-instruments.ts';
export * from './resample.ts';
export * from './slice.ts';
