import { InputError } from '#base';

/** One config whose bars are taken. */
export interface WebhookConfig {
  /** `S1_RX68_BTC_15M`. */
  readonly id: string;
  /** Key of its stream, `s1.rx68.btc.15m`. */
  readonly stream: string;
  /** `BTC`. */
  readonly symbol: string;
  readonly intervalMs: number;
  /** Further names a chart may have for it, in upper case, such as `XBTUSD`. */
  readonly tickers?: readonly string[];
}

/** A desk that has an address: `POST /webhook/{secret}/{name}`. */
export interface WebhookDesk {
  readonly name: string;
  /** Ids of the configs it takes. The body of a desk with a single one need not name it. */
  readonly configs: readonly string[];
}

const QUOTES = ['', 'USD', 'USDT', 'USDC', 'USD.P', 'USDT.P', 'USDC.P', 'PERP', 'USDTPERP'];
const MINUTE_MS = 60_000;

/** The configs by id and by what a chart calls them. */
export class KnownConfigs {
  readonly list: readonly WebhookConfig[];
  private readonly ids = new Map<string, WebhookConfig>();
  private readonly tickers = new Map<string, WebhookConfig>();

  /** Throws InputError when two of them share an id or a stream. */
  constructor(list: readonly WebhookConfig[]) {
    this.list = list;
    const streams = new Set<string>();
    for (const config of list) {
      if (this.ids.has(config.id) || streams.has(config.stream)) {
        throw new InputError(
          `${config.id} or its stream is named twice`,
          'give every config an id and a stream of its own',
        );
      }
      this.ids.set(config.id, config);
      streams.add(config.stream);
      const names = [
        ...QUOTES.map((quote) => config.symbol.toUpperCase() + quote),
        ...(config.tickers ?? []),
      ];
      for (const name of names) this.tickers.set(tickerKey(name, config.intervalMs), config);
    }
  }

  byId(id: string): WebhookConfig | null {
    return this.ids.get(id) ?? null;
  }

  /** `ticker` as `{{ticker}}`, with or without `EXCHANGE:`; `interval` as `{{interval}}`: minutes, or `15M`. */
  byTicker(ticker: string, interval: string): WebhookConfig | null {
    const minutes = /^(\d{1,5})[mM]?$/.exec(interval)?.[1];
    if (minutes === undefined || ticker.length > 40) return null;
    const name = ticker.slice(ticker.lastIndexOf(':') + 1).toUpperCase();
    return this.tickers.get(tickerKey(name, Number(minutes) * MINUTE_MS)) ?? null;
  }
}

const tickerKey = (name: string, intervalMs: number) => `${name} ${intervalMs}`;
