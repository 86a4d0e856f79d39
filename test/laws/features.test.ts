import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, captureState, MINUTE, restoreState } from '#base';
import {
  computeFeatures,
  type FeatureDefinition,
  FeatureFrame,
  featureDefinitions,
  parseFeature,
} from '#features';
import { type BarColumns, barColumns } from '#market';
import { oracle } from './features-oracle.ts';

/** Bars from closes; every open is the previous close times `gap(i)`, wicks and volumes as given. */
function barsFrom(
  closes: readonly number[],
  shape: { wick?: (i: number) => number; volume?: (i: number) => number; gap?: (i: number) => number } = {},
): BarColumns {
  const bars = barColumns(closes.length);
  bars.length = closes.length;
  for (let i = 0; i < closes.length; i++) {
    const close = closes[i];
    const open = (i === 0 ? close : closes[i - 1]) * (shape.gap?.(i) ?? 1);
    const wick = shape.wick?.(i) ?? 0.001;
    // Across midnight, so that the session of VWAP changes on the way.
    bars.time[i] = (i + 1400) * MINUTE;
    bars.open[i] = open;
    bars.close[i] = close;
    bars.high[i] = Math.max(open, close) * (1 + wick);
    bars.low[i] = Math.min(open, close) * (1 - wick);
    bars.volume[i] = shape.volume?.(i) ?? 100 + (i % 7);
  }
  return bars;
}

function walk(seed: string, n: number, start = 100, step = 0.01): number[] {
  const chance = new Chance(seed);
  const closes = [start];
  while (closes.length < n) closes.push(closes[closes.length - 1] * Math.exp(step * chance.normal()));
  return closes;
}

const ROWS = 330;
const index = (n: number) => Array.from({ length: n }, (_, i) => i);
const chances = new Chance('volumes');
const randomVolumes = index(ROWS).map(() => 1000 * chances.uniform());
const randomWicks = index(ROWS).map(() => 0.004 * chances.uniform());

const inputs: Record<string, BarColumns> = {
  'flat without range': barsFrom(
    index(ROWS).map(() => 73.1),
    { wick: () => 0 },
  ),
  'flat with range, no volume': barsFrom(
    index(ROWS).map(() => 0.1),
    { volume: () => 0 },
  ),
  rising: barsFrom(index(ROWS).map((i) => 100 + 0.1 * i)),
  falling: barsFrom(index(ROWS).map((i) => 100 - 0.1 * i)),
  gapped: barsFrom(
    walk('gapped', ROWS).map((close, i) => close * (i >= 90 && i < 200 ? 40 : 1) * (i >= 250 ? 0.05 : 1)),
    { gap: (i) => 1 + 0.02 * Math.sin(i) },
  ),
  random: barsFrom(walk('random', ROWS), {
    wick: (i) => randomWicks[i],
    volume: (i) => randomVolumes[i],
    gap: (i) => 1 + 0.003 * Math.sin(7 * i),
  }),
  'moving, then flat, then moving': barsFrom(
    walk('pause', ROWS).map((close, i, all) => (i > 120 && i < 240 ? all[120] : close)),
    { wick: (i) => (i > 120 && i < 240 ? 0 : 0.002), volume: (i) => (i > 150 && i < 200 ? 0 : 10) },
  ),
  'only two prices': barsFrom(
    index(ROWS).map((i) => (i % 5 < 2 ? 10 : 10.5)),
    { wick: () => 0 },
  ),
  'at a price of a million': barsFrom(index(ROWS).map((i) => 1e6 + 0.01 * ((i * 37) % 11))),
  'a fraction of a cent': barsFrom(walk('tiny', ROWS, 1e-6)),
  'too short': barsFrom(walk('short', 9)),
  'one bar': barsFrom([100]),
  nothing: barsFrom([]),
};

