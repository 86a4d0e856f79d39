import { expect } from 'vitest';
import { MINUTE } from '#base';
import { FeatureFrame } from '#features';
import { defineInstrument } from '#market';
import type { LocalSource, SigmaReadings, Signal, Source, View } from '#signals';

/** The sheet's bar 249 as printed; OBV's line has R2 0.947622 and falls. */
export const CLOSE = 108.704557;
export const BAR_249: SigmaReadings = {
  rsi: 23.663182,
  stochK: 8.538557,
  cci: -195.26392,
  macdHist: -0.697499,
  atr: 1.51781,
  ema9: 111.162584,
  ema20: 112.184429,
  ema50: 111.749755,
  ema200: 107.696149,
  bbWidth: 0.07191,
  bbWidthMedian: 0.098376,
  percentB: -0.049111,
  slopePercent: -0.307582,
  obvSlope: -1,
  obvR2: 0.947622,
  mfi: 7.134889,
  vwap: 106.434582,
  z: -2.196443,
  pUp: 0.429137,
  gkAnnual: 2.825886,
};

export const NEUTRAL: SigmaReadings = {
  ...BAR_249,
  rsi: 50,
  stochK: 50,
  cci: 0,
  macdHist: 0,
  atr: 1,
  ema9: 100,
  ema20: 100,
  ema50: 100,
  ema200: 100,
  bbWidth: 0.05,
  bbWidthMedian: 0.05,
  percentB: 0.5,
  slopePercent: 0,
  obvSlope: 0,
  obvR2: 0,
  mfi: 50,
  vwap: 100,
  z: 0,
  pUp: 0.5,
  gkAnnual: 0.2,
};

export const about = (value: number | undefined, expected: number, within = 1.5e-6) =>
  expect(Math.abs(value! - expected), `${value} against ${expected}`).toBeLessThanOrEqual(within);

/** The sheet's synthetic series from 00:00 UTC in five-minute bars. */
export function sheetFrame(requests: readonly string[], bars = 250): FeatureFrame {
  const frame = new FeatureFrame(requests);
  let previous = Number.NaN;
  for (let i = 0; i < bars; i++) {
    const c = 100 + 0.05 * i + 5 * Math.sin(i / 7) + 2 * Math.cos(i / 3);
    const o = i === 0 ? c : previous;
    const v = 1000 + 100 * Math.sin(i / 4);
    frame.push(i * 5 * MINUTE, o, Math.max(o, c) + 0.5, Math.min(o, c) - 0.5, c, v);
    previous = c;
  }
  return frame;
}

export const requestsOf = (features: Readonly<Record<string, string>>) =>
  Object.values(features).map((text) => text.split('/')[0]!);

export function read(
  frame: FeatureFrame,
  features: Readonly<Record<string, string>>,
): Record<string, number> {
  const entries = Object.entries(features).map(([name, expression]) => {
    const [request, output] = expression.split('/');
    const column = request!.replaceAll(':', '_') + (output ? `_${output}` : '');
    return [name, frame.value(frame.column(column))] as const;
  });
  return Object.fromEntries(entries);
}

const INSTRUMENT = defineInstrument({ id: 'BTCUSDT.TEST' });

function viewOf(frame: FeatureFrame): View {
  const { bars } = frame;
  const last = bars.length - 1;
  return {
    at: bars.time[last]! + 5 * MINUTE,
    instrument: INSTRUMENT,
    intervalMs: 5 * MINUTE,
    count: frame.count,
    open: bars.open[last]!,
    high: bars.high[last]!,
    low: bars.low[last]!,
    close: bars.close[last]!,
    volume: bars.volume[last]!,
    frame,
    peer: () => null,
    funding: () => null,
    observation: () => null,
  };
}

export function ask(part: Source, frame: FeatureFrame): Signal | null {
  const local = part as unknown as LocalSource;
  return local.signal(viewOf(frame), read(frame, local.features), local.state());
}
