import { BINANCE_USDM } from '#market';
import { BinanceBars } from './binance-bars.ts';
import { BINANCE_REST_URL, BINANCE_WS_URL } from './binance-feed-options.ts';
import { BinanceUsdmRest } from './binance-rest.ts';
import { BinanceUsdmFeed } from './binance-usdm.ts';
import type { LiveVenue } from './live-venue.ts';

/** Binance USD-M perpetuals as a venue to trade on, on paper. */
export const BINANCE_LIVE: LiveVenue = {
  title: 'Binance USD-M',
  venue: BINANCE_USDM,
  restUrl: BINANCE_REST_URL,
  wsUrl: BINANCE_WS_URL,
  addressEnv: { rest: 'QUORUM_BINANCE_REST_URL', ws: 'QUORUM_BINANCE_WS_URL' },
  ownHost: /(^|\.)binance\.com$/,
  probes: [`${BINANCE_REST_URL}/fapi/v1/time`, 'https://fstream.binance.com/'],
  intervals: ['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d'],
  symbolOf: (coin) => `${coin}USDT`,
  open: ({ restUrl, wsUrl, ...request }) =>
    new BinanceUsdmFeed({
      ...request,
      ...(restUrl === undefined ? {} : { restUrl }),
      ...(wsUrl === undefined ? {} : { wsUrl }),
    }),
  reach: async (restUrl, timeoutMs) => {
    const rest = new BinanceUsdmRest({
      ...(restUrl === undefined ? {} : { baseUrl: restUrl }),
      timeoutMs,
      retriesMax: 0,
    });
    await rest.syncTime(AbortSignal.timeout(timeoutMs));
  },
  provider: (restUrl, clock) =>
    new BinanceBars(new BinanceUsdmRest({ clock, ...(restUrl === undefined ? {} : { baseUrl: restUrl }) })),
};
