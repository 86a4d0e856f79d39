/** What a metric is: how Prometheus takes it, in words, and by what it is divided. */
export interface MetricShape {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const P = ['portfolio'] as const;
const CUT = ['portfolio', 'desk', 'instrument', 'interval'] as const;

/**
 * Every metric of `GET /metrics`. Names and units by the conventions of Prometheus: base units (seconds, bytes, ratios 0..1),
 * counters end in `_total`. Money is in the portfolio's base currency, which `quorum_portfolio_info` names.
 */
export const METRICS = {
  quorum_up: { type: 'gauge', help: '1 while the loop of the portfolio answers.', labels: P },
  quorum_portfolio_info: {
    type: 'gauge',
    help: '1, with what runs as labels.',
    labels: ['portfolio', 'mode', 'currency', 'code'],
  },
  quorum_build_info: { type: 'gauge', help: '1, with versions as labels.', labels: ['version', 'node'] },
  quorum_entries_allowed: { type: 'gauge', help: '1 while new positions may be opened.', labels: P },
  quorum_feed_up: { type: 'gauge', help: '1 while prices come.', labels: P },
  quorum_feed_age_seconds: { type: 'gauge', help: 'Time since the last market event.', labels: P },
  quorum_stage_duration_seconds: {
    type: 'histogram',
    help: 'Time a stage of the loop took: event, decide, commit, turn.',
    labels: ['portfolio', 'stage'],
  },
  quorum_bars_total: { type: 'counter', help: 'Bars that the loop has seen.', labels: P },
  quorum_slices_total: { type: 'counter', help: 'Slices that were closed.', labels: P },
  quorum_decisions_total: {
    type: 'counter',
    help: 'Ideas by what came of them.',
    labels: ['portfolio', 'desk', 'outcome'],
  },
  quorum_objections_total: {
    type: 'counter',
    help: 'Ideas that were not entered, by who objected first.',
    labels: ['portfolio', 'outcome', 'by'],
  },
  quorum_orders_total: { type: 'counter', help: 'Orders submitted.', labels: P },
  quorum_orders_ended_total: {
    type: 'counter',
    help: 'Orders by how they ended.',
    labels: ['portfolio', 'state'],
  },
  quorum_orders_rejected_total: {
    type: 'counter',
    help: 'Orders the venue rejected, by reason.',
    labels: ['portfolio', 'reason'],
  },
  quorum_exits_total: { type: 'counter', help: 'Exits by kind.', labels: ['portfolio', 'exit'] },
  quorum_fills_total: { type: 'counter', help: 'Fills.', labels: P },
  quorum_slippage_fills_total: {
    type: 'counter',
    help: 'Market fills for which a price was expected.',
    labels: P,
  },
  quorum_slippage_mean_ratio: {
    type: 'gauge',
    help: 'Mean over those fills of the slippage against us.',
    labels: P,
  },
  quorum_equity: { type: 'gauge', help: 'Equity in the base currency.', labels: P },
  quorum_cash: { type: 'gauge', help: 'Cash in the base currency.', labels: P },
  quorum_realised_profit: { type: 'gauge', help: 'Realised profit in the base currency.', labels: P },
  quorum_unrealised_profit: { type: 'gauge', help: 'Unrealised profit in the base currency.', labels: P },
  quorum_fees_paid: { type: 'gauge', help: 'Fees paid in the base currency.', labels: P },
  quorum_funding_paid: { type: 'gauge', help: 'Funding paid in the base currency.', labels: P },
  quorum_day_change_ratio: { type: 'gauge', help: 'Change of equity since 00:00 UTC.', labels: P },
  quorum_drawdown_ratio: { type: 'gauge', help: 'Loss from the highest equity.', labels: P },
  quorum_drawdown_max_ratio: { type: 'gauge', help: 'Largest such loss.', labels: P },
  quorum_positions: { type: 'gauge', help: 'Open positions.', labels: P },
  quorum_working_orders: { type: 'gauge', help: 'Orders at the venue.', labels: P },
  quorum_reviews_open: { type: 'gauge', help: 'Plans that wait for a review.', labels: P },
  quorum_breaker_level: {
    type: 'gauge',
    help: '0 CLOSED, 1 ALERT, 2 THROTTLE, 3 HALT, 4 SHUTDOWN.',
    labels: P,
  },
  quorum_journal_entries: { type: 'gauge', help: 'Entries of the journal.', labels: P },
  quorum_journal_bytes: { type: 'gauge', help: 'Size of the journal.', labels: P },
  quorum_projection_lag_entries: {
    type: 'gauge',
    help: 'Journal entries that the projections do not hold yet.',
    labels: P,
  },
  quorum_projection_failures: { type: 'gauge', help: 'Attempts to project that failed in a row.', labels: P },
  quorum_queue_depth: { type: 'gauge', help: 'What waits in a queue.', labels: ['portfolio', 'queue'] },
  quorum_trades_total: {
    type: 'counter',
    help: 'Closed trades by result: won, lost, even.',
    labels: [...CUT, 'result'],
  },
  quorum_trade_profit_total: {
    type: 'counter',
    help: 'Sum of the winning trades, base currency.',
    labels: CUT,
  },
  quorum_trade_loss_total: {
    type: 'counter',
    help: 'Sum of the losing trades as a positive amount.',
    labels: CUT,
  },
  quorum_profit_factor: {
    type: 'gauge',
    help: 'Profit over loss of closed trades; absent until one has lost.',
    labels: CUT,
  },
  quorum_win_ratio: { type: 'gauge', help: 'Share of closed trades that won.', labels: CUT },
  quorum_trade_drawdown_ratio: {
    type: 'gauge',
    help: 'Largest fall of the summed results of closed trades, over the equity the portfolio began with.',
    labels: CUT,
  },
  quorum_process_resident_memory_bytes: {
    type: 'gauge',
    help: 'Resident memory.',
    labels: ['portfolio', 'process'],
  },
  quorum_process_heap_bytes: { type: 'gauge', help: 'Heap in use.', labels: ['portfolio', 'process'] },
  quorum_event_loop_lag_seconds: {
    type: 'gauge',
    help: 'How late timers fire.',
    labels: ['portfolio', 'process', 'quantile'],
  },
  quorum_step_age_seconds: { type: 'gauge', help: 'Time since the loop last stepped or idled.', labels: P },
  quorum_http_requests_total: {
    type: 'counter',
    help: 'Requests that the server answered.',
    labels: ['route', 'method', 'status'],
  },
  quorum_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of an answer.',
    labels: ['method'],
  },
  quorum_live_clients: { type: 'gauge', help: 'Clients of the live feed.', labels: [] },
  quorum_alert_outcomes_total: {
    type: 'counter',
    help: 'Alerts by what became of them: taken, held, digested, suppressed by reason, delivered, retried.',
    labels: ['outcome'],
  },
  quorum_alert_deliveries_pending: {
    type: 'gauge',
    help: 'Deliveries of alerts that wait.',
    labels: ['channel'],
  },
} as const satisfies Record<string, MetricShape>;

export type MetricName = keyof typeof METRICS;

/** One number of a scrape. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
