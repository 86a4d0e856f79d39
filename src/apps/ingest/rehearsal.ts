import { ClockFile, type FeedClock, systemClock } from '#adapters';
import { InputError } from '#base';
import type { WebhookFeed } from './webhook-feed.ts';

/** The clock that bars are judged by: that of the system, or of a file for bars that are posted again. Throws {@link InputError}. */
export function rehearsalClock(feed: WebhookFeed, clockFile: string | null): FeedClock {
  if (clockFile === null) return systemClock;
  if (!feed.replayed)
    throw new InputError(
      'a clock file is for recorded bars that are posted again',
      'set "replayed": true in the feed, or leave --clock-file out',
    );
  return new ClockFile(clockFile);
}
