import type { BarStreams, FeedClock, WebhookSnapshot } from '#adapters';
import type { TraceFigures } from '../traces/traces.ts';
import { INTAKE_GROUP } from './endpoint.ts';
import type { IntakeCounts } from './intake-counts.ts';

/** How an ingestion stands, as plain data. Counts are since the process began. */
export interface IngestFigures {
  readonly feed: string;
  /** Null for a worker alone. */
  readonly endpoint: Pick<
    WebhookSnapshot,
    'accepted' | 'duplicates' | 'differing' | 'refused' | 'broken' | 'malformed'
  > | null;
  readonly queue: {
    readonly kind: 'redis' | 'embedded';
    /** In words, and whether what was answered with 202 survives any end of the machine. */
    readonly durability: string;
    readonly isDurable: boolean;
    /** Why it could not be asked; the depths are then null. */
    readonly fault: string | null;
    /** Bars that no worker was given yet, bars that workers hold, and bars nobody could use. */
    readonly waiting: number | null;
    readonly pending: number | null;
    readonly dead: number | null;
  };
  /** Null for an endpoint alone. */
  readonly worker: {
    readonly counts: IntakeCounts;
    readonly inWork: number;
    /** How long ago the oldest bar was received that this worker holds and the store has not; 0 for none. */
    readonly storeLagMs: number;
  } | null;
  /** Null, or absent, where none are collected. */
  readonly traces?: TraceFigures | null;
}

/** What figures are taken from. */
export interface FigureSources {
  readonly feed: string;
  readonly streams: BarStreams;
  readonly clock: FeedClock;
  readonly endpoint: { snapshot(): WebhookSnapshot } | null;
  readonly worker: {
    readonly counts: IntakeCounts;
    holding(): readonly { entry: { receivedAt: number } }[];
  } | null;
  readonly traces?: { figures(): TraceFigures } | null;
}

export async function ingestFigures(sources: FigureSources): Promise<IngestFigures> {
  const { feed, streams, clock, endpoint, worker } = sources;
  const { kind, durability, isDurable } = streams;
  const depths = await depthsOf(streams);
  return {
    feed,
    endpoint: endpoint === null ? null : repliesOf(endpoint.snapshot()),
    queue: { kind, durability, isDurable, ...depths },
    worker: worker === null ? null : workOf(worker, clock.now()),
    traces: sources.traces?.figures() ?? null,
  };
}

async function depthsOf(streams: BarStreams) {
  try {
    const [depth, dead] = await Promise.all([streams.depth(INTAKE_GROUP), streams.deadCount()]);
    const waiting = depth.reduce((sum, one) => sum + one.waiting, 0);
    const pending = depth.reduce((sum, one) => sum + one.pending, 0);
    return { fault: null, waiting, pending, dead };
  } catch (cause) {
    return { fault: (cause as Error).message, waiting: null, pending: null, dead: null };
  }
}

function repliesOf(snapshot: WebhookSnapshot) {
  const { accepted, duplicates, differing, refused, broken, malformed } = snapshot;
  return { accepted, duplicates, differing, refused, broken, malformed };
}

function workOf({ counts, holding }: NonNullable<FigureSources['worker']>, now: number) {
  const held = holding();
  const oldest = held.reduce((least, { entry }) => Math.min(least, entry.receivedAt), now);
  return { counts: { ...counts }, inWork: held.length, storeLagMs: now - oldest };
}
