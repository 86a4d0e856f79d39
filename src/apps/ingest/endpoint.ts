import { type BarStreams, type FeedClock, MemoryBuckets, WebhookServer } from '#adapters';
import { type IngestSettings, readAccess } from './ingest-settings.ts';

/** The readers of the queue that put bars into the store, whatever process they are in. */
export const INTAKE_GROUP = 'intake';

/** The address that bars are posted to, open. */
export interface Endpoint {
  /** `http://HOST:PORT/webhook/.../DESK`, without its secret. */
  readonly shown: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the address of a feed. Throws {@link InputError} for settings that cannot be, and for a port that is taken. */
export async function openEndpoint(
  settings: IngestSettings,
  streams: BarStreams,
  clock: FeedClock,
  say: (line: string) => void,
): Promise<Endpoint> {
  const { feed, series } = settings;
  const server = new WebhookServer({
    ...readAccess(settings),
    streams,
    group: INTAKE_GROUP,
    configs: series,
    desks: [{ name: feed.desk, configs: series.map(({ id }) => id) }],
    buckets: new MemoryBuckets(feed.rate),
    now: () => clock.now(),
    note: (note) => {
      if (note.kind === 'failed') say(`a request failed here: ${note.where}`);
      else if (note.kind === 'differs')
        say(`${note.config}: ${new Date(note.barTime).toISOString()} was told twice and differs`);
      else say(`a request was refused with ${note.status} (${note.reason}): ${note.message}`);
    },
  });
  const { host, port } = await server.listen(feed.listen.port, feed.listen.host);
  return {
    shown: `http://${host.includes(':') ? `[${host}]` : host}:${port}/webhook/.../${feed.desk}`,
    port,
    close: () => server.close(),
  };
}
