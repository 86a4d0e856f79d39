import { Chance, InputError, MINUTE, parseInterval, SECOND } from '#base';
import type { MarketEvent } from '#market';
import { type FeedClock, systemClock } from '../../feeds/feed-clock.ts';
import { KLINE_TYPES } from './edgex-bars.ts';
import { EDGEX_REST_URL, type EdgexRest } from './edgex-rest.ts';

export const EDGEX_WS_URL = 'wss://edgex-quote-prod-v2.edgex.exchange';

export interface EdgexFeedOptions {
  /** Contract names, `BTCUSDC`. */
  symbols: readonly string[];
  interval: string;
  onEvent: (event: MarketEvent) => void;
  restUrl?: string;
  wsUrl?: string;
  clock?: FeedClock;
  chance?: Chance;
  /** Best bid and ask (default off), from the book of 15 levels; of one contract at most this often. */
  quotes?: boolean;
  quoteEveryMs?: number;
  /** How long after its close a bar is asked for. */
  lateMs?: number;
  /** A bar younger than this may still change in REST answers. */
  settleMs?: number;
  silentMs?: number;
  connectMs?: number;
  backoffBaseMs?: number;
  backoffMostMs?: number;
  requestsPerMinute?: number;
  rest?: EdgexRest;
}

export type EdgexFeedSettings = Required<Omit<EdgexFeedOptions, 'rest' | 'requestsPerMinute'>> & {
  readonly intervalMs: number;
  readonly klineType: string;
};

/** The options completed. Throws InputError on bars that the venue does not make, or without contracts. */
export function edgexFeedSettings(options: EdgexFeedOptions): EdgexFeedSettings {
  const intervalMs = parseInterval(options.interval);
  const klineType = KLINE_TYPES[options.interval];
  if (intervalMs === null || klineType === undefined) {
    throw new InputError(
      `edgeX makes no bars of ${options.interval}`,
      `it makes ${Object.keys(KLINE_TYPES).join(', ')}; others are made of 1m`,
    );
  }
  if (options.symbols.length === 0)
    throw new InputError('a feed needs a contract', 'name at least one, such as BTCUSDC');
  return {
    restUrl: EDGEX_REST_URL,
    wsUrl: EDGEX_WS_URL,
    clock: systemClock,
    chance: new Chance('edgex'),
    quotes: false,
    quoteEveryMs: 250,
    lateMs: 2 * SECOND,
    settleMs: SECOND,
    silentMs: MINUTE,
    connectMs: 15 * SECOND,
    backoffBaseMs: SECOND,
    backoffMostMs: 60 * SECOND,
    ...options,
    intervalMs,
    klineType,
  };
}
