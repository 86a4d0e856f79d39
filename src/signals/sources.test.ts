import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, MINUTE } from '#base';
import { FeatureFrame } from '#features';
import { defineInstrument, type InstrumentId } from '#market';
import {
  bracketProbability,
  breakoutSource,
  crossed,
  crossSource,
  type LocalSource,
  monteCarloForecast,
  nowcastForecast,
  proposeSpread,
  type Signal,
  type Source,
  signalFault,
  spreadConfig,
  spreadReading,
  spreadSource,
  thresholdSource,
  type View,
} from './index.ts';

const A = defineInstrument({ id: 'A.TEST' });
const B = 'B.TEST' as InstrumentId;
const STEP = 5 * MINUTE;

interface Extra {
  readonly peer?: FeatureFrame | null;
  readonly seen?: { value: number | string; publishedAt: number } | null;
}

function viewOf(frame: FeatureFrame, extra: Extra = {}): View {
  const { bars } = frame;
  const last = bars.length - 1;
  return {
    at: bars.time[last]! + STEP,
    instrument: A,
    intervalMs: STEP,
    count: frame.count,
    open: bars.open[last]!,
    high: bars.high[last]!,
    low: bars.low[last]!,
    close: bars.close[last]!,
    volume: bars.volume[last]!,
    frame,
    peer: (id) => (id === B ? (extra.peer ?? null) : null),
    funding: () => null,
    observation: (subject) => (subject === 'cpi' ? (extra.seen ?? null) : null),
  };
}

/** Plays closes through a source, bar by bar, and gives its answers. */
function play(part: Source, closes: readonly number[], extra: Extra = {}): (Signal | null)[] {
  const local = part as unknown as LocalSource;
  const requests = Object.values(local.features).map((text) => text.split('/')[0]!);
  const frame = new FeatureFrame(requests);
  const state = local.state();
  return closes.map((close, i) => {
    frame.push(i * STEP, close, close, close, close, 1);
    const values = Object.fromEntries(
      Object.entries(local.features).map(([name, expression]) => {
        const [request, output] = expression.split('/');
        const column = request!.replaceAll(':', '_') + (output ? `_${output}` : '');
        return [name, frame.value(frame.column(column))];
      }),
    );
    return local.signal(viewOf(frame, extra), values, state);
  });
}

const valuesOf = (signals: readonly (Signal | null)[]) =>
  signals.map((s) => (s === null ? 0 : s.kind === 'score' ? s.value : Number.NaN));

describe('cross', () => {
  it('speaks when the sign changes, not on the first difference', () => {
    const state = { side: 0 as 1 | 0 | -1 };
    const seen = [1, 2, -1, -2, 3].map((d) => crossed(state, d, 0));
    expect(seen).toEqual([0, 0, -1, 0, 1]);
  });

  it('a touch that turns back is no cross, a touch that goes through is one, on the bar that leaves', () => {
    const back = { side: 0 as 1 | 0 | -1 };
    expect([1, 0, 0, 1].map((d) => crossed(back, d, 0))).toEqual([0, 0, 0, 0]);
    const through = { side: 0 as 1 | 0 | -1 };
    expect([1, 0, 0, -1].map((d) => crossed(through, d, 0))).toEqual([0, 0, 0, -1]);
  });

  it('leading zeros and undefined values are no side', () => {
    const state = { side: 0 as 1 | 0 | -1 };
    expect([Number.NaN, 0, 1, Number.NaN, -1].map((d) => crossed(state, d, 0))).toEqual([0, 0, 0, 0, -1]);
  });

  it('crosses alternate, and their number is that of sign changes among non-zero differences', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2, max: 2 })), (differences) => {
        const state = { side: 0 as 1 | 0 | -1 };
        const crosses = differences.map((d) => crossed(state, d, 0)).filter((c) => c !== 0);
        for (let i = 1; i < crosses.length; i++) expect(crosses[i]).toBe(-crosses[i - 1]!);
        const signs = differences.filter((d) => d !== 0).map(Math.sign);
        expect(crosses.length).toBe(signs.filter((s, i) => i > 0 && s !== signs[i - 1]).length);
      }),
      { numRuns: 1000 },
    );
  });

  it('as a source crosses two moving averages', () => {
    const closes = [10, 10, 10, 9, 8, 9, 12, 14, 14, 10, 6];
    // sma 1 against sma 3: equal, then below on the first fall (the first side), above at 12, below at 10
    expect(valuesOf(play(crossSource({ fast: 'sma:1', slow: 'sma:3' }), closes))).toEqual([
      0, 0, 0, 0, 0, 1, 0, 0, 0, -1, 0,
    ]);
    expect(() => crossSource({ fast: 'sma:1', slow: 'sma:3', horizonBars: 0 })).toThrow(InputError);
  });
});

