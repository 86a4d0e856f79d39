import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  featureDrift,
  followParity,
  newParity,
  PARITY_BARS,
  parityReport,
  readPine,
  returnDrift,
} from './pine-parity.ts';

describe('drift to a chart script', () => {
  it('of returns is that of the sheet', () => {
    const theirs = [0.001, -0.0005, 0.002, 0, 0.0003];
    const ours = [0.0011, -0.0005, 0.0018, 0.0001, 0.0003];
    const { meanBp, maxBp } = returnDrift(theirs, ours)!;
    expect(meanBp).toBeCloseTo(0.8, 9);
    expect(maxBp).toBeCloseTo(2, 9);
    expect(returnDrift([], [])).toBeNull();
  });

  it('of returns looks at the newest five hundred', () => {
    const theirs = [1, ...Array(PARITY_BARS).fill(0.0001)];
    const ours = Array(PARITY_BARS + 1).fill(0);
    expect(returnDrift(theirs, ours)!.meanBp).toBeCloseTo(1, 9);
  });

  it('of features is in their units', () => {
    expect(featureDrift(101, 100, 'price', 10_000)).toBeCloseTo(1, 12);
    expect(featureDrift(55, 54.99, 'points', 1)).toBeCloseTo(1, 9);
    expect(featureDrift(0.0002, 0.0001, 'fraction', 1)).toBeCloseTo(1, 12);
  });
});

describe('what a script sends', () => {
  it.each([
    ['{"time":60000,"values":{"rsi14":55.5,"r1":-1e-4,"body":null}}', 2],
    ['{"time":60000,"values":{}}', 0],
    ['{"time":060000,"values":{}}', null],
    ['{"time":60000,"values":{"rsi14":51,"signal":"buy","ok":true,"no":false,"RSI 14":51}}', 1],
    ['{"time":60000,"values":{"a":"__proto__"}}', 0],
    ['{"time":60000,"values":{"__proto__":1,"a":"\\u0000\\"}","b":2}}', 2],
    ['{"time":60000,"values":{"a":{}}}', null],
    ['{"time":60000,"values":{"a":"\\x"}}', null],
    ['{"time":60000,"values":{"a":"b}}', null],
    [`{"time":60000,"values":{"${'a'.repeat(41)}":1}}`, 0],
    ['{"time":60000,"values":{"a":1},"more":1}', null],
    ['{"time":1e999,"values":{"a":1}}', null],
    ['[]', null],
    ['', null],
    [7, null],
    [undefined, null],
  ])('%s', (text, known) => {
    expect(readPine(text)?.values.size ?? null).toBe(known);
  });
});

describe('whatever a script sends', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 64 }),
    fc.constantFrom('rsi14', 'r1', '__proto__'),
  );
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    text,
  );

  it('voids no number beside it', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value, { maxKeys: 64 }), (values) => {
        const read = readPine(JSON.stringify({ time: 60_000, values: { ...values, rsi14: 51.5 } }));
        expect(read?.values.get('rsi14')).toBe(51.5);
      }),
      { numRuns: 200 },
    );
  });

  it('is no reason to fail or to take long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (more) => {
        readPine(`{"time":60000,"values":{"a":1${more}}}`);
        readPine(`{"time":60000,"values":{"a":"${more}"}}`);
      }),
      { numRuns: 200 },
    );
    for (const piece of ['"a":"', '\\', '"a":1,', '"\\u000'])
      expect(readPine(`{"time":60000,"values":{${piece.repeat(10_000)}`)).toBeNull();
  });
});

