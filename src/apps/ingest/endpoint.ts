import {
  type BarStreams,
  type FeedClock,
  MemoryBuckets,
  type RateBuckets,
  RedisBuckets,
  RedisStreams,
  type WebhookAnswered,
  type WebhookNote,
  WebhookServer,
  type WebhookSnapshot,
} from '#adapters';
import type { Traces } from '../traces/traces.ts';
import { type IngestSettings, readAccess } from './ingest-settings.ts';

/** The readers of the queue that put bars into the store, whatever process they are in. */
export const INTAKE_GROUP = 'intake';

/** The address that bars are posted to, open. */
export interface Endpoint {
  /** `http://HOST:PORT/webhook/.../DESK`, without its secret. */
  readonly shown: string;
  readonly port: number;
  snapshot(): WebhookSnapshot;
  close(): Promise<void>;
}

/** Opens the address of a feed. Throws {@link InputError} for settings that cannot be, and for a port that is taken. */
export async function openEndpoint(
  settings: IngestSettings,
  streams: BarStreams,
  clock: FeedClock,
  say: (line: string) => void,
  traces: Traces | null = null,
): Promise<Endpoint> {
  const { feed, series } = settings;
  const server = new WebhookServer({
    ...readAccess(settings),
    streams,
    group: INTAKE_GROUP,
    configs: series,
    desks: [{ name: feed.desk, configs: series.map(({ id }) => id) }],
    buckets: bucketsOf(settings, streams),
    now: () => clock.now(),
    note: (note) => say(wordsOf(note)),
    ...(traces === null ? {} : { onAnswer: (answered) => traceAnswer(traces, answered) }),
  });
  const { host, port } = await server.listen(feed.listen.port, feed.listen.host);
  return {
    shown: `http://${host.includes(':') ? `[${host}]` : host}:${port}/webhook/.../${feed.desk}`,
    port,
    snapshot: () => server.snapshot(),
    close: () => server.close(),
  };
}

const ROUTE = '/webhook/:secret/:desk';

/** A request as a trace: the pattern of the address, since the address holds the secret. */
function traceAnswer(traces: Traces, { method, desk, status, startedMs }: WebhookAnswered): void {
  const attributes = {
    'http.request.method': method,
    'http.route': ROUTE,
    'http.response.status_code': status,
    ...(desk === null ? {} : { 'quorum.desk': desk }),
  };
  traces.begin(`${method} ${ROUTE}`, 'server', null, startedMs).end(attributes, { failed: status >= 500 });
}

/** Endpoints over one Redis share one limit; over a file there is one endpoint. */
function bucketsOf({ feed }: IngestSettings, streams: BarStreams): RateBuckets {
  return streams instanceof RedisStreams
    ? new RedisBuckets(streams.client, feed.rate, `s1:rate:${feed.desk}:`)
    : new MemoryBuckets(feed.rate);
}

/** A line of the log. An unknown secret has a mark, which is the same each time. */
function wordsOf(note: WebhookNote): string {
  switch (note.kind) {
    case 'differs':
      return `${note.config}: ${new Date(note.barTime).toISOString()} was told twice and differs (${note.sender})`;
    case 'failed':
      return `a request of ${note.sender ?? 'somebody'} failed here: ${note.where}`;
    case 'unlisted-proxy':
      return `requests come forwarded by ${note.proxy}, which is not under "proxies": all of them count as from there`;
    case 'refused': {
      const { sender, desk, secret, status, reason, message } = note;
      const whose = `${sender ?? 'somebody'}${desk === null ? '' : ` for ${desk}`}`;
      const mark = secret === null ? '' : `, secret ${secret}`;
      return `a request of ${whose} was refused with ${status} (${reason}${mark}): ${message}`;
    }
  }
}
