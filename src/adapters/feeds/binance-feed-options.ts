import { Chance, HOUR, InputError, parseInterval, SECOND } from '#base';
import type { MarketEvent } from '#market';
import type { BinanceUsdmRest } from './binance-rest.ts';
import { type FeedClock, systemClock } from './feed-clock.ts';

export const BINANCE_REST_URL = 'https://fapi.binance.com';
export const BINANCE_WS_URL = 'wss://fstream.binance.com';

export type Route = 'market' | 'public';

export interface BinanceUsdmFeedOptions {
  /** Venue symbols, `BTCUSDT`. */
  symbols: readonly string[];
  /** `1m`, `5m`, ... as the venue names them. */
  interval: string;
  /** Called with each event in order; `at` never goes back. */
  onEvent: (event: MarketEvent) => void;
  restUrl?: string;
  /** Base of the WebSocket URLs; the route and `/ws` are appended. */
  wsUrl?: string;
  /** Path of each route; an empty text for hosts without routes. */
  routes?: Readonly<Record<Route, string>>;
  clock?: FeedClock;
  chance?: Chance;
  /** Mark price and funding (default on); best bid and ask (default off). */
  marks?: boolean;
  quotes?: boolean;
  /** Quotes of one symbol are passed on at most this often. */
  quoteEveryMs?: number;
  /** Open socket, no message: reconnect. */
  silentMs?: number;
  ageMostMs?: number;
  connectMs?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  /** How long after its close a bar is waited for on the stream before it is fetched. */
  lateMs?: number;
  /** A bar younger than this may still change in REST answers. */
  settleMs?: number;
  /** Shared REST client; otherwise one is made. */
  rest?: BinanceUsdmRest;
  armed?: boolean;
}

export type FeedSettings = Required<Omit<BinanceUsdmFeedOptions, 'rest'>> & { readonly intervalMs: number };

/** The options completed. Throws InputError on an unknown interval or without symbols. */
export function feedSettings(options: BinanceUsdmFeedOptions): FeedSettings {
  const intervalMs = parseInterval(options.interval);
  if (intervalMs === null)
    throw new InputError(`"${options.interval}" is not an interval`, 'write for example 1m or 5m');
  if (options.symbols.length === 0)
    throw new InputError('a feed needs a symbol', 'name at least one, such as BTCUSDT');
  return {
    restUrl: BINANCE_REST_URL,
    wsUrl: BINANCE_WS_URL,
    routes: { market: '/market', public: '/public' },
    clock: systemClock,
    chance: new Chance('binance-usdm'),
    marks: true,
    quotes: false,
    quoteEveryMs: 250,
    silentMs: 30 * SECOND,
    ageMostMs: 23.5 * HOUR,
    connectMs: 15 * SECOND,
    backoffBaseMs: SECOND,
    backoffMostMs: 60 * SECOND,
    lateMs: 3 * SECOND,
    settleMs: SECOND,
    armed: false,
    ...options,
    intervalMs,
  };
}
