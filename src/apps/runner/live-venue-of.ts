import { LIVE_VENUES, type LiveFeed, type LiveFeedRequest, type LiveVenue } from '#adapters';
import { broken, InputError } from '#base';
import { type FeedConfiguration, isLive, type LiveFeedConfiguration } from '../setup/configuration.ts';

/** The venue whose live prices a feed brings; null of any other feed. */
export const liveVenueOf = (feed: FeedConfiguration): LiveVenue | null =>
  isLive(feed) ? LIVE_VENUES[feed.kind] : null;

/** Opens a feed whose addresses are known. */
export type OpenLive = (request: Omit<LiveFeedRequest, 'restUrl' | 'wsUrl' | 'quotes'>) => LiveFeed;

/** How the feed of a configuration is opened. */
export function openLive(feed: FeedConfiguration): OpenLive {
  return (request) => {
    if (!isLive(feed)) broken(`a feed ${feed.kind} is not live`);
    const { kind, ...own } = feed;
    return LIVE_VENUES[kind].open({ ...own, ...request });
  };
}

/** The environment may name other hosts of the same protocol. */
export function addressed(
  feed: FeedConfiguration,
  env: Readonly<Record<string, string | undefined>>,
): FeedConfiguration {
  if (!isLive(feed)) return feed;
  const { rest, ws } = LIVE_VENUES[feed.kind].addressEnv;
  const restUrl = feed.restUrl ?? env[rest];
  const wsUrl = feed.wsUrl ?? env[ws];
  return {
    ...feed,
    ...(restUrl === undefined ? {} : { restUrl }),
    ...(wsUrl === undefined ? {} : { wsUrl }),
  };
}

/** Asks the venue of a feed for its time. Resolves to null when it answers, else to why it does not. */
export async function unreachable(
  { kind, restUrl }: LiveFeedConfiguration,
  timeoutMs: number,
): Promise<string | null> {
  try {
    await LIVE_VENUES[kind].reach(restUrl, timeoutMs);
    return null;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    return (cause as Error).message;
  }
}