/** Parameters other than the defaults, so that no period is wired in. */
const variants: Record<string, readonly string[]> = {
  sma: ['sma:1', 'sma:50'],
  ema: ['ema:1', 'ema:9'],
  wma: ['wma:1', 'wma:7'],
  dema: ['dema:5'],
  tema: ['tema:4'],
  trix: ['trix:3'],
  rsi: ['rsi:2', 'rsi:30'],
  macd: ['macd:3:10:4', 'macd:1:2:1'],
  stoch: ['stoch:5:1:1', 'stoch:9:4:2'],
  stochrsi: ['stochrsi:9:14:2'],
  bbands: ['bbands:10:2.5'],
  bbwidth_median: ['bbwidth_median:5:2:10', 'bbwidth_median:5:2:11'],
  atr: ['atr:1', 'atr:5'],
  adx: ['adx:2', 'adx:7'],
  cci: ['cci:5'],
  mfi: ['mfi:5'],
  aroon: ['aroon:25'],
  sar: ['sar:0.05:0.1', 'sar:0.3:0.2'],
  keltner: ['keltner:10:20:1.5', 'keltner:5:3:1'],
  ultosc: ['ultosc:28:7:14', 'ultosc:2:3:5'],
  mc: ['mc:20:5:200', 'mc:2:1:1'],
  linreg: ['linreg:2', 'linreg:50'],
  logret: ['logret:5'],
  logret_stats: ['logret_stats:2', 'logret_stats:50'],
  vol_of_vol: ['vol_of_vol:2:3', 'vol_of_vol:10:30'],
  volume_ratio: ['volume_ratio:1', 'volume_ratio:7'],
  atr_rate: ['atr_rate:1', 'atr_rate:5'],
  macd_rate: ['macd_rate:3:10:4', 'macd_rate:1:2:1'],
  max: ['max:1'],
  gk: ['gk:5:8760'],
  yz: ['yz:2:252'],
};

function differs(actual: number, expected: number): boolean {
  if (Number.isNaN(expected) || Number.isNaN(actual)) return Number.isNaN(expected) !== Number.isNaN(actual);
  return !(Math.abs(actual - expected) <= Math.max(1e-8, 1e-9 * Math.abs(expected)));
}

describe('every feature agrees with its definition', () => {
  for (const definition of featureDefinitions) {
    it(definition.name, () => {
      for (const text of [definition.name, ...(variants[definition.name] ?? [])]) {
        const request = parseFeature(text);
        for (const [name, bars] of Object.entries(inputs)) {
          const expected = oracle(definition.name, request.parameters, bars);
          expect(expected, `no oracle for ${definition.name}`).not.toBeNull();
          const actual = computeFeatures(bars, [text]);
          request.columns.forEach((column, k) => {
            const values = actual.get(column)!;
            expect(values.length).toBe(bars.length);
            const row = values.findIndex((value, i) => differs(value, expected![k][i]));
            expect(
              row < 0
                ? ''
                : `${text} ${column} on '${name}' row ${row}: ${values[row]}, not ${expected![k][row]}`,
            ).toBe('');
          });
        }
      }
    });
  }

  it('begins at the row it promises', () => {
    for (const definition of featureDefinitions) {
      for (const text of [definition.name, ...(variants[definition.name] ?? [])]) {
        const request = parseFeature(text);
        const values = [...computeFeatures(inputs.random, [text]).values()];
        const first = Math.max(...values.map((column) => column.findIndex((value) => !Number.isNaN(value))));
        expect(`${text} ${first}`).toBe(`${text} ${definition.firstRow(request.parameters)}`);
        for (const column of values) expect(column.subarray(first).some(Number.isNaN), text).toBe(false);
      }
    }
  });
});

/** Small parameters of any definition. */
function someRequest(definition: FeatureDefinition, draws: readonly number[]): string {
  const parameters = definition.parameters.map((parameter, k) => {
    const low = parameter.min;
    const high = Math.min(parameter.max, parameter.kind === 'integer' ? low + 9 : low + 3);
    const value = low + draws[k] * (high - low);
    return parameter.kind === 'integer' ? Math.round(value) : Math.round(value * 100) / 100;
  });
  if (definition.name.startsWith('macd') && parameters[0] >= parameters[1]) parameters[1] = parameters[0] + 1;
  return [definition.name, ...parameters].join(':');
}

const request = fc
  .tuple(
    fc.constantFrom(...featureDefinitions),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
  )
  .map(([definition, draws]) => someRequest(definition, draws));

