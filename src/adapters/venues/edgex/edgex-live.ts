import { EDGEX } from '#market';
import type { LiveVenue } from '../../feeds/live-venue.ts';
import { EdgexBars, KLINE_TYPES } from './edgex-bars.ts';
import { EdgexFeed } from './edgex-feed.ts';
import { EDGEX_WS_URL } from './edgex-feed-options.ts';
import { EDGEX_REST_URL, EdgexRest } from './edgex-rest.ts';

/** edgeX perpetuals as a venue to trade on, on paper. */
export const EDGEX_LIVE: LiveVenue = {
  title: 'edgeX',
  venue: EDGEX,
  restUrl: EDGEX_REST_URL,
  wsUrl: EDGEX_WS_URL,
  addressEnv: { rest: 'QUORUM_EDGEX_REST_URL', ws: 'QUORUM_EDGEX_WS_URL' },
  ownHost: /(^|\.)edgex\.exchange$/,
  probes: [
    `${EDGEX_REST_URL}/api/v2/public/meta/getServerTime`,
    `${EDGEX_WS_URL.replace('wss:', 'https:')}/`,
  ],
  intervals: Object.keys(KLINE_TYPES),
  symbolOf: (coin) => `${coin}USDC`,
  open: ({ restUrl, wsUrl, ...request }) =>
    new EdgexFeed({
      ...request,
      ...(restUrl === undefined ? {} : { restUrl }),
      ...(wsUrl === undefined ? {} : { wsUrl }),
    }),
  reach: async (restUrl, timeoutMs) => {
    const rest = new EdgexRest({
      ...(restUrl === undefined ? {} : { baseUrl: restUrl }),
      timeoutMs,
      retriesMax: 0,
    });
    await rest.syncTime(AbortSignal.timeout(timeoutMs));
  },
  provider: (restUrl, clock) =>
    new EdgexBars(new EdgexRest({ clock, ...(restUrl === undefined ? {} : { baseUrl: restUrl }) })),
};
