import { BINANCE_LIVE } from '../feeds/binance-live.ts';
import type { LiveVenue } from '../feeds/live-venue.ts';
import { EDGEX_LIVE } from './edgex/edgex-live.ts';

export type LiveKind = 'binance-usdm' | 'edgex';

/** The venues that a portfolio can trade live prices of, by what a configuration calls them: the one place that tells them apart. */
export const LIVE_VENUES: Readonly<Record<LiveKind, LiveVenue>> = {
  'binance-usdm': BINANCE_LIVE,
  edgex: EDGEX_LIVE,
};
