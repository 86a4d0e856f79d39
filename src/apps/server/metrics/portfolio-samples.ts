import type { MetricsAnswer } from '../../runner/control-answers.ts';
import type { HistogramAnswer } from '../../runner/histogram.ts';
import type { MetricName, Sample } from './metric-table.ts';

type Labels = Readonly<Record<string, string>>;

/** A histogram of a scrape; bounds in seconds, counts not summed up. */
export interface HistogramSample {
  readonly name: MetricName;
  readonly labels: Labels;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

const BPS = 10_000;

/** What a loop says about itself, as samples. A number that is not known has none. `now`: epoch ms of the server. */
export function portfolioSamples(answer: MetricsAnswer, now: number): Sample[] {
  const { portfolio } = answer;
  const samples: Sample[] = [];
  const add = (name: MetricName, value: number | null, labels: Labels = {}) => {
    if (value !== null && Number.isFinite(value))
      samples.push({ name, labels: { portfolio, ...labels }, value });
  };
  const each = (name: MetricName, label: string, counts: Readonly<Record<string, number>>) => {
    for (const [key, count] of Object.entries(counts)) add(name, count, { [label]: key });
  };
  const { life, now: account, feed, journal, projections, process } = answer;
  add('quorum_up', 1);
  add('quorum_portfolio_info', 1, {
    mode: answer.mode,
    currency: answer.currency,
    code: answer.codeHash.slice(0, 12),
  });
  add('quorum_entries_allowed', answer.running ? 1 : 0);
  add('quorum_feed_up', isUp(feed.status) ? 1 : 0);
  add('quorum_feed_age_seconds', seconds(feed.ageMs));
  add('quorum_bars_total', life.bars);
  add('quorum_slices_total', life.slices);
  for (const { desk, outcome, count } of life.decisions)
    add('quorum_decisions_total', count, { desk, outcome });
  for (const { outcome, by, count } of life.objections)
    add('quorum_objections_total', count, { outcome, by });
  add('quorum_orders_total', life.orders);
  each('quorum_orders_ended_total', 'state', life.ordersEnded);
  each('quorum_orders_rejected_total', 'reason', life.ordersRejected);
  each('quorum_exits_total', 'exit', life.exits);
  add('quorum_fills_total', life.fills);
  add('quorum_slippage_fills_total', life.slippage.fills);
  add('quorum_slippage_mean_ratio', life.slippage.sumBps / life.slippage.fills / BPS);
  add('quorum_equity', account.equity);
  add('quorum_cash', account.cash);
  add('quorum_realised_profit', account.realised);
  add('quorum_unrealised_profit', account.unrealised);
  add('quorum_fees_paid', account.fees);
  add('quorum_funding_paid', account.funding);
  add('quorum_day_change_ratio', account.dayChange);
  add('quorum_drawdown_ratio', account.drawdown);
  add('quorum_drawdown_max_ratio', account.maxDrawdown);
  add('quorum_positions', account.positions);
  add('quorum_working_orders', account.workingOrders);
  add('quorum_reviews_open', account.reviewsOpen);
  add('quorum_breaker_level', account.breaker?.level ?? null);
  add('quorum_journal_entries', journal.entries);
  add('quorum_journal_bytes', journal.bytes);
  add('quorum_projection_lag_entries', projections?.lag ?? null);
  add('quorum_projection_failures', projections?.failures ?? null);
  add('quorum_queue_depth', projections?.queued ?? null, { queue: 'projections' });
  add('quorum_queue_depth', process.feedQueue, { queue: 'feed' });
  add('quorum_process_resident_memory_bytes', process.rssBytes, { process: 'loop' });
  add('quorum_process_heap_bytes', process.heapUsedBytes, { process: 'loop' });
  for (const [quantile, ms] of [
    ['0.5', process.eventLoopLag.p50],
    ['0.99', process.eventLoopLag.p99],
  ] as const)
    add('quorum_event_loop_lag_seconds', seconds(ms), { process: 'loop', quantile });
  add('quorum_step_age_seconds', Math.max(0, now - process.stepAt) / 1_000);
  return samples;
}

/** The stages of the loop. */
export function stageHistograms({ portfolio, stages }: MetricsAnswer): HistogramSample[] {
  return Object.entries(stages).map(([stage, histogram]: [string, HistogramAnswer]) => ({
    name: 'quorum_stage_duration_seconds',
    labels: { portfolio, stage },
    bounds: histogram.bounds.map((ms) => ms / 1_000),
    counts: histogram.counts,
    sum: histogram.sum / 1_000,
  }));
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

/** A tape gives what it has; a live feed must be live. */
const isUp = (status: string): boolean => status === 'live' || status === 'tape' || status === 'over';
