import type { IngestFigures } from '../../ingest/ingest-figures.ts';
import type { MetricName, Sample } from './metric-table.ts';

/** How an ingestion stands. What is not known has no sample. */
export function ingestSamples({ feed, endpoint, queue, worker }: IngestFigures): Sample[] {
  const samples: Sample[] = [];
  const add = (name: MetricName, value: number | null, labels: Readonly<Record<string, string>> = {}) => {
    if (value !== null) samples.push({ name, labels: { feed, ...labels }, value });
  };
  if (endpoint !== null) {
    const { accepted, duplicates, differing, refused } = endpoint;
    add('quorum_ingest_requests_total', accepted, { outcome: 'accepted' });
    add('quorum_ingest_requests_total', duplicates - differing, { outcome: 'duplicate' });
    add('quorum_ingest_requests_total', differing, { outcome: 'differing' });
    for (const [reason, count] of Object.entries(refused))
      add('quorum_ingest_refused_total', count, { reason });
  }
  add('quorum_ingest_queue_up', queue.fault === null ? 1 : 0);
  add('quorum_ingest_queue_durable', queue.isDurable ? 1 : 0, { kind: queue.kind });
  add('quorum_ingest_bars_waiting', queue.waiting);
  add('quorum_ingest_bars_pending', queue.pending);
  add('quorum_ingest_dead_letters', queue.dead);
  if (worker !== null) {
    const { counts, storeLagMs } = worker;
    for (const source of ['webhook', 'provider', 'backfill'] as const)
      add('quorum_ingest_bars_stored_total', counts[source], { source });
    add('quorum_ingest_bars_unfilled_total', counts.unfilled);
    add('quorum_ingest_faults_total', counts.faults);
    add('quorum_ingest_store_lag_seconds', storeLagMs / 1_000);
  }
  return samples;
}
