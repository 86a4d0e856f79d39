import { describe, expect, it } from 'vitest';
import { Chance, HOUR, InputError, MINUTE } from '#base';
import { computeFeatures, featureDefinitions } from '#features';
import { type BarColumns, barColumns } from '#market';
import type { Compute } from './columns.ts';
import { findLookAhead } from './look-ahead.ts';
import { findWarmUpBias } from './warm-up.ts';

/** A seeded random walk of five-minute bars. */
function walk(length: number, seed = 'bias'): BarColumns {
  const bars = barColumns(length);
  const chance = new Chance(seed);
  let price = 100;
  for (let i = 0; i < length; i++) {
    const open = price;
    price = open * Math.exp(0.004 * chance.normal());
    bars.time[i] = 1_600_000_200_000 + i * 5 * MINUTE;
    bars.open[i] = open;
    bars.close[i] = price;
    bars.high[i] = Math.max(open, price) * (1 + 0.002 * chance.uniform());
    bars.low[i] = Math.min(open, price) * (1 - 0.002 * chance.uniform());
    bars.volume[i] = 1000 + 500 * chance.uniform();
  }
  bars.length = length;
  return bars;
}

type Column = (bars: BarColumns) => Float64Array;
const each = (bars: BarColumns, value: (i: number) => number) =>
  Float64Array.from({ length: bars.length }, (_, i) => value(i));
const mean = (x: Float64Array, from: number, to: number) => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i]!;
  return sum / (to - from);
};
const deviation = (x: Float64Array) => {
  const m = mean(x, 0, x.length);
  return Math.sqrt(x.reduce((sum, value) => sum + (value - m) ** 2, 0) / x.length);
};
const ema = (x: Float64Array, n: number, start = x[0]!) => {
  let value = start;
  return x.map((price) => {
    value += (2 / (n + 1)) * (price - value);
    return value;
  });
};
const hourOf = (bars: BarColumns, i: number) => Math.floor(bars.time[i]! / HOUR);
const isPivot = ({ high }: BarColumns, i: number) =>
  i >= 3 && i + 3 < high.length && [1, 2, 3].every((k) => high[i]! > high[i - k]! && high[i]! > high[i + k]!);

/** All columns of one kind together, so that the report must tell them apart. */
const together =
  (columns: Record<string, Column>): Compute =>
  (bars) =>
    new Map(Object.entries(columns).map(([name, column]) => [name, column(bars)]));

const peeking: Record<string, Column> = {
  'shifted by one': ({ close }) => close.map((_, i) => close[i + 1] ?? Number.NaN),
  'centred window': (bars) =>
    each(bars, (i) => (i < 5 || i + 6 > bars.length ? Number.NaN : mean(bars.close, i - 5, i + 6))),
  'hour known at its start': (bars) => {
    const last = new Map<number, number>();
    for (let i = 0; i < bars.length; i++) last.set(hourOf(bars, i), bars.close[i]!);
    return each(bars, (i) => last.get(hourOf(bars, i))!);
  },
  'scaler fitted on everything': ({ close }) => {
    const m = mean(close, 0, close.length);
    const sd = deviation(close);
    return close.map((x) => (x - m) / sd);
  },
  'range fitted on everything': ({ close }) => {
    const low = Math.min(...close);
    const high = Math.max(...close);
    return close.map((x) => (x - low) / (high - low));
  },
  'repainting pivot': (bars) => each(bars, (i) => (isPivot(bars, i) ? bars.high[i]! : Number.NaN)),
  'holes filled from behind': (bars) => {
    const out = each(bars, (i) => (i % 7 === 0 ? bars.close[i]! : Number.NaN));
    for (let i = out.length - 2; i >= 0; i--) if (Number.isNaN(out[i]!)) out[i] = out[i + 1]!;
    return out;
  },
  'smoothed there and back': ({ close }) => ema(ema(close, 10).reverse(), 10).reverse(),
  'trend of the whole series taken out': ({ close }) => {
    const n = close.length;
    const slope = (close[n - 1]! - close[0]!) / Math.max(n - 1, 1);
    return close.map((x, i) => x - close[0]! - slope * i);
  },
  'rank among all': ({ close }) => close.map((x) => close.filter((y) => y <= x).length / close.length),
  'drawn between known points': (bars) =>
    each(bars, (i) => {
      const from = i - (i % 12);
      const to = Math.min(from + 12, bars.length - 1);
      return to === from
        ? bars.close[i]!
        : bars.close[from]! + ((bars.close[to]! - bars.close[from]!) * (i - from)) / (to - from);
    }),
  'target as a feature': ({ close }) => close.map((x, i) => Number((close[i + 6] ?? x) > x)),
};

