import { type FeedClock, systemClock } from '#adapters';
import type { MarketEvent } from '#market';
import { LiveDriver } from '../../src/apps/runner/live-driver.ts';
import type { OpenLive } from '../../src/apps/runner/live-venue-of.ts';
import type { PaperSetup } from '../../src/apps/runner/portfolio-setup.ts';
import { Session } from '../../src/apps/runner/session.ts';
import { entriesOf } from './play.ts';

/** One minute lasts a tenth of a second. */
export function fastClock(factor = 600): FeedClock {
  const real = performance.now();
  const start = Date.UTC(2024, 0, 1, 0, 0, 20);
  return {
    now: () => start + (performance.now() - real) * factor,
    wait: (ms, signal) => systemClock.wait(ms / factor, signal),
    later: (ms, call) => systemClock.later(ms / factor, call),
  };
}

export interface LiveRun {
  readonly setup: PaperSetup;
  readonly directory: string;
  readonly clock: FeedClock;
  readonly open: OpenLive;
  readonly say?: (line: string) => void;
}

/** Runs a live portfolio in a folder until the condition holds; `crash` leaves it as a kill would. */
export async function runLive(
  { setup, directory, clock, open, say = () => undefined }: LiveRun,
  done: (session: Session, status: string) => boolean,
  crash = false,
): Promise<Session> {
  const session = new Session({
    setup,
    directory,
    fresh: false,
    snapshotEvery: 300,
    onCommand: () => undefined,
  });
  session.begin(Math.max(Math.floor(clock.now()), session.engine.at));
  const stop = new AbortController();
  const { signal } = stop;
  const driver = new LiveDriver({ session, clock, signal, open, onSlice: () => undefined, say });
  let fault: unknown = null;
  const running = driver.run().catch((error: unknown) => {
    fault = error;
  });
  const end = performance.now() + 40_000;
  while (fault === null && !done(session, driver.status)) {
    if (performance.now() > end) throw new Error(`waited in vain, feed ${driver.status}`);
    await systemClock.wait(5);
  }
  stop.abort();
  await running;
  if (crash || fault !== null) session.journal.file.abandon();
  else session.close();
  if (fault !== null) throw fault;
  return session;
}

const eventsOf = (directory: string, kind: string): MarketEvent[] =>
  entriesOf(directory)
    .filter((e) => e.kind === 'event' && e.text.startsWith(`{"kind":"${kind}"`))
    .map((e) => JSON.parse(e.text) as MarketEvent);

/** Open times of an instrument's closed bars in a journal. */
export const barsIn = (directory: string, instrument: string): number[] =>
  eventsOf(directory, 'bar-closed').flatMap((e) =>
    e.kind === 'bar-closed' && e.instrument === instrument ? [e.bar.time] : [],
  );

/** What a journal says of its feeds, `NAME STATUS: DETAIL`. */
export const feedLinesIn = (directory: string): string[] =>
  eventsOf(directory, 'feed-changed').flatMap((e) =>
    e.kind === 'feed-changed' ? [`${e.feed} ${e.status}: ${e.detail}`] : [],
  );