describe('parity from bar to bar', () => {
  const features = [{ name: 'r1', at: 0, unit: 'fraction' as const }];
  const own = (time: number, value: number) => ({ time, close: 1, values: [value] });
  const pine = (time: number, value: number) => ({ time, values: new Map([['r1', value]]) });

  it('is not known before something was compared', () => {
    const memory = newParity();
    expect(followParity(memory, own(1, 0), null, features)).toBeNull();
    expect(followParity(memory, own(2, 0), pine(9, 0), features)).toBeNull();
    expect(followParity(memory, own(3, 0), { time: 3, values: new Map() }, features)).toBeNull();
  });

  it('compares each bar once, also when the script is late', () => {
    const memory = newParity();
    followParity(memory, own(1, 0.0001), null, features);
    expect(followParity(memory, own(2, 0.0001), pine(1, 0.0002), features)).toBeCloseTo(1, 9);
    expect(followParity(memory, own(3, 0.0001), pine(1, 0.9), features)).toBeCloseTo(1, 9);
    expect(followParity(memory, own(4, 0.0001), pine(4, 0.0004), features)).toBeCloseTo(2, 9);
  });

  it('keeps what it needs and no more', () => {
    const memory = newParity();
    for (let t = 1; t <= PARITY_BARS + 50; t++) followParity(memory, own(t, 0), pine(t, 0), features);
    expect(memory.drifts).toHaveLength(PARITY_BARS);
    expect(memory.waiting.length).toBeLessThanOrEqual(8);
  });
});

describe('what is told of parity', () => {
  const features = [
    { name: 'r1', at: 0, unit: 'fraction' as const },
    { name: 'rsi14', at: 1, unit: 'points' as const },
    { name: 'body', at: 2, unit: 'fraction' as const },
  ];
  const follow = (memory: ReturnType<typeof newParity>, time: number, values: Record<string, number>) =>
    followParity(
      memory,
      { time, close: 1, values: [0, 50, 0] },
      { time, values: new Map(Object.entries(values)) },
      features,
    );

  it('is nothing before a bar was compared', () => {
    expect(parityReport(newParity(), features)).toMatchObject({
      bars: 0,
      meanBp: null,
      maxBp: null,
      drifts: [],
      features: [{ name: 'r1', bars: 0, meanBp: null, maxBp: null }, {}, {}],
    });
  });

  it('is the mean and the largest of bars and of features, each by its own bars', () => {
    const memory = newParity();
    follow(memory, 1, { r1: 0.0001, rsi14: 50.03 });
    follow(memory, 2, { r1: -0.0003 });
    const report = parityReport(memory, features);
    expect(report.times).toEqual([1, 2]);
    expect(report.drifts[0]).toBeCloseTo(2, 9);
    expect(report.drifts[1]).toBeCloseTo(3, 9);
    expect([report.meanBp, report.maxBp]).toEqual([
      expect.closeTo(2.5, 9) as number,
      expect.closeTo(3, 9) as number,
    ]);
    const [r1, rsi, body] = report.features;
    expect(r1).toEqual({ name: 'r1', bars: 2, meanBp: expect.closeTo(2, 9), maxBp: expect.closeTo(3, 9) });
    expect(rsi).toEqual({
      name: 'rsi14',
      bars: 1,
      meanBp: expect.closeTo(3, 9),
      maxBp: expect.closeTo(3, 9),
    });
    expect(body!.meanBp).toBeNull();
  });

  it('forgets what is old, of bars one by one and of features in blocks', () => {
    const memory = newParity();
    for (let t = 1; t <= 1_030; t++) {
      const off = t <= 500 ? 0.01 : 0.0001;
      const mean = follow(memory, t, { r1: off });
      expect(mean).toBeCloseTo(parityReport(memory, features).meanBp!, 6);
    }
    const { bars, maxBp, times, features: each } = parityReport(memory, features);
    expect([bars, times[0], times.at(-1)]).toEqual([PARITY_BARS, 531, 1_030]);
    expect(maxBp).toBeCloseTo(1, 9);
    expect(each[0]!.bars).toBe(480);
    expect(each[0]!.maxBp).toBeCloseTo(1, 9);
    // snapshots hold it: it does not grow with the run
    expect(JSON.stringify(memory).length).toBeLessThan(40_000);
  });
});
