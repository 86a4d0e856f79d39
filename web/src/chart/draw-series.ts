import type { Time, UTCTimestamp } from 'lightweight-charts';
import type { BarStore } from './bar-store.ts';
import type { Span } from './span.ts';

/** The library counts seconds. */
export function seconds(time: number): UTCTimestamp {
  return Math.floor(time / 1_000) as UTCTimestamp;
}

export function milliseconds(time: Time): number {
  return (time as number) * 1_000;
}

export function candleAt(store: BarStore, index: number) {
  const bar = store.at(index)!;
  return { time: seconds(bar.time), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}

/** A point of an indicator; without a value where it is not warm yet. */
export function pointAt(store: BarStore, name: string, index: number) {
  const value = store.lineAt(name, index);
  const time = seconds(store.timeAt(index));
  return Number.isNaN(value) ? { time } : { time, value };
}

/** One item for every bar of a stretch. */
export function over<T>(span: Span, make: (index: number) => T): T[] {
  const made = new Array<T>(span.end - span.start);
  for (let i = span.start; i < span.end; i += 1) made[i - span.start] = make(i);
  return made;
}
