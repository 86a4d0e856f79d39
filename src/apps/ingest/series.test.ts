import { describe, expect, it } from 'vitest';
import { InputError, MINUTE } from '#base';
import { readConfigId, s1Series, seriesOf, streamOf } from './series.ts';

describe('a config id', () => {
  it('names symbol and length of bars, M for minutes', () => {
    expect(readConfigId('S1_RX68_BTC_15M')).toEqual({ symbol: 'BTC', intervalMs: 15 * MINUTE });
    expect(readConfigId('DESK_ETH_4H')).toEqual({ symbol: 'ETH', intervalMs: 240 * MINUTE });
    expect(streamOf('S1_RX68_BTC_15M')).toBe('s1.rx68.btc.15m');
  });

  it.each(['BTC_15M', 'S1_RX68_BTC_15', 's1_rx68_btc_15m', 'S1_RX68_BTC_0M', 'S1__BTC_1M', ''])(
    'is not %j',
    (id) => {
      expect(readConfigId(id)).toBeNull();
      expect(() => seriesOf({ [id]: { instrument: 'A.B' } })).toThrow(InputError);
    },
  );
});

describe('the series of a feed', () => {
  it('are the sixteen unless given, on instruments that may be named', () => {
    const series = seriesOf(s1Series({ SOL: 'SOLUSD.EDGEX' }));
    expect(series).toHaveLength(16);
    expect(series.find((one) => one.id === 'S1_RX68_SOL_3M')).toEqual({
      id: 'S1_RX68_SOL_3M',
      stream: 's1.rx68.sol.3m',
      symbol: 'SOL',
      intervalMs: 3 * MINUTE,
      instrument: 'SOLUSD.EDGEX',
    });
    expect(new Set(series.map((one) => one.instrument))).toEqual(
      new Set(['BTCUSDT.BINANCE-USDM', 'ETHUSDT.BINANCE-USDM', 'SOLUSD.EDGEX', 'XRPUSDT.BINANCE-USDM']),
    );
  });

  it('may not be bars of one length of one instrument twice', () => {
    const twice = { A_BTC_1M: { instrument: 'X.Y' }, B_BTC_1M: { instrument: 'X.Y' } };
    expect(() => seriesOf(twice)).toThrow(/A_BTC_1M and B_BTC_1M/);
    expect(() => seriesOf({ A_BTC_1M: { instrument: 'nothing' } })).toThrow(InputError);
  });
});
