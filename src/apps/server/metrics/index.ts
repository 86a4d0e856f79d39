export { alertsPart } from './alert-samples.ts';
export { METRICS, type MetricName, type MetricShape, type Sample } from './metric-table.ts';
export type { MetricsPart } from './metrics-text.ts';
export { type MetricsOptions, registerMetrics } from './plugin.ts';
export { traceSamples } from './trace-samples.ts';