const honest: Record<string, Column> = {
  'shifted back': ({ close }) => close.map((_, i) => close[i - 1] ?? Number.NaN),
  'trailing window': (bars) => each(bars, (i) => (i < 10 ? Number.NaN : mean(bars.close, i - 10, i + 1))),
  'hour closed before': (bars) => {
    let known = Number.NaN;
    return each(bars, (i) => {
      if (i > 0 && hourOf(bars, i) !== hourOf(bars, i - 1)) known = bars.close[i - 1]!;
      return known;
    });
  },
  'scaler fitted on the past': ({ close }) => close.map((x, i) => x - mean(close, 0, i + 1)),
  'pivot when it is known': (bars) =>
    each(bars, (i) => (isPivot(bars, i - 3) ? bars.high[i - 3]! : Number.NaN)),
  smoothed: ({ close }) => ema(close, 10),
};

describe('findLookAhead', () => {
  const bars = walk(600);

  it('names exactly the columns that know the future', () => {
    const report = findLookAhead(bars, together({ ...honest, ...peeking }));
    expect(report.faults.map((fault) => fault.column)).toEqual(Object.keys(peeking).sort());
    expect(Object.keys(peeking).length).toBeGreaterThanOrEqual(10);
    expect(report.cuts).toBeGreaterThanOrEqual(50);
    for (const { row, cut, whole, whenCut } of report.faults) {
      expect(row).toBeLessThanOrEqual(cut);
      expect(whole).not.toBe(whenCut);
    }
  });

  it.each(Object.entries(peeking))('finds it alone: %s', (name, column) => {
    const fault = findLookAhead(bars, together({ [name]: column })).faults[0]!;
    expect(fault.column).toBe(name);
  });

  it('shows where: the shifted column at the cut, the pivot up to three bars before', () => {
    const { faults } = findLookAhead(bars, together(peeking));
    const shifted = faults.find((fault) => fault.column === 'shifted by one')!;
    expect(shifted.row).toBe(shifted.cut);
    expect(shifted.whole).toBe(bars.close[shifted.cut + 1]);
    expect(shifted.whenCut).toBeNaN();
    const pivot = faults.find((fault) => fault.column === 'repainting pivot')!;
    expect(pivot.cut - pivot.row).toBeLessThanOrEqual(3);
  });

  it('cuts at rare signals and at the ones it is told of', () => {
    const long = walk(3000);
    // one signal in 3000 bars, one bar early
    const once: Compute = (cut) =>
      new Map([['once', each(cut, (i) => Number(i === 1717 && cut.length > 1718))]]);
    expect(findLookAhead(long, once).faults).toMatchObject([{ column: 'once', cut: 1717, row: 1717 }]);
    // dense noise hides the one row; the signal is told
    const hidden: Compute = (cut) =>
      new Map([['hidden', each(cut, (i) => (i === 1717 && cut.length > 1718 ? 9 : cut.close[i]!))]]);
    expect(findLookAhead(long, hidden).faults).toEqual([]);
    expect(findLookAhead(long, hidden, { signals: [1717] }).faults).toHaveLength(1);
    const thinned = findLookAhead(long, hidden, {
      signals: Array.from({ length: 2000 }, (_, i) => i),
      cutsMax: 120,
    });
    expect(thinned.cuts).toBe(120);
  });

  it('counts a column that comes and goes as different, and refuses short ones', () => {
    const late: Compute = (cut) => new Map(cut.length > 300 ? [['late', cut.close.map((x) => x)]] : []);
    expect(findLookAhead(bars, late).faults.map((fault) => fault.column)).toEqual(['late']);
    expect(() => findLookAhead(bars, () => new Map([['short', new Float64Array(3)]]))).toThrow(InputError);
    expect(() => findLookAhead(walk(2), together(honest))).toThrow('cannot be cut');
  });

  it('is silent on every feature of the registry', () => {
    const names = featureDefinitions.map((definition) => definition.name);
    const report = findLookAhead(walk(420, 'registry'), (cut) => computeFeatures(cut, names), {
      cutsMax: 60,
    });
    expect(report.faults).toEqual([]);
    expect(report.columns).toBeGreaterThanOrEqual(names.length);
  });
});

const sinceBeginning = (step: (bars: BarColumns, i: number, before: number) => number, start = 0): Column => {
  return (bars) => {
    let value = start;
    return each(bars, (i) => {
      value = step(bars, i, value);
      return value;
    });
  };
};

