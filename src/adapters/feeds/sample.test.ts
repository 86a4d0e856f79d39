import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { instrumentFor, isTradingDay } from '#market';
import { readSample } from './sample.ts';
import { SYNTHETIC_SYMBOLS, SyntheticMarket, syntheticSeries } from './synthetic.ts';
import { assertVenueUrlAllowed } from './venue-guard.ts';

describe('the offline sample', () => {
  it('is real, daily, and falls on trading days of the calendar', async () => {
    const sample = await readSample();
    expect(sample).toMatchObject({ instrument: 'SPX.SAMPLE', intervalMs: DAY });
    expect(sample.columns.length).toBe(5_105);
    expect(sample.columns.time[0]).toBe(Date.UTC(2000, 0, 3));
    expect(sample.columns.close[0]).toBe(1455.219971);
    expect(instrumentFor(sample.instrument)).toMatchObject({ calendar: 'NYSE', kind: 'equity' });
    // an independent check of twenty years of holidays
    const times = new Set(sample.columns.time);
    for (let day = sample.columns.time[0]!; day <= sample.columns.time[5_104]!; day += DAY) {
      expect([new Date(day).toISOString(), isTradingDay('NYSE', day)]).toEqual([
        new Date(day).toISOString(),
        times.has(day),
      ]);
    }
  });
});

describe('the synthetic market', () => {
  const from = Date.UTC(2023, 0, 1);

  it('is the same for the same seed, however it is drawn', () => {
    const long = syntheticSeries(7, 600, from);
    const short = syntheticSeries(7, 200, from, ['XRPUSDT']);
    const xrp = long.find((s) => s.instrument === 'XRPUSDT.SYNTHETIC')!;
    expect(xrp.columns.close.slice(0, 200)).toEqual(short[0]!.columns.close);
    expect(syntheticSeries(8, 200, from, ['XRPUSDT'])[0]!.hash).not.toBe(short[0]!.hash);
    expect(syntheticSeries(7, 2, from, ['BTCUSDT'], 'BINANCE-USDM')[0]!.instrument).toBe(
      'BTCUSDT.BINANCE-USDM',
    );
    expect(instrumentFor('XRPUSDT.SYNTHETIC')).toMatchObject({
      kind: 'linear-perpetual',
      tick: { units: 1, scale: 4 },
    });
  });

  it('has sound bars, clustered volatility and volumes that follow moves', () => {
    const market = new SyntheticMarket('law', from);
    const returns: number[] = [];
    const volumes: number[] = [];
    let before = 0;
    for (let n = 0; n < 4_000; n++) {
      const drawn = market.next();
      expect(drawn.length).toBe(SYNTHETIC_SYMBOLS.length);
      for (const bar of drawn) {
        if (
          !(
            bar.high >= Math.max(bar.open, bar.close) &&
            bar.low <= Math.min(bar.open, bar.close) &&
            bar.low > 0 &&
            bar.volume > 0
          )
        ) {
          throw new Error(JSON.stringify(bar));
        }
      }
      const { close, volume } = drawn[0]!;
      if (before > 0) {
        returns.push(Math.abs(Math.log(close / before)));
        volumes.push(volume);
      }
      before = close;
    }
    const correlation = (a: readonly number[], b: readonly number[]) => {
      const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length;
      const [ma, mb] = [mean(a), mean(b)];
      let ab = 0;
      let aa = 0;
      let bb = 0;
      a.forEach((x, i) => {
        ab += (x - ma) * (b[i]! - mb);
        aa += (x - ma) ** 2;
        bb += (b[i]! - mb) ** 2;
      });
      return ab / Math.sqrt(aa * bb);
    };
    expect(correlation(returns.slice(1), returns.slice(0, -1))).toBeGreaterThan(0.1);
    expect(correlation(returns, volumes)).toBeGreaterThan(0.3);
  });
});

describe('the venue guard', () => {
  const allowed = (url: string, armed = false) => {
    assertVenueUrlAllowed(url, { armed });
    return true;
  };

  it.each([
    'http://127.0.0.1:8080/fapi/v1/order',
    'ws://localhost:1/private/ws',
    'http://[::1]:80/',
    'https://fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT',
    'https://fapi.binance.com',
    'wss://fstream.binance.com/market/ws',
    'https://data.binance.vision/data/x.zip',
  ])('allows %s', (url) => {
    expect(allowed(url)).toBe(true);
  });

  it.each([
    'https://fapi.binance.com/fapi/v1/order',
    'https://fapi.binance.com/fapi/v1/klines?signature=00',
    'https://demo-fapi.binance.com/fapi/v1/klines',
    'wss://fstream.binance.com/private/ws',
    'https://api.exchange.example/orders',
    'https://127.0.0.1.evil.example/',
    'https://localhost.example/',
  ])('refuses %s unless armed', (url) => {
    expect(() => allowed(url)).toThrow(/not armed/);
    expect(allowed(url, true)).toBe(true);
  });

  it('refuses plain text and other protocols even when armed', () => {
    expect(() => allowed('http://fapi.binance.com/', true)).toThrow(/encrypted/);
    expect(() => allowed('file:///etc/passwd', true)).toThrow(/protocol/);
    expect(() => allowed('nonsense', true)).toThrow(/URL/);
  });
});
