import { formatInterval } from '#base';
import type { BarProvider, ProvidedBar, ProviderRequest } from './bar-provider.ts';
import type { BinanceUsdmRest } from './binance-rest.ts';

/** Bars of Binance USD-M perpetuals, volume included, as a provider for the bars of others. */
export class BinanceBars implements BarProvider {
  readonly name = 'binance-usdm';
  private readonly rest: BinanceUsdmRest;
  private synced = false;

  constructor(rest: BinanceUsdmRest) {
    this.rest = rest;
  }

  async bars(
    { symbol, intervalMs, from, to }: ProviderRequest,
    signal?: AbortSignal,
  ): Promise<readonly ProvidedBar[]> {
    if (!this.synced) {
      // by our own clock alone a running bar could pass for a closed one
      await this.rest.syncTime(signal);
      this.synced = true;
    }
    const all: ProvidedBar[] = [];
    for await (const rows of this.rest.klinePages(symbol, formatInterval(intervalMs), from, to, signal)) {
      for (const { time, open, high, low, close, volume } of rows)
        all.push({ time, open, high, low, close, volume });
    }
    return all;
  }
}