describe('threshold', () => {
  const closes = [25, 50, 25, 20, 50, 80, 75, 50];
  const zones = { feature: 'sma:1', long: { below: 30 }, short: { above: 70 } } as const;

  it('speaks on entering a zone; the first value enters none', () => {
    expect(valuesOf(play(thresholdSource(zones), closes))).toEqual([0, 0, 1, 0, 0, -1, 0, 0]);
  });

  it('speaks on every bar inside a zone where asked to', () => {
    expect(valuesOf(play(thresholdSource({ ...zones, when: 'inside' }), closes))).toEqual([
      1, 0, 1, 1, 0, -1, -1, 0,
    ]);
  });

  it('the bound itself is outside', () => {
    expect(valuesOf(play(thresholdSource({ ...zones, when: 'inside' }), [30, 70, 29.9, 70.1]))).toEqual([
      0, 0, 1, -1,
    ]);
  });

  it('refuses zones that hold nothing or everything', () => {
    expect(() => thresholdSource({ feature: 'sma:1' })).toThrow(InputError);
    expect(() => thresholdSource({ feature: 'sma:1', long: {} })).toThrow(InputError);
    expect(() => thresholdSource({ feature: 'sma:1', long: { above: 3, below: 3 } })).toThrow(InputError);
    expect(() => thresholdSource({ feature: 'sma:1', long: { above: Number.NaN } })).toThrow(InputError);
  });
});

describe('breakout', () => {
  it('breaks the channel of the bars before, not by touching it', () => {
    const closes = [5, 6, 7, 7, 8, 4, 4, 3];
    // channel of 3: 5..7 -> 7 touches, 8 breaks up, 4 breaks down, 4 touches, 3 breaks down
    expect(valuesOf(play(breakoutSource({ bars: 3 }), closes))).toEqual([0, 0, 0, 0, 1, -1, 0, -1]);
  });

  it('is silent after a bar it was not shown', () => {
    const part = breakoutSource({ bars: 2 }) as unknown as LocalSource;
    const state = part.state();
    const frame = new FeatureFrame(['sma:1']);
    const at = (close: number) => {
      frame.push(frame.count * STEP, close, close, close, close, 1);
      return viewOf(frame);
    };
    expect(part.signal(at(1), { upper: 1, lower: 1 }, state)).toBeNull();
    at(2);
    expect(part.signal(at(5), { upper: 5, lower: 2 }, state)).toBeNull();
    expect(part.signal(at(6), { upper: 6, lower: 5 }, state)).toMatchObject({ value: 1 });
    expect(() => breakoutSource({ bars: 2.5 })).toThrow(InputError);
  });
});

describe('forecasts', () => {
  it('Monte Carlo claims up at the horizon with the simulated share', () => {
    const closes = Array.from({ length: 130 }, (_, i) => 100 * 1.001 ** i * (i % 2 === 0 ? 1 : 1.0005));
    const signals = play(monteCarloForecast({ paths: 200 }), closes);
    expect(signals.slice(0, 100).every((s) => s === null)).toBe(true);
    const last = signals.at(-1)!;
    expect(last).toMatchObject({ kind: 'forecast', claim: 'up-at-horizon', horizonMs: 12 * STEP });
    expect(last.kind === 'forecast' && last.probability).toBeGreaterThan(0.9);
    expect(() => monteCarloForecast({ paths: 0 })).toThrow(InputError);
  });

  it('a nowcast gives the printed probabilities', () => {
    // mu 40, sigma 3
    expect(bracketProbability(40, 3, 38.5)).toBeCloseTo(0.691462, 6);
    expect(bracketProbability(40, 3, 40.5)).toBeCloseTo(0.433816, 6);
    expect(bracketProbability(40, 3, 37.5, 39.5)).toBeCloseTo(0.231488, 6);
    expect(bracketProbability(40, 3, 45.5)).toBeCloseTo(0.033377, 6);
    expect(bracketProbability(40, 3, undefined, 38.5)).toBeCloseTo(1 - 0.691462, 6);
    // Q(10) - Q(11) = 7.619853024e-24 - 1.910660e-28: the far tail keeps its digits
    expect(bracketProbability(0, 1, 10, 11) / 7.619661958e-24).toBeCloseTo(1, 6);
  });

  it('a nowcast is silent on what is missing, old, no number or over', () => {
    const config = { subject: 'cpi', sigma: 0.1, above: 0.25, ageMsMax: 1000, resolvesAt: 10 * STEP };
    const once = (seen: Extra['seen'], change = {}) =>
      play(nowcastForecast({ ...config, ...change }), [1], { seen: seen ?? null })[0];
    expect(once({ value: 0.27, publishedAt: STEP - 1000 })).toMatchObject({
      claim: 'resolves-yes',
      horizonMs: 9 * STEP,
    });
    expect(once(null)).toBeNull();
    expect(once({ value: 0.27, publishedAt: STEP - 1001 })).toBeNull();
    expect(once({ value: 'high', publishedAt: STEP })).toBeNull();
    expect(once({ value: Number.NaN, publishedAt: STEP })).toBeNull();
    expect(once({ value: 0.27, publishedAt: STEP }, { resolvesAt: STEP })).toBeNull();
    expect(() => nowcastForecast({ ...config, sigma: 0 })).toThrow(InputError);
    expect(() => nowcastForecast({ ...config, below: 0.25 })).toThrow(InputError);
  });
});

