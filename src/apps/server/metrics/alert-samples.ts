import { backgroundOf } from '../background.ts';
import type { ConsoleContext } from '../context.ts';
import type { Sample } from './metric-table.ts';
import type { MetricsPart } from './metrics-text.ts';

/** What alerting did and what waits; nothing while it has not begun, or while its file cannot be read. */
export function alertsPart(context: ConsoleContext): MetricsPart {
  return {
    samples: () => {
      const { alerts } = backgroundOf(context);
      if (alerts === null) return [];
      try {
        return samplesOf(alerts.counts(), alerts.waiting());
      } catch {
        return [];
      }
    },
  };
}

function samplesOf(counts: Record<string, number>, waiting: Record<string, number>): Sample[] {
  const outcomes = Object.entries(counts).map(
    ([outcome, value]): Sample => ({ name: 'quorum_alert_outcomes_total', labels: { outcome }, value }),
  );
  const pending = Object.entries(waiting).map(
    ([channel, value]): Sample => ({ name: 'quorum_alert_deliveries_pending', labels: { channel }, value }),
  );
  return [...outcomes, ...pending];
}
