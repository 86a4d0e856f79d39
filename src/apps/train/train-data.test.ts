import { describe, expect, it } from 'vitest';
import { barSeries, type RowSeries, Tape } from '#adapters';
import { DAY, HOUR, MINUTE } from '#base';
import { s1Config } from '#desks';
import { appendBar, barAt, barColumns, type InstrumentId } from '#market';
import { QUARTER, TREND_START, trendingBars } from '../../../test/support/trending-market.ts';
import { TrainMarkets } from './train-data.ts';

const id = (symbol: string) => `${symbol}USDT.BINANCE-USDM` as InstrumentId;
const seriesOf = (symbol: string, days = 8, intervalMs = QUARTER) =>
  barSeries(id(symbol), intervalMs, trendingBars({ days, seed: symbol, intervalMs }));
const ALL = ['BTC', 'ETH', 'SOL', 'XRP'];

const funding = (times: readonly number[], rate = 0.0001): RowSeries =>
  ({
    kind: 'funding',
    instrument: id('BTC'),
    time: Float64Array.from(times),
    at: Float64Array.from(times),
    columns: [Float64Array.from(times, () => rate)],
    hash: `${times.length}`,
    faults: 0,
    files: [],
  }) as unknown as RowSeries;

describe('the market of a configuration', () => {
  it('is BTC alone for BTC, and all four for the others', () => {
    const some = new TrainMarkets(new Tape([seriesOf('BTC'), seriesOf('ETH')]));
    expect(some.missing(s1Config('BTC', '15M'))).toBeNull();
    expect(some.missing(s1Config('ETH', '15M'))).toBe('no bars of SOL, XRP');
    expect(some.missing(s1Config('BTC', '5M'))).toBe('no bars of BTC that make bars of 5m');
    expect(() => some.market(s1Config('ETH', '15M'))).toThrow('no bars of SOL, XRP');
    const whole = new TrainMarkets(new Tape(ALL.map((symbol) => seriesOf(symbol))));
    const eth = whole.market(s1Config('ETH', '15M'));
    expect(eth.peers.map(([symbol]) => symbol)).toEqual(['ETH', 'BTC', 'SOL', 'XRP']);
    expect(eth.tape.series).toHaveLength(4);
    // 500 means of 20 returns come first
    expect(eth.data.regime.findIndex((one) => one !== 0)).toBeGreaterThanOrEqual(519);
    expect(whole.market(s1Config('BTC', '15M')).data.regime.findIndex((one) => one !== 0)).toBeLessThan(60);
  });

  it('is another one where a bar of a peer is another', () => {
    const hash = (last: string) =>
      new TrainMarkets(
        new Tape([...ALL.slice(0, 3).map((one) => seriesOf(one)), seriesOf(last, last === 'XRP' ? 8 : 9)]),
      ).market(s1Config('BTC', '15M')).dataHash;
    expect(hash('XRP')).toBe(hash('ADA'));
    const eth = (days: number) =>
      new TrainMarkets(
        new Tape([...ALL.slice(0, 3).map((one) => seriesOf(one)), seriesOf('XRP', days)]),
      ).market(s1Config('ETH', '15M')).dataHash;
    expect(eth(8)).not.toBe(eth(9));
  });

  it('is played on the loop in bars of its own length, and named by those recorded', () => {
    const fine = seriesOf('BTC', 3, 5 * MINUTE);
    const market = new TrainMarkets(new Tape([fine])).market(s1Config('BTC', '15M'));
    expect(market.data.bars.length).toBe(3 * 96);
    const [played] = market.tape.series;
    expect(played).toMatchObject({ kind: 'bars', intervalMs: QUARTER });
    const coarse = new TrainMarkets(market.tape).market(s1Config('BTC', '15M'));
    expect([...coarse.data.bars.close]).toEqual([...market.data.bars.close]);
    expect(coarse.dataHash).not.toBe(market.dataHash);
  });

  it('says what is missing of it', () => {
    const { columns } = seriesOf('BTC');
    const holed = barColumns(columns.length);
    for (let i = 0; i < columns.length; i++) if (i !== 300) appendBar(holed, barAt(columns, i));
    const { notes } = new TrainMarkets(new Tape([barSeries(id('BTC'), QUARTER, holed)])).market(
      s1Config('BTC', '15M'),
    );
    expect(notes).toEqual([
      '1 bars are missing: nothing is learned from, or entered at, the 249 bars next behind a hole',
      'no funding of BTCUSDT.BINANCE-USDM: its tilt is 0 throughout',
    ]);
  });

  it('is flat where funding is known and old, as the desk holds there', () => {
    const due = Array.from({ length: 9 }, (_, i) => TREND_START + i * 8 * HOUR);
    const market = new TrainMarkets(new Tape([seriesOf('BTC'), funding(due)])).market(s1Config('BTC', '15M'));
    const free = new TrainMarkets(new Tape([seriesOf('BTC')])).market(s1Config('BTC', '15M'));
    // fresh until two intervals after the last one
    const until = (due.at(-1)! + 16 * HOUR - TREND_START) / QUARTER;
    expect([...market.data.regime.subarray(0, until)]).toEqual([...free.data.regime.subarray(0, until)]);
    expect(new Set(market.data.regime.subarray(until))).toEqual(new Set([0]));
    expect(market.notes).toEqual([
      `funding of BTCUSDT.BINANCE-USDM is old on ${(8 * DAY) / QUARTER - until} of 768 bars: flat there`,
    ]);
    expect(market.data.funding!.times).toHaveLength(9);
  });
});
