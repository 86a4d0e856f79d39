import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KnownConfigs, type ReadBody, readBarRequest } from '#adapters';
import { Chance, MINUTE } from '#base';
import { s1Momentum, s1Parameters } from '#desks';
import { NO_RESOURCES } from '#engine';
import { type Bar, columnsOfBars } from '#market';
import { decidePromotion, PROFILES } from '#research';
import {
  BARRIER_MODEL_SOURCE,
  type ChartValues,
  chartParity,
  PARITY_BARS,
  PARITY_FEATURES,
  REGIME_RETURN,
  readPine,
  S1_FEATURE_NAMES,
} from '#signals';
import { pineFigures, pineNumber, pinePayload } from '../../scripts/pine-twin.ts';
import { s1Series, seriesOf } from '../../src/apps/ingest/series.ts';
import { measuredParity } from '../../src/apps/validate/chart-parity-run.ts';

const root = join(import.meta.dirname, '../..');
const SCRIPT = readFileSync(join(root, 'docs/pine/s1-rx68.pine'), 'utf8');
const QUARTER = 15 * MINUTE;
const CONFIG = 'S1_RX68_BTC_15M';
const configs = new KnownConfigs(seriesOf(s1Series({})));
const ids = configs.list.map(({ id }) => id);

/** Names of JSON members in the order in which the script writes them. */
function membersOf(script: string): { outer: string[]; pine: string[] } {
  const code = script.replace(/^\s*\/\/.*$/gm, '');
  const line = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(code)?.[1] ?? '';
  const literal = (text: string) => [...text.matchAll(/"(\w+)":/g)].map(([, name]) => name!);
  const fields = (text: string) => [...text.matchAll(/field\("(\w+)"/g)].map(([, name]) => name!);
  // the parts of the message in their order, each read where the script makes it
  const partsOf = (text: string) => text.match(/\b(?:head|bar|pine|token)\b/g) ?? [];
  const [beforeTime, afterTime] = line('payload').split('"sent_at"');
  const outer = [
    ...partsOf(beforeTime!).flatMap((part) => literal(line(part))),
    'sent_at',
    ...partsOf(afterTime!).flatMap((part) => literal(line(part))),
  ];
  const groups = /'"pine":\{' \+ (.*) \+ "\}"$/.exec(line('pine'))![1]!.split(' + "," + ');
  return { outer, pine: groups.flatMap((group) => fields(line(group))) };
}

/** A market with trends and quiet stretches. */
function marketOf(count: number, seed: string, begin = 60_000): Bar[] {
  const chance = new Chance(seed);
  const tenths = (price: number) => Math.round(price * 10) / 10;
  let price = begin;
  return Array.from({ length: count }, (_, i) => {
    const open = price;
    price = tenths(price * Math.exp(0.001 * Math.sin(i / 25) + 0.0008 * chance.normal()));
    const high = tenths(Math.max(open, price) + 40 * chance.uniform());
    const low = tenths(Math.min(open, price) - 40 * chance.uniform());
    return {
      time: Date.UTC(2025, 0, 1) + i * QUARTER,
      open,
      high,
      low,
      close: price,
      volume: Math.round(chance.uniform() * 1e6) / 1e3,
    };
  });
}

/** What the endpoint makes of a message. */
function accepted(text: string, now: number): ReadBody {
  const read = readBarRequest(text, configs, ids, now, 0);
  if ('reason' in read) throw new Error(`${read.reason}: ${read.message}`);
  return read;
}

/** From the message of an alert to what the desk compares. */
function throughEndpoint(text: string, now: number): { bar: Bar; values: ChartValues } {
  const { record } = accepted(text, now);
  const { barTime: time, open, high, low, close, volume, pine } = record;
  const values = pine === null ? null : readPine(JSON.stringify({ time, values: pine }))!.values;
  return { bar: { time, open, high, low, close, volume }, values };
}

describe('the Pine script', () => {
  const figures = pineFigures(marketOf(300, 'names'));
  const payload = pinePayload({
    configId: CONFIG,
    bar: marketOf(300, 'names').at(-1)!,
    figures: figures.at(-1)!,
    index: 299,
    sentAt: 1,
    token: 'a-token-of-the-body',
  });

  it('is of version 6, speaks at the close of a bar, and posts once', () => {
    expect(SCRIPT.startsWith('//@version=6\n')).toBe(true);
    expect(SCRIPT).toMatch(/if barstate\.isconfirmed\n {4}alert\(payload, alert\.freq_once_per_bar_close\)/);
    expect(SCRIPT.match(/\balert\(\w/g)).toHaveLength(1);
    // nothing of another chart, and nothing of later
    expect(SCRIPT).not.toMatch(/lookahead|request\./);
    expect(SCRIPT).not.toMatch(/ta\.stdev\(/);
  });

  it('writes the members that its twin here writes, in their order', () => {
    const { outer, pine } = membersOf(SCRIPT);
    const twin = JSON.parse(payload) as Record<string, unknown>;
    expect(outer).toEqual(Object.keys(twin));
    expect(pine).toEqual(Object.keys(twin.pine as object));
  });

  it('names only features that are compared, all that bars give, and the return', () => {
    const { pine } = membersOf(SCRIPT);
    const compared = PARITY_FEATURES.map(({ name }) => name);
    expect(pine).toEqual([...compared.filter((name) => name !== 'funding_tilt'), REGIME_RETURN]);
    expect(compared).toEqual(S1_FEATURE_NAMES);
  });

  it('is taken by the endpoint, token and all', () => {
    const { record, token } = accepted(payload, marketOf(300, 'names').at(-1)!.time + QUARTER);
    expect(token).toBe('a-token-of-the-body');
    expect(record).toMatchObject({ config: CONFIG, sentAt: 1, close: marketOf(300, 'names').at(-1)!.close });
    expect(Object.values(record.pine!).every((value) => typeof value === 'number')).toBe(true);
  });

  it('sends null for what is not known yet, and such a bar is a bar', () => {
    const bars = marketOf(12, 'young');
    const text = pinePayload({
      configId: CONFIG,
      bar: bars[11]!,
      figures: pineFigures(bars)[11]!,
      index: 11,
      sentAt: 1,
    });
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
    const { bar, values } = throughEndpoint(text, bars[11]!.time + QUARTER);
    expect(bar).toEqual(bars[11]);
    expect([...values!]).toEqual([]);
  });

  it.each([
    [0, '0'],
    [1704067200000, '1704067200000'],
    [0.1, '0.1'],
    [-0.00000004, '-0.00000004'],
    [1e-12, '0'],
    [120, '120'],
    [Number.NaN, 'null'],
  ])('writes %d as %s', (value, text) => {
    expect(pineNumber(value)).toBe(text);
  });
});

describe('a chart beside us on the same bars', () => {
  const bars = marketOf(PARITY_BARS + 320, 'parity');
  const close = (i: number) => bars[i]!.time + QUARTER;

  /** What the store holds when the chart began `earlier` bars before our first one. */
  function told(earlier: readonly Bar[]): { bars: Bar[]; values: ChartValues[] } {
    const all = [...earlier, ...bars];
    const figures = pineFigures(all);
    const rows = bars.map((bar, i) => {
      const index = i + earlier.length;
      const text = pinePayload({ configId: CONFIG, bar, figures: figures[index]!, index, sentAt: close(i) });
      return throughEndpoint(text, close(i));
    });
    return { bars: rows.map(({ bar }) => bar), values: rows.map(({ values }) => values) };
  }

  it('differs by nothing but the digits that a message has', () => {
    const { bars: stored, values } = told([]);
    expect(stored).toEqual(bars);
    const parity = chartParity(columnsOfBars(stored), values, QUARTER);
    expect(parity).toMatchObject({ bars: PARITY_BARS, unsent: 0, to: bars.at(-1)!.time });
    expect(parity.meanBp!).toBeLessThan(1e-4);
    expect(parity.maxBp!).toBeLessThan(1e-3);
    expect(parity.returns!.maxBp).toBeLessThan(1e-5);
    expect(parity.parityBp!).toBeLessThan(1e-4);
    for (const { name, bars: n, maxBp } of parity.features)
      expect([name, n > 0 && maxBp! < 1e-3]).toEqual([name, name !== 'funding_tilt']);
  });

  it('also where the chart began long before us, at other prices: 250 bars forget that', () => {
    const earlier = marketOf(400, 'earlier', 30_000).map((bar, i) => ({
      ...bar,
      time: bars[0]!.time - (400 - i) * QUARTER,
    }));
    const { values } = told(earlier);
    const parity = chartParity(columnsOfBars(bars), values, QUARTER);
    expect(parity.maxBp!).toBeLessThan(0.01);
    expect(parity.parityBp!).toBeGreaterThan(0);
  });

  it('is found to differ when it computes something else', () => {
    const { values } = told([]);
    const other = values.map((one) => one && new Map(one).set('rsi14', (one.get('rsi14') ?? 50) + 1));
    const parity = chartParity(columnsOfBars(bars), other, QUARTER);
    // one point of a hundred in one of 17
    expect(parity.meanBp).toBeCloseTo(100 / 17, 3);
    expect(parity.features.find(({ name }) => name === 'rsi14')!.meanBp).toBeCloseTo(100, 2);
    expect(parity.parityBp).toBe(parity.meanBp);
  });

  it('is found to differ in what it made, though its features agree', () => {
    const { values } = told([]);
    const other = values.map(
      (one) => one && new Map(one).set(REGIME_RETURN, (one.get(REGIME_RETURN) ?? 0) + 2e-4),
    );
    const parity = chartParity(columnsOfBars(bars), other, QUARTER);
    expect(parity.meanBp!).toBeLessThan(1e-4);
    expect(parity.returns!.meanBp).toBeCloseTo(2, 4);
    expect(parity.parityBp).toBe(parity.returns!.meanBp);
  });

  it('is no figure for a promotion where the script leaves anything out', () => {
    const { values } = told([]);
    const of = (change: (one: ReadonlyMap<string, number>, i: number) => ReadonlyMap<string, number>) =>
      chartParity(
        columnsOfBars(bars),
        values.map((one, i) => one && change(one, i)),
        QUARTER,
      );
    const whole = of((one) => one);
    expect(whole.missing).toEqual([]);
    expect(measuredParity(whole).value).toBe(whole.parityBp);
    const body = of((one) => new Map([['body', one.get('body') ?? 0]]));
    expect([body.bars, body.parityBp! < 1e-4, body.missing.length]).toEqual([PARITY_BARS, true, 17]);
    expect(measuredParity(body)).toEqual({
      value: null,
      note: 'the script leaves out r1, r5, r20 and 14 more, in up to 500 of 500 bars',
    });
    const without = (name: string, at: number) =>
      of((one, i) => (i < at ? one : new Map([...one].filter(([key]) => key !== name))));
    // one bar is enough, the newest
    const last = without(REGIME_RETURN, bars.length - 1);
    expect(last.missing).toEqual([{ name: REGIME_RETURN, bars: 1 }]);
    expect(measuredParity(last)).toMatchObject({ value: null });
    expect(measuredParity(without('vol_of_vol', bars.length - 9)).note).toContain(
      'vol_of_vol, in up to 9 of',
    );
    // before the newest five hundred nobody asks
    const early = of((one, i) => (i >= bars.length - PARITY_BARS ? one : new Map([['body', 0]])));
    expect(measuredParity(early).value).not.toBeNull();
    // a return without its features does not count for the bar
    const alone = of((one, i) => (i % 2 === 0 ? one : new Map([[REGIME_RETURN, 0]])));
    expect(measuredParity(alone).value).toBeNull();
  });

  it('is not known without a word of the script', () => {
    const silent = chartParity(
      columnsOfBars(bars),
      bars.map(() => null),
      QUARTER,
    );
    expect(silent).toMatchObject({
      bars: 0,
      meanBp: null,
      returns: null,
      parityBp: null,
      unsent: PARITY_BARS,
    });
    expect(chartParity(columnsOfBars([]), [], QUARTER).parityBp).toBeNull();
  });

  it('is not compared for 250 bars behind a hole', () => {
    const { values } = told([]);
    const hole = 500;
    const without = <T>(list: readonly T[]) => list.filter((_, i) => i !== hole);
    const parity = chartParity(columnsOfBars(without(bars)), without(values), QUARTER);
    // the script itself says nothing before its bar 250
    expect(parity.bars).toBe(hole - 250 + (bars.length - 1 - hole - 249));
    expect(parity.maxBp!).toBeLessThan(0.01);
  });
});

describe('the boundary of 1 bp a bar', () => {
  const desk = s1Momentum.build(s1Parameters.parse({}), NO_RESOURCES);
  const stops = (parityBp: number | null) =>
    desk.killSwitch!.watch!(
      [{ kind: 'score', source: BARRIER_MODEL_SOURCE, value: 0, horizonMs: 1, detail: { parityBp } }],
      null as never,
    ) !== null;
  const bars = (n: number, parityBp: number | null) => ({ ...NOTHING, bars: n, parityBp });
  const NOTHING = chartParity(columnsOfBars([]), [], QUARTER);

  it.each([
    [0.8, false],
    [1, false],
    [1.000001, true],
    [null, false],
  ])('at %s the kill switch of a config trips: %s', (parityBp, trips) => {
    expect(stops(parityBp)).toBe(trips);
  });

  it.each([
    [0.999, 'met'],
    [1, 'not met'],
    [null, 'unknown'],
  ])('at %s a promotion to live finds its parity %s', (parityBp, verdict) => {
    const { criteria } = decidePromotion({
      to: 'live',
      profile: PROFILES.s1!,
      stage: 'paper',
      interval: '15m',
      figures: { parityBpPerBar: measuredParity(bars(PARITY_BARS, parityBp)) },
      stamps: [],
      isRegistered: true,
      exception: null,
    });
    expect(criteria.find(({ name }) => name === 'parityBpPerBar')).toMatchObject({ verdict });
  });

  it('is not known over fewer bars than five hundred', () => {
    expect(measuredParity(bars(PARITY_BARS - 1, 0.1))).toMatchObject({ value: null });
    expect(measuredParity(bars(0, null))).toMatchObject({ value: null });
  });
});

describe('messages of the script itself, run by an interpreter of Pine', () => {
  const messages = readFileSync(join(root, 'test/fixtures/pine/s1-rx68-alfa.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const bars: Bar[] = readFileSync(join(root, 'examples/bars/ALFA-15m.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [time, open, high, low, close, volume] = line.split(',').map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      return { time, open, high, low, close, volume };
    });

  it('are what the twin writes, but for digits that a message of a real chart has not', () => {
    const figures = pineFigures(bars.slice(0, 710));
    for (const text of messages) {
      const theirs = JSON.parse(text) as {
        bar_time: number;
        sent_at: number;
        pine: Record<string, number | null>;
      };
      const index = bars.findIndex(({ time }) => time === theirs.bar_time);
      const twin = JSON.parse(
        pinePayload({
          configId: CONFIG,
          bar: bars[index]!,
          figures: figures[index]!,
          index,
          sentAt: theirs.sent_at,
        }),
      ) as typeof theirs;
      expect({ ...theirs, pine: null }).toEqual({ ...twin, pine: null });
      expect(Object.keys(theirs.pine)).toEqual(Object.keys(twin.pine));
      for (const [name, value] of Object.entries(twin.pine)) {
        if (value === null) expect(theirs.pine[name]).toBeNull();
        else expect(theirs.pine[name]).toBeCloseTo(value, 6);
      }
    }
  });

  it('agree with the features of the desk', () => {
    const byTime = new Map(
      messages.map((text) => {
        const { bar, values } = throughEndpoint(text, JSON.parse(text).bar_time + QUARTER);
        expect(bars).toContainEqual(bar);
        return [bar.time, values] as const;
      }),
    );
    const some = bars.slice(0, 702);
    const parity = chartParity(
      columnsOfBars(some),
      some.map(({ time }) => byTime.get(time) ?? null),
      QUARTER,
    );
    expect(parity.bars).toBe(5);
    expect(parity.maxBp!).toBeLessThan(0.001);
    expect(parity.returns!.maxBp).toBeLessThan(1e-6);
  });
});