const remembering: Record<string, Column> = {
  'ema of 400': ({ close }) => ema(close, 400),
  'ema of 200 from zero': ({ close }) => ema(close, 200, 0),
  'ema of an ema': ({ close }) => ema(ema(close, 200), 200),
  'wilder range of 300': (bars) =>
    sinceBeginning(({ high, low }, i, before) =>
      i === 0 ? high[0]! - low[0]! : before + (high[i]! - low[i]! - before) / 300,
    )(bars),
  'cumulative volume': sinceBeginning(
    ({ close, open, volume }, i, sum) => sum + Math.sign(close[i]! - open[i]!) * volume[i]!,
  ),
  'highest ever': sinceBeginning(({ high }, i, before) => Math.max(high[i]!, before)),
  'mean of all before': ({ close }) => {
    let sum = 0;
    return close.map((x, i) => {
      sum += x;
      return sum / (i + 1);
    });
  },
  'fall from the first price': ({ close }) => close.map((x) => x / close[0]! - 1),
  'bar number of a cycle': (bars) => each(bars, (i) => Math.sin(i / 37)),
  'mean of 300': (bars) => each(bars, (i) => (i < 299 ? Number.NaN : mean(bars.close, i - 299, i + 1))),
  'slow filter': sinceBeginning(({ close }, i, before) =>
    i === 0 ? close[0]! : before + 0.004 * (close[i]! - before),
  ),
};

const forgetting: Record<string, Column> = {
  'ema of 20': ({ close }) => ema(close, 20),
  'mean of 100': (bars) => each(bars, (i) => (i < 99 ? Number.NaN : mean(bars.close, i - 99, i + 1))),
  change: ({ close }) => close.map((x, i) => (i === 0 ? Number.NaN : x / close[i - 1]! - 1)),
  'hour of the day': (bars) => each(bars, (i) => hourOf(bars, i) % 24),
  nothing: (bars) => each(bars, () => Number.NaN),
};

describe('findWarmUpBias', () => {
  const bars = walk(2400, 'warm-up');

  it('names exactly the columns that remember the beginning', () => {
    const report = findWarmUpBias(bars, together({ ...forgetting, ...remembering }));
    expect(report.faults.map((fault) => fault.column)).toEqual(Object.keys(remembering).sort());
    expect(Object.keys(remembering).length).toBeGreaterThanOrEqual(10);
    expect(report.histories).toEqual([200, 400, 800, 1600]);
  });

  it.each(Object.entries(remembering))('finds it alone: %s', (name, column) => {
    const fault = findWarmUpBias(bars, together({ [name]: column })).faults[0]!;
    expect(fault.column).toBe(name);
    expect(fault.difference).toBeGreaterThan(0.001);
  });

  it('says how much history is needed', () => {
    const { faults } = findWarmUpBias(bars, together(remembering));
    const needed = Object.fromEntries(faults.map((fault) => [fault.column, fault.needed]));
    expect(needed['mean of 300']).toBe(400);
    expect(faults.find((fault) => fault.column === 'mean of 300')!.difference).toBe(Number.POSITIVE_INFINITY);
    expect(needed['cumulative volume']).toBeNull();
    // (1 - 2/201)^800 = 3.4e-4 of a start that is off by the whole price; ^400 is 0.018
    expect(needed['ema of 200 from zero']).toBe(800);
    // what the declared history settles is no fault
    const { faults: later } = findWarmUpBias(bars, together(remembering), { declared: 800 });
    expect(later.map((fault) => fault.column)).not.toContain('ema of 200 from zero');
    expect(later.map((fault) => fault.column)).not.toContain('mean of 300');
    expect(later.map((fault) => fault.column)).toContain('cumulative volume');
  });

  it('refuses histories that cannot be compared', () => {
    expect(() => findWarmUpBias(walk(300), together(forgetting))).toThrow('fewer than a history');
    expect(() => findWarmUpBias(bars, together(forgetting), { declared: 1600 })).toThrow(
      'cannot be compared',
    );
    expect(() => findWarmUpBias(bars, together(forgetting), { declared: 0 })).toThrow(InputError);
  });

  it('is silent on every feature of the registry but those that count from the beginning by definition', () => {
    const names = featureDefinitions.map((definition) => definition.name);
    const { faults } = findWarmUpBias(walk(1800, 'registry'), (cut) => computeFeatures(cut, names), {
      declared: 300,
      rows: 5,
    });
    // 300 five-minute bars hold the whole session that vwap begins anew with
    expect(faults.map((fault) => fault.column)).toEqual(['obv', 'vwap_cum']);
  });
});
