import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, captureState, InputError, MINUTE, restoreState } from '#base';
import { type BarColumns, barColumns } from '#market';
import { computeFeatures, FeatureFrame } from './feature-frame.ts';

function pushClose(frame: FeatureFrame, i: number, close: number): void {
  frame.push(i * MINUTE, close, close + 1, close - 1, close, 10);
}

describe('FeatureFrame', () => {
  it('answers by handle and by how long ago', () => {
    const frame = new FeatureFrame(['sma:3', 'max:2']);
    const sma = frame.column('sma_3');
    expect(frame.last).toBe(-1);
    expect(frame.value(sma)).toBeNaN();
    for (let i = 0; i < 5; i++) pushClose(frame, i, 10 + i);
    expect(frame.count).toBe(5);
    expect(frame.last).toBe(4);
    expect(frame.value(sma)).toBe(13);
    expect(frame.value(sma, 2)).toBe(11);
    expect(frame.value(sma, 3)).toBeNaN();
    expect(frame.value(sma, 5)).toBeNaN();
    expect(frame.value(sma, -1)).toBeNaN();
    expect(frame.value(frame.column('max_2'), 1)).toBe(13);
    expect(frame.bars.close[frame.last]).toBe(14);
    expect(frame.bars.length).toBe(5);
  });

  it('has one kernel per distinct request', () => {
    const frame = new FeatureFrame(['rsi:14', 'rsi', 'RSI:14', 'bbands:20:2.0', 'bbands:20:2']);
    expect(frame.requests).toEqual(['rsi:14', 'bbands:20:2']);
    expect(frame.columns.length).toBe(6);
  });

  it('refuses an unknown column and names the nearest', () => {
    const frame = new FeatureFrame(['rsi:14', 'macd:12:26:9']);
    expect(() => frame.column('macd_12_26_9_sginal')).toThrow(InputError);
    try {
      frame.column('macd_12_26_9_sginal');
    } catch (error) {
      expect((error as InputError).mend).toContain("'macd_12_26_9_signal'");
    }
    expect(() => new FeatureFrame([]).column('rsi_14')).toThrow(InputError);
    expect(() => new FeatureFrame(['rsy:14'])).toThrow(InputError);
  });

  it('keeps 2048 rows, more where a kernel looks back further, and never less than kernels need', () => {
    expect(new FeatureFrame(['rsi:14']).capacity).toBe(2048);
    expect(new FeatureFrame(['sma:3000']).capacity).toBe(3512);
    expect(new FeatureFrame(['sma:30'], { capacity: 5 }).capacity).toBe(32);
    expect(new FeatureFrame([], { capacity: 100 }).capacity).toBe(100);
  });

  it('takes bars in where they are missing, as if they had come in time', () => {
    const requests = ['sma:3', 'rsi:5', 'bbands:4:2', 'volume_ratio:6', 'obv'];
    const chance = new Chance('mend');
    const bars = Array.from({ length: 40 }, (_, i) => {
      const close = 100 + chance.normal();
      return {
        time: i * MINUTE,
        open: close,
        high: close + 1,
        low: close - 1,
        close,
        volume: 1 + (i % 3),
      };
    });
    const put = (frame: FeatureFrame, { time, open, high, low, close, volume }: (typeof bars)[number]) =>
      frame.push(time, open, high, low, close, volume);
    const [frame, truth] = [
      new FeatureFrame(requests, { capacity: 24 }),
      new FeatureFrame(requests, { capacity: 24 }),
    ];
    const missing = [9, 10, 16];
    for (const [i, bar] of bars.slice(0, 20).entries()) {
      put(truth, bar);
      if (!missing.includes(i)) put(frame, bar);
    }
    expect([...frame.latest]).not.toEqual([...truth.latest]);
    // out of order, with one that is there, one too old and one too new
    const other = { ...bars[5]!, close: 1 };
    frame.mend([bars[16]!, other, bars[9]!, bars[10]!, { ...bars[0]!, time: -MINUTE }, bars[30]!]);
    expect(frame).toMatchObject({ count: 20, mended: 1 });
    frame.mend([bars[9]!, bars[30]!]);
    expect(frame.mended).toBe(1);
    const copy = new FeatureFrame(requests, { capacity: 24 });
    restoreState(copy, captureState(frame));
    for (const bar of bars.slice(20)) {
      for (const one of [frame, truth, copy]) put(one, bar);
      expect([...frame.latest]).toEqual([...truth.latest]);
      expect([...copy.latest]).toEqual([...truth.latest]);
      expect([...frame.bars.time.subarray(0, frame.bars.length)]).toEqual([
        ...truth.bars.time.subarray(0, truth.bars.length),
      ]);
    }
  });

  it('drops the older half when it is full and counts on', () => {
    const frame = new FeatureFrame(['sma:2'], { capacity: 10 });
    const lengths = [];
    for (let i = 0; i < 24; i++) {
      pushClose(frame, i, i);
      lengths.push(frame.bars.length);
      expect(frame.bars.close[frame.last]).toBe(i);
      expect(frame.bars.time[frame.last]).toBe(i * MINUTE);
      if (i > 0) expect(frame.value(frame.column('sma_2'))).toBe(i - 0.5);
    }
    expect(frame.count).toBe(24);
    expect(Math.max(...lengths)).toBe(10);
    expect(lengths.slice(9, 13)).toEqual([10, 6, 7, 8]);
    expect(frame.value(frame.column('sma_2'), 3)).toBe(19.5);
  });

  it('keeps its bars object through a restore', () => {
    const first = new FeatureFrame(['ema:3', 'mc:5:2:10', 'ultosc:2:3:4'], { capacity: 12 });
    for (let i = 0; i < 30; i++) pushClose(first, i, 100 + Math.sin(i));
    const second = new FeatureFrame(['ema:3', 'mc:5:2:10', 'ultosc:2:3:4'], { capacity: 12 });
    const { bars } = second;
    restoreState(second, JSON.parse(JSON.stringify(captureState(first))));
    expect(second.bars).toBe(bars);
    expect(bars.length).toBe(first.bars.length);
    for (const column of first.columns) {
      for (let ago = 0; ago < 5; ago++) {
        expect(second.value(second.column(column), ago)).toBe(first.value(first.column(column), ago));
      }
    }
    pushClose(first, 30, 99);
    pushClose(second, 30, 99);
    expect(captureState(second)).toEqual(captureState(first));
  });

  it('has nothing of the fixed noise in a snapshot', () => {
    const frame = new FeatureFrame(['mc:5:2:1000'], { capacity: 8 });
    expect(JSON.stringify(captureState(frame)).length).toBeLessThan(8000);
  });
});

