import { formatInterval } from '#base';
import type { KillTrigger } from '#risk';
import type { DesksAnswer } from '../../runner/control-answers.ts';
import type { MetricName, Sample } from './metric-table.ts';

/** Every cause a switch may have: a series for each, so that one that is gone does not linger. */
const TRIGGERS: Readonly<Record<KillTrigger, true>> = {
  'day-loss': true,
  drawdown: true,
  losses: true,
  feed: true,
  breaker: true,
  manual: true,
  watch: true,
};

/** How desks stand in their instruments, and their kill switches. What is not known has no sample. */
export function deskSamples(portfolio: string, { at, books, killSwitches }: DesksAnswer): Sample[] {
  const samples: Sample[] = [];
  for (const book of books) {
    const { desk, instrument, intervalMs, model } = book;
    const labels = { portfolio, desk, instrument, interval: formatInterval(intervalMs) };
    const add = (name: MetricName, value: number | null) => {
      if (value !== null && Number.isFinite(value)) samples.push({ name, labels, value });
    };
    add('quorum_desk_day_profit', Number(book.today));
    add('quorum_desk_drawdown_ratio', book.drawdown);
    add('quorum_desk_drawdown_max_ratio', book.drawdownMax);
    add('quorum_desk_drawdown_limit_ratio', book.drawdownLimit);
    add('quorum_desk_position', book.position === null ? 0 : book.position.side === 'long' ? 1 : -1);
    add('quorum_bar_age_seconds', book.lastBarAt === null ? null : Math.max(0, at - book.lastBarAt) / 1_000);
    add('quorum_bar_interval_seconds', intervalMs / 1_000);
    if (model === null) continue;
    const { ageMs, rows, clippedShare, drifted, parity, fault } = model;
    add('quorum_model_usable', fault === null ? 1 : 0);
    add('quorum_model_age_seconds', ageMs === null ? null : ageMs / 1_000);
    add('quorum_model_rows_total', rows);
    add('quorum_model_clipped_ratio', clippedShare);
    add('quorum_model_inputs_drifted', drifted ? 1 : 0);
    add('quorum_parity_mean_bp', parity?.meanBp ?? null);
    add('quorum_parity_max_bp', parity?.maxBp ?? null);
    add('quorum_parity_bars', parity?.bars ?? null);
  }
  for (const { name, kind, trigger } of killSwitches) {
    const labels = { portfolio, switch: name, kind };
    samples.push({ name: 'quorum_kill_switch_tripped', labels, value: trigger === null ? 0 : 1 });
    if (trigger === null) continue;
    for (const one of Object.keys(TRIGGERS))
      samples.push({
        name: 'quorum_kill_switch_cause',
        labels: { ...labels, trigger: one },
        value: one === trigger ? 1 : 0,
      });
  }
  return samples;
}
