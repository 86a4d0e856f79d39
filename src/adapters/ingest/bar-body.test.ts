import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barFault } from '#market';
import { BODY_REASONS, readBarRequest } from './bar-body.ts';
import { barEntry, readBarBody } from './bar-record.ts';
import { KnownConfigs } from './known-configs.ts';

const configs = new KnownConfigs([
  { id: 'S1_RX68_BTC_15M', stream: 's1.rx68.btc.15m', symbol: 'BTC', intervalMs: 900_000 },
]);
const NOW = 1_750_000_000_000;
const read = (text: string) => readBarRequest(text, configs, ['S1_RX68_BTC_15M'], NOW, 5_000);

/** Whatever was sent: a word of ours, or a bar that every later part can use. */
function judge(text: string): void {
  const told = read(text);
  if ('reason' in told) {
    expect(BODY_REASONS).toContain(told.reason);
    return;
  }
  const { record } = told;
  expect(barFault({ ...record, time: record.barTime }, 900_000)).toBeNull();
  const entry = barEntry(record, NOW);
  expect(readBarBody(entry.body)).toEqual(JSON.parse(JSON.stringify(record)));
  expect(entry.hash).toMatch(/^[0-9a-f]{32}$/);
}

const names = fc.constantFrom(
  ...'config_id bar_time open high low close volume pine sent_at token symbol tf o h l c vol v script __proto__ constructor toString'.split(
    ' ',
  ),
);
const value = fc.oneof(
  fc.constantFrom<unknown>(
    'S1_RX68_BTC_15M',
    'BTCUSDT',
    '15',
    1_700_000_100_000,
    '1700000100000',
    '2023-11-14T22:15:00Z',
    1,
    100,
    0,
    -0,
    -1,
    1e308,
    5e-324,
    null,
    true,
    '',
    'NaN',
    '1e5',
    '0x10',
    ' 1',
    [],
    {},
    '__proto__',
    { toString: 1 },
    { toString: 1, valueOf: null },
    { toJSON: 1, length: 1e9, constructor: null },
    [[[[[[[[[[[[]]]]]]]]]]]],
    'x'.repeat(9),
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

describe('a body', () => {
  it('is a bar or a word of refusal, whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), judge), { numRuns: 100 });
    fc.assert(fc.property(fc.json(), judge), { numRuns: 100 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(names, value), { selector: ([name]) => name }), (members) => {
        judge(
          `{${members.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`).join(',')}}`,
        );
      }),
      { numRuns: 200 },
    );
  });

  const good = {
    config_id: 'S1_RX68_BTC_15M',
    bar_time: 1_700_000_100_000,
    open: 100,
    high: 110,
    low: 90,
    close: 105,
    volume: 1,
  };

  it('that is nearly a bar is judged the same way', () => {
    fc.assert(
      fc.property(fc.dictionary(names, value, { maxKeys: 3 }), (change) =>
        judge(JSON.stringify({ ...good, ...change })),
      ),
      { numRuns: 200 },
    );
    const text = JSON.stringify({ ...good, pine: { rsi14: 5, note: 'a "NaN" in a text' } });
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(6), fc.string({ maxLength: 6 }), (at, gone, put) =>
        judge(text.slice(0, at) + put + text.slice(at + gone)),
      ),
      { numRuns: 200 },
    );
  });

  it('of the short form is judged the same way, whatever symbol, tf and the Pine values are', () => {
    const short = { symbol: 'BTCUSDT', tf: '15', bar_time: good.bar_time, o: 1, h: 1, l: 1, c: 1, vol: 1 };
    const change = fc.record({ symbol: value, tf: value, rsi: value, pine: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(change, (one) => judge(JSON.stringify({ ...short, ...one }))),
      { numRuns: 300 },
    );
    expect(read(JSON.stringify({ ...short, tf: 15 }))).toMatchObject({ kind: 'bar' });
    expect(read(JSON.stringify({ ...short, tf: { toString: 1 } }))).toMatchObject({ reason: 'config' });
  });

  it('keeps a member named __proto__ as one of Pine, and nothing of it elsewhere', () => {
    const told = read(`${JSON.stringify(good).slice(0, -1)},"pine":{"__proto__":5,"rsi":NaN}}`);
    if ('reason' in told) throw new Error(told.message);
    expect(JSON.stringify(told.record.pine)).toBe('{"__proto__":5,"rsi":null}');
    expect(({} as Record<string, unknown>).rsi).toBeUndefined();
  });

  it('leaves NaN inside a text alone', () => {
    const told = read(`${JSON.stringify(good).slice(0, -1)},"pine":{"note":"is NaN","x":nan,"y":-Infinity}}`);
    if ('reason' in told) throw new Error(told.message);
    expect(told.record.pine).toEqual({ note: 'is NaN', x: null, y: null });
  });

  it('deep or long is refused without a crash', () => {
    expect(read('['.repeat(60_000))).toMatchObject({ reason: 'json' });
    expect(read(`${'{"pine":'.repeat(8_000)}1${'}'.repeat(8_000)}`)).toMatchObject({ reason: 'bar-time' });
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    expect(read(`{"symbol":"BTC","tf":${deep}}`)).toMatchObject({ reason: 'config' });
    expect(read(`{"a":"${'\\"'.repeat(30_000)}`)).toMatchObject({ reason: 'json' });
  });

  it('that closes up to five seconds ahead of our clock is taken', () => {
    const at = (bar_time: number, now: number) =>
      readBarRequest(JSON.stringify({ ...good, bar_time }), configs, ['S1_RX68_BTC_15M'], now, 5_000);
    const closes = 1_700_000_100_000 + 900_000;
    expect(at(1_700_000_100_000, closes - 5_000)).toMatchObject({ kind: 'bar' });
    expect(at(1_700_000_100_000, closes - 5_001)).toMatchObject({ reason: 'not-closed' });
  });
});