/** Short series with equal prices, jumps and bars without volume. */
const series = fc
  .array(
    fc.record({
      move: fc.oneof(fc.constant(0), fc.double({ min: -0.2, max: 0.2, noNaN: true }), fc.constantFrom(-3, 3)),
      wick: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.1, noNaN: true })),
      volume: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
    }),
    { maxLength: 90, size: 'max' },
  )
  .map((steps) => {
    let close = 100;
    const closes = steps.map(({ move }) => {
      close = Math.min(1e9, Math.max(1e-6, close * Math.exp(move)));
      return close;
    });
    return barsFrom(closes, { wick: (i) => steps[i].wick, volume: (i) => steps[i].volume });
  });

function push(frame: FeatureFrame, bars: BarColumns, i: number): void {
  frame.push(bars.time[i], bars.open[i], bars.high[i], bars.low[i], bars.close[i], bars.volume[i]);
}

/** Fails at the first row in which the frame's newest values are not those of the batch, bit for bit. */
function expectSame(frame: FeatureFrame, batch: ReadonlyMap<string, Float64Array>, i: number): void {
  for (const [column, values] of batch) {
    const value = frame.value(frame.column(column));
    if (!Object.is(value, values[i]))
      throw new Error(`${column} row ${i}: streaming ${value}, batch ${values[i]}`);
  }
}