describe('computeFeatures', () => {
  it('fills arrays as long as the bars, not as their capacity', () => {
    const bars = barColumns(10);
    bars.length = 4;
    bars.close.set([1, 2, 3, 4]);
    const out = computeFeatures(bars, ['sma:2']);
    expect([...out.keys()]).toEqual(['sma_2']);
    expect([...out.get('sma_2')!]).toEqual([Number.NaN, 1.5, 2.5, 3.5]);
  });
});

describe('a frame that follows a tape', () => {
  const REQUESTS = ['ema:3', 'mc:5:2:10', 'ultosc:2:3:4', 'stoch:5', 'adx:4', 'vwap', 'max:7', 'linreg:6'];

  /** A walk of `n` bars. */
  function walk(n: number, seed: string): BarColumns {
    const chance = new Chance(seed);
    const tape = barColumns(n);
    let price = 100;
    for (let i = 0; i < n; i++) {
      const close = price * Math.exp(0.01 * chance.normal());
      tape.time[i] = i * MINUTE;
      tape.open[i] = price;
      tape.close[i] = close;
      tape.high[i] = Math.max(price, close) * 1.001;
      tape.low[i] = Math.min(price, close) * 0.999;
      tape.volume[i] = 10 * chance.uniform();
      price = close;
    }
    tape.length = n;
    return tape;
  }

  function push(frame: FeatureFrame, tape: BarColumns, row: number, more = 0): void {
    const { time, open, high, low, close, volume } = tape;
    frame.push(time[row]!, open[row]!, high[row]!, low[row]!, close[row]!, volume[row]! + more);
  }

  function expectEqual(a: FeatureFrame, b: FeatureFrame): void {
    expect(a.count).toBe(b.count);
    expect(a.bars.length).toBe(b.bars.length);
    expect([...a.latest]).toEqual([...b.latest]);
    a.columns.forEach((_, handle) => {
      for (const ago of [0, 1, 2, 5, 30]) expect(a.value(handle, ago)).toBe(b.value(handle, ago));
    });
  }

  it('has the values of one that does not, whatever comes instead of the tape, and when it is captured', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 10, max: 300 }),
        fc.record({ skip: fc.nat(900), other: fc.nat(900), capture: fc.nat(900) }),
        (n, capacity, at) => {
          const tape = walk(n, `${n}`);
          let follows = new FeatureFrame(REQUESTS, { capacity });
          follows.follow(tape);
          const plain = new FeatureFrame(REQUESTS, { capacity });
          for (let row = 0; row < n; row++) {
            if (row === at.skip) continue;
            for (const frame of [follows, plain]) push(frame, tape, row, row === at.other ? 1 : 0);
            if (row % 50 === 0) expectEqual(follows, plain);
            if (row !== at.capture) continue;
            const captured = JSON.parse(JSON.stringify(captureState(follows)));
            follows = new FeatureFrame(REQUESTS, { capacity });
            follows.follow(tape);
            restoreState(follows, captured);
          }
          expectEqual(follows, plain);
        },
      ),
      // the first bar after a snapshot is the one for which the window drops rows
      { numRuns: 100, examples: [[746, 297, { skip: 0, other: 0, capture: 744 }]] },
    );
  });

  it('goes on by itself from any row, also one that made the window drop rows', () => {
    const n = 60;
    const tape = walk(n, 'any row');
    for (let other = 0; other < n; other++) {
      const follows = new FeatureFrame(REQUESTS, { capacity: 16 });
      follows.follow(tape);
      const plain = new FeatureFrame(REQUESTS, { capacity: 16 });
      for (let row = 0; row < n; row++) {
        for (const frame of [follows, plain]) push(frame, tape, row, row === other ? 1 : 0);
        expectEqual(follows, plain);
      }
    }
  });

  it('shows nothing of what comes', () => {
    const tape = walk(600, 'hidden');
    const frame = new FeatureFrame(REQUESTS, { capacity: 300 });
    frame.follow(tape);
    for (let row = 0; row < 200; row++) push(frame, tape, row);
    expect(frame.bars.length).toBe(200);
    expect([...frame.bars.close.subarray(200)].every((close) => close === 0)).toBe(true);
    expect(frame.value(0, -1)).toBeNaN();
  });

  it('begins with the first bar only', () => {
    const tape = walk(5, 'late');
    const frame = new FeatureFrame(REQUESTS);
    push(frame, tape, 0);
    expect(() => frame.follow(tape)).toThrow('from its first bar');
  });
});
