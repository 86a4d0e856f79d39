import type { z } from 'zod';
import { DAY } from '#base';
import type { HOUSE_ROUTES } from '../../../contract/areas/house.ts';
import type { IngestFigures } from '../../../ingest/ingest-figures.ts';
import type { MetricsAnswer } from '../../../runner/control-answers.ts';
import type { HistogramAnswer } from '../../../runner/histogram.ts';
import { packageVersion } from '../../../setup/code-hash.ts';
import type { Background } from '../../background.ts';
import type { ConsoleContext } from '../../context.ts';

export type SystemAnswer = z.output<(typeof HOUSE_ROUTES)['system']['answer']>;

const MIB = 1 << 20;
const mib = (bytes: number): number => Math.round((bytes / MIB) * 10) / 10;
const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

let version: string | null = null;

/** How server and loop stand. `metrics` is null while no loop answers. */
export function systemView(
  { vitals, now }: Pick<ConsoleContext, 'vitals' | 'now'>,
  { jobs, alerts }: Pick<Background, 'jobs' | 'alerts'>,
  metrics: MetricsAnswer | null,
): SystemAnswer {
  const { startedAt, clients, lagMsP99 } = vitals();
  version ??= packageVersion();
  return {
    server: {
      version,
      node: process.versions.node,
      pid: process.pid,
      startedAt,
      rssMiB: mib(process.memoryUsage.rss()),
      lagMsP99: rounded(lagMsP99),
      clients,
    },
    loop:
      metrics === null
        ? null
        : {
            pid: metrics.pid,
            rssMiB: mib(metrics.process.rssBytes),
            heapMiB: mib(metrics.process.heapUsedBytes),
            lagMsP99: rounded(metrics.process.eventLoopLag.p99),
            stepAt: metrics.process.stepAt === 0 ? null : Math.floor(metrics.process.stepAt),
          },
    feeds:
      metrics === null ? [] : [{ name: 'market', status: metrics.feed.status, ageMs: metrics.feed.ageMs }],
    latency: metrics === null ? [] : latencyOf(metrics),
    queues: [
      ...(metrics === null ? [] : loopQueues(metrics)),
      ...(metrics?.ingest ? ingestQueues(metrics.ingest) : []),
      { name: 'jobs', depth: jobs.store.count('queued'), error: null },
      ...(alerts === null
        ? []
        : Object.entries(alerts.waiting()).map(([channel, depth]) => ({
            name: `alerts to ${channel}`,
            depth,
            error: null,
          }))),
    ],
    jobs: jobs.store.counts(now() - DAY),
  };
}

function loopQueues({ process: loop, projections }: MetricsAnswer) {
  const feed = { name: 'market events', depth: loop.feedQueue, error: null };
  if (projections === null) return [feed];
  return [
    feed,
    { name: 'projections', depth: projections.lag ?? projections.queued, error: projections.error },
  ];
}

/** Bars by webhook on their way; what is known while the queue does not answer is that. */
function ingestQueues({ queue, worker }: IngestFigures) {
  const { waiting, pending, dead, isDurable, durability, fault } = queue;
  const held = `bars by webhook, held by workers${worker === null ? '' : ` (oldest ${Math.round(worker.storeLagMs / 1_000)} s)`}`;
  return [
    { name: 'bars by webhook', depth: waiting ?? 0, error: fault ?? (isDurable ? null : durability) },
    { name: held, depth: pending ?? 0, error: fault },
    { name: 'bars by webhook, dead letters', depth: dead ?? 0, error: fault },
  ];
}

function latencyOf({ stages }: MetricsAnswer): SystemAnswer['latency'] {
  return Object.entries(stages).map(([stage, spans]) => ({
    stage,
    n: spans.count,
    p50us: quantileUs(spans, 0.5),
    p99us: quantileUs(spans, 0.99),
    maxUs: spans.count === 0 ? null : rounded(spans.max * 1_000),
  }));
}

/** Upper end of the span in which the quantile lies, never above the maximum; null for nothing counted. */
export function quantileUs({ bounds, counts, count, max }: HistogramAnswer, share: number): number | null {
  let below = 0;
  for (const [i, n] of counts.entries()) {
    below += n;
    if (n > 0 && below >= share * count) return rounded(Math.min(bounds[i] ?? max, max) * 1_000);
  }
  return null;
}