describe('laws of features', () => {
  it('streaming equals batch bit for bit, also when the window shifts', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        series,
        fc.nat(30),
        (requests, bars, room) => {
          const batch = computeFeatures(bars, requests);
          const frame = new FeatureFrame(requests, { capacity: room });
          for (let i = 0; i < bars.length; i++) {
            push(frame, bars, i);
            expectSame(frame, batch, i);
          }
          expect(frame.count).toBe(bars.length);
          expect(frame.capacity).toBeLessThanOrEqual(Math.max(30, frame.lookback + 2));
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('streaming equals batch for every feature over several rebuilds of the running sums', () => {
    const requests = featureDefinitions.flatMap((d) => [d.name, ...(variants[d.name] ?? [])]);
    const bars = barsFrom(walk('long', 900).map((close, i) => (i > 300 && i < 420 ? 100 : close)));
    const batch = computeFeatures(bars, requests);
    const frame = new FeatureFrame(requests, { capacity: 150 });
    for (let i = 0; i < bars.length; i++) {
      push(frame, bars, i);
      expectSame(frame, batch, i);
    }
  });

  it('computing in chunks equals computing at once', () => {
    fc.assert(
      fc.property(
        request,
        series,
        fc.array(fc.nat(40), { maxLength: 6, size: 'max' }),
        (text, bars, cuts) => {
          const { definition, parameters, columns } = parseFeature(text);
          const whole = computeFeatures(bars, [text]);
          const out = columns.map(() => new Float64Array(bars.length));
          const kernel = definition.create(parameters);
          let from = 0;
          for (const cut of [...cuts, bars.length]) {
            const to = Math.min(bars.length, from + cut);
            kernel.run(bars, out, from, to);
            from = to;
          }
          columns.forEach((column, k) => {
            expect(out[k]).toEqual(whole.get(column));
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('no value changes when the future is cut off', () => {
    fc.assert(
      fc.property(request, series, fc.nat(100), (text, bars, cut) => {
        const n = Math.min(bars.length, cut);
        const whole = computeFeatures(bars, [text]);
        for (const [column, values] of computeFeatures({ ...bars, length: n }, [text])) {
          expect(values).toEqual(whole.get(column)!.subarray(0, n));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('no value changes when the future is another one', () => {
    fc.assert(
      fc.property(request, series, series, (text, past, future) => {
        const n = Math.min(past.length, future.length);
        const cut = Math.floor(n / 2);
        const mixed = barColumns(n);
        mixed.length = n;
        for (const key of ['time', 'open', 'high', 'low', 'close', 'volume'] as const) {
          mixed[key].set(past[key].subarray(0, cut));
          mixed[key].set(future[key].subarray(cut, n), cut);
        }
        const one = computeFeatures(past, [text]);
        for (const [column, values] of computeFeatures(mixed, [text])) {
          expect(values.subarray(0, cut)).toEqual(one.get(column)!.subarray(0, cut));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a restored frame goes on bit for bit', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 3 }),
        series,
        fc.nat(90),
        (requests, bars, cut) => {
          const batch = computeFeatures(bars, requests);
          const first = new FeatureFrame(requests, { capacity: 20 });
          const stop = Math.min(cut, bars.length);
          for (let i = 0; i < stop; i++) push(first, bars, i);
          const second = new FeatureFrame(requests, { capacity: 20 });
          restoreState(second, JSON.parse(JSON.stringify(captureState(first))));
          for (let i = stop; i < bars.length; i++) {
            push(second, bars, i);
            expectSame(second, batch, i);
          }
          expect(second.count).toBe(bars.length);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('is bounded where it says so', () => {
    fc.assert(
      fc.property(request, series, (text, bars) => {
        const { definition, columns } = parseFeature(text);
        const values = computeFeatures(bars, [text]);
        definition.outputs.forEach(({ unit }, k) => {
          const bounds =
            unit === 'points 0..100'
              ? [0, 100]
              : unit === 'points -100..0'
                ? [-100, 0]
                : unit === 'probability'
                  ? [0, 1]
                  : null;
          if (bounds === null) return;
          for (const value of values.get(columns[k])!) {
            if (value < bounds[0] - 1e-9 || value > bounds[1] + 1e-9)
              throw new Error(`${columns[k]} is ${value}`);
          }
        });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('running sums', () => {
  /** Features whose value depends on all of the past by definition. */
  const endless = new Set(
    'ema dema tema trix rsi macd stochrsi atr natr keltner adx sar obv obv_slope vwap vwap_cum atr_rate macd_rate'.split(
      ' ',
    ),
  );

  it('forget an absurd value once it has left the window and 256 bars have passed', () => {
    const n = 900;
    const at = 300;
    const closes = walk('absurd', n);
    const clean = barsFrom(closes);
    const absurd = barsFrom(
      closes.map((close, i) => (i === at ? 1e12 : close)),
      {
        volume: (i) => (i === at ? 1e15 : 100 + (i % 7)),
      },
    );
    for (const definition of featureDefinitions.filter((d) => !endless.has(d.name))) {
      const expected = computeFeatures(clean, [definition.name]);
      for (const [column, values] of computeFeatures(absurd, [definition.name])) {
        const first = at + 2 + definition.firstRow(parseFeature(definition.name).parameters) + 256;
        const row = values.findIndex((value, i) => i >= first && differs(value, expected.get(column)![i]));
        expect(row < 0 ? '' : `${column} row ${row}: ${values[row]}, not ${expected.get(column)![row]}`).toBe(
          '',
        );
      }
    }
  });

  it('keep deviations and slopes accurate at a price of a million', () => {
    const closes = index(600).map((i) => 1e6 + 0.01 * ((i * 37) % 11) + 1e-4 * i);
    const bars = barsFrom(closes);
    for (const text of ['stddev:20', 'zscore:20', 'linreg:20', 'bbands:20:2']) {
      const { definition, parameters, columns } = parseFeature(text);
      const expected = oracle(definition.name, parameters, bars)!;
      const actual = computeFeatures(bars, [text]);
      columns.forEach((column, k) => {
        const values = actual.get(column)!;
        for (let i = 19; i < 600; i++) {
          // Relative only: an absolute tolerance would hide a deviation that is 1e-6 off.
          const error = Math.abs(values[i] - expected[k][i]) / Math.abs(expected[k][i]);
          if (!(error < 1e-7)) throw new Error(`${column} row ${i}: ${values[i]}, not ${expected[k][i]}`);
        }
      });
    }
  });

  it('work on bars that are recorded with a gap of three orders of magnitude and back', () => {
    const closes = walk('scales', 700).map((close, i) => (i > 300 && i < 310 ? close * 1000 : close));
    const bars = barsFrom(closes);
    for (const text of ['stddev:20', 'zscore:20', 'mfi:14', 'gk:20', 'cci:20', 'mc:100:12:1000']) {
      const { definition, parameters, columns } = parseFeature(text);
      const expected = oracle(definition.name, parameters, bars)!;
      const actual = computeFeatures(bars, [text]);
      columns.forEach((column, k) => {
        const row = actual.get(column)!.findIndex((value, i) => differs(value, expected[k][i]));
        expect(
          row < 0 ? '' : `${column} row ${row}: ${actual.get(column)![row]}, not ${expected[k][row]}`,
        ).toBe('');
      });
    }
  });
});
