import { type Metric, Registry } from 'prom-client';
import { METRICS, type MetricName, type MetricShape, type Sample } from './metric-table.ts';
import type { HistogramSample } from './portfolio-samples.ts';

interface Line {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Samples as the text that Prometheus reads (exposition format 0.0.4), each metric once with all its lines. */
export async function exposition(
  samples: readonly Sample[],
  histograms: readonly HistogramSample[],
): Promise<string> {
  const lines = new Map<MetricName, Line[]>();
  const put = (name: MetricName, line: Line) => {
    const known = lines.get(name);
    if (known === undefined) lines.set(name, [line]);
    else known.push(line);
  };
  for (const { name, labels, value } of samples) put(name, { metricName: name, labels, value });
  for (const histogram of histograms) for (const line of bucketLines(histogram)) put(histogram.name, line);
  const registry = new Registry();
  for (const [name, values] of lines) registry.registerMetric(prepared(name, METRICS[name], values));
  return registry.metrics();
}

/** Counts at or below each bound, then sum and count. */
function bucketLines({ name, labels, bounds, counts, sum }: HistogramSample): Line[] {
  const lines: Line[] = [];
  let below = 0;
  counts.forEach((count, i) => {
    below += count;
    const le = bounds[i] ?? '+Inf';
    lines.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
  });
  lines.push({ metricName: `${name}_sum`, labels, value: sum });
  lines.push({ metricName: `${name}_count`, labels, value: below });
  return lines;
}

/** The registry asks a metric only for its lines; ours come from another process and are known already. */
function prepared(name: MetricName, { type, help }: MetricShape, values: readonly Line[]): Metric {
  return { name, get: async () => ({ name, help, type, aggregator: 'sum', values }) } as unknown as Metric;
}