describe('spread', () => {
  const frameOf = (closes: readonly number[], shift = 0) => {
    const frame = new FeatureFrame(['sma:1']);
    closes.forEach((c, i) => {
      frame.push((i + shift) * STEP, c, c, c, c, 1);
    });
    return frame;
  };
  const config = spreadConfig({ peer: B, window: 4, entry: 1, exit: 0.5, legValue: 1000, costRate: 0.0005 });

  it('reads the z-score of the log ratio', () => {
    const ratio = [1, 1.01, 0.99, 1.03];
    const reading = spreadReading(frameOf(ratio.map((r) => 50 * r)).bars, frameOf([50, 50, 50, 50]).bars, 4)!;
    const logs = ratio.map(Math.log);
    const mean = logs.reduce((a, b) => a + b) / 4;
    const deviation = Math.sqrt(logs.reduce((a, b) => a + (b - mean) ** 2, 0) / 4);
    expect(reading.deviation).toBeCloseTo(deviation, 12);
    expect(reading.z).toBeCloseTo((logs[3]! - mean) / deviation, 9);
  });

  it('needs the same bars on both sides and a ratio that moves', () => {
    const a = frameOf([1, 2, 3, 4, 5]);
    expect(spreadReading(a.bars, frameOf([1, 2, 3, 4, 5], 1).bars, 4)).toBeNull();
    expect(spreadReading(a.bars, frameOf([2, 4, 6, 8, 10]).bars, 4)).toBeNull();
    expect(spreadReading(a.bars, frameOf([3, 3, 3]).bars, 4)).toBeNull();
    // a longer history on one side is no obstacle
    expect(spreadReading(a.bars, frameOf([9, 9, 9, 9, 9, 9], -1).bars, 4)).not.toBeNull();
  });

  it('sells the dear leg and buys the cheap one at equal value', () => {
    const legs = { instrument: A.id, price: 50, peerPrice: 20 };
    const dear = proposeSpread({ z: 2, deviation: 0.01 }, legs, config)!;
    expect(dear.legs).toEqual([
      { instrument: A.id, side: 'sell', quantity: 20, limitPrice: null },
      { instrument: B, side: 'buy', quantity: 50, limitPrice: null },
    ]);
    // (2 - 0.5) x 1 % of 1000 less four orders at 0.5; (4 - 2) x 1 % of 1000 and the same costs
    expect(dear.expectedEdge).toBeCloseTo(13, 12);
    expect(dear.worstLoss).toBeCloseTo(22, 12);
    const cheap = proposeSpread({ z: -2, deviation: 0.01 }, legs, config)!;
    expect(cheap.legs.map((l) => l.side)).toEqual(['buy', 'sell']);
    expect(proposeSpread({ z: 0.9, deviation: 0.01 }, legs, config)).toBeNull();
    expect(proposeSpread({ z: 4, deviation: 0.01 }, legs, config)).toBeNull();
    expect(proposeSpread({ z: 2, deviation: 0.001 }, legs, config)).toBeNull();
    expect(proposeSpread({ z: Number.NaN, deviation: 0.01 }, legs, config)).toBeNull();
  });

  it('as a source proposes a usable pair, and nothing without its peer', () => {
    const closes = [50, 50.5, 49.5, 53];
    const part = spreadSource(config);
    const signal = play(part, closes, { peer: frameOf([20, 20, 20, 20]) }).at(-1)!;
    expect(signal).toMatchObject({ kind: 'proposal', source: 'spread' });
    expect(signalFault(signal)).toBeNull();
    expect(play(part, closes).at(-1)).toBeNull();
    expect(() => spreadSource({ ...config, exit: 2 })).toThrow(InputError);
    expect(() => spreadSource({ ...config, legValue: Number.NaN })).toThrow(InputError);
  });
});
