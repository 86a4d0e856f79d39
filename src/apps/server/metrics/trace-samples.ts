import type { TraceFigures } from '../../traces/traces.ts';
import type { Sample } from './metric-table.ts';

/** What became of the spans of one process; of the server and the ingestion `portfolio` is empty. */
export function traceSamples(portfolio: string, process: string, figures: TraceFigures): Sample[] {
  const { exported, dropped } = figures;
  const labels = { portfolio, process };
  const drops = Object.entries(dropped).map(
    ([reason, value]): Sample => ({
      name: 'quorum_trace_spans_dropped_total',
      labels: { ...labels, reason },
      value,
    }),
  );
  return [{ name: 'quorum_trace_spans_exported_total', labels, value: exported }, ...drops];
}
