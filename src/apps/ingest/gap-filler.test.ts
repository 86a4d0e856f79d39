import { expect, it } from 'vitest';
import { type BarProvider, type NewBar, type ProvidedBar, type ProviderRequest, SqliteBars } from '#adapters';
import { MINUTE } from '#base';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { GapFiller } from './gap-filler.ts';
import { seriesOf } from './series.ts';

const T0 = Date.UTC(2025, 0, 15, 14, 30);
const [ONE, THREE] = seriesOf({
  S1_RX68_BTC_1M: { instrument: 'BTCUSDT.BINANCE-USDM' },
  S1_RX68_BTC_3M: { instrument: 'BTCUSDT.BINANCE-USDM' },
});

class Tells implements BarProvider {
  readonly name: string;
  readonly asked: ProviderRequest[] = [];
  private readonly close: number;
  private readonly volume: number | null;

  constructor(name: string, close: number, volume: number | null) {
    this.name = name;
    this.close = close;
    this.volume = volume;
  }

  async bars(request: ProviderRequest): Promise<ProvidedBar[]> {
    this.asked.push(request);
    const { close, volume } = this;
    const bars: ProvidedBar[] = [];
    for (let time = request.from; time < request.to; time += request.intervalMs)
      bars.push({ time, open: 100, high: 110, low: 90, close, volume });
    return bars;
  }
}

async function filler(...providers: Tells[]) {
  const store = await SqliteBars.open(':memory:');
  const sources = providers.map((provider) => ({ provider, symbolOf: () => 'X' }));
  return {
    store,
    filler: new GapFiller({ store, series: [ONE!, THREE!], sources, clock: new ManualClock(T0) }),
  };
}

const minute = (n: number, over: Partial<NewBar> = {}): NewBar => ({
  config: ONE!.id,
  symbol: 'BTC',
  intervalMs: MINUTE,
  time: T0 + n * MINUTE,
  open: 100,
  high: 110,
  low: 90,
  close: 101,
  volume: 4,
  source: 'webhook',
  receivedAt: T0,
  late: false,
  missingBefore: 0,
  pine: null,
  ...over,
});

it('is lent the volume that the first to know a bar does not state', async () => {
  const [silent, fallback] = [new Tells('silent', 101, null), new Tells('fallback', 105, 7)];
  const { filler: one } = await filler(silent, fallback);
  const { bars, missing } = await one.find(ONE!, T0, T0 + 2 * MINUTE, 1_000);
  expect(missing).toBe(0);
  expect(bars.map(({ close, volume }) => [close, volume])).toEqual([
    [101, 7],
    [101, 7],
  ]);
  expect(fallback.asked).toMatchObject([{ from: T0, to: T0 + 2 * MINUTE }]);
});

it('says that a volume is not known when nobody knows it', async () => {
  const { filler: one } = await filler(new Tells('silent', 101, null));
  const { bars } = await one.find(ONE!, T0, T0 + MINUTE, 1_000);
  expect(bars.map(({ volume }) => volume)).toEqual([null]);
});

it('takes the volume of finer bars, and asks where one of them has none', async () => {
  const fallback = new Tells('fallback', 105, 50);
  const { store, filler: one } = await filler(fallback);
  const stored = [0, 1, 2, 3, 4, 5].map((n) => minute(n, n === 4 ? { volume: 0, volumeUnknown: true } : {}));
  await store.insert(stored, T0);
  const { bars } = await one.find(THREE!, T0, T0 + 6 * MINUTE, 1_000);
  expect(bars.map(({ close, volume }) => [close, volume])).toEqual([
    [101, 12],
    [101, 50],
  ]);
  expect(fallback.asked).toMatchObject([{ from: T0 + 3 * MINUTE, to: T0 + 6 * MINUTE }]);
});
