/** What a metric is: how Prometheus takes it, in words, and by what it is divided. */
export interface MetricShape {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const P = ['portfolio'] as const;
/** By config: symbol and timeframe are `instrument` and `interval`. */
const CUT = ['portfolio', 'desk', 'instrument', 'interval'] as const;
const FEED = ['feed'] as const;
const SWITCH = ['portfolio', 'switch', 'kind'] as const;

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
  quorum_desk_day_profit: {
    type: 'gauge',
    help: 'Made since 00:00 UTC, open position included, base currency.',
    labels: CUT,
  },
  quorum_desk_drawdown_ratio: {
    type: 'gauge',
    help: 'Fall of what was made from its highest, open position included, over the opening cash and that height.',
    labels: CUT,
  },
  quorum_desk_drawdown_max_ratio: { type: 'gauge', help: 'Largest such fall.', labels: CUT },
  quorum_desk_drawdown_limit_ratio: {
    type: 'gauge',
    help: 'The band: a fall beyond it trips the kill switch.',
    labels: CUT,
  },
  quorum_desk_position: { type: 'gauge', help: '1 long, -1 short, 0 flat.', labels: CUT },
  quorum_bar_age_seconds: { type: 'gauge', help: 'Time since the newest bar ended.', labels: CUT },
  quorum_bar_interval_seconds: { type: 'gauge', help: 'Length of its bars.', labels: CUT },
  quorum_model_usable: { type: 'gauge', help: '1 while there is a model that can be used.', labels: CUT },
  quorum_model_age_seconds: {
    type: 'gauge',
    help: 'Time since the last bar that the model was trained on.',
    labels: CUT,
  },
  quorum_model_rows_total: { type: 'counter', help: 'Rows the model was asked about.', labels: CUT },
  quorum_model_clipped_ratio: {
    type: 'gauge',
    help: 'Share of the newest 200 rows of which something lay beyond 8 deviations.',
    labels: CUT,
  },
  quorum_model_inputs_drifted: {
    type: 'gauge',
    help: '1 while that share is above 5 %: the scaler no longer fits.',
    labels: CUT,
  },
  quorum_parity_mean_bp: {
    type: 'gauge',
    help: "Mean difference to the chart script's values over 500 bars, basis points a bar; absent while unknown.",
    labels: CUT,
  },
  quorum_parity_max_bp: { type: 'gauge', help: 'Largest such difference of a bar.', labels: CUT },
  quorum_parity_bars: { type: 'gauge', help: 'Bars that were compared, at most 500.', labels: CUT },
  quorum_kill_switch_tripped: {
    type: 'gauge',
    help: '1 while a kill switch waits for a person; kind: desk or group.',
    labels: SWITCH,
  },
  quorum_kill_switch_cause: {
    type: 'gauge',
    help: '1 for what tripped it; only while it is tripped. watch: an old model, drifted inputs, parity.',
    labels: [...SWITCH, 'trigger'],
  },
  quorum_ingest_requests_total: {
    type: 'counter',
    help: 'Bars by webhook that were answered well: accepted, duplicate, differing (told twice, with other figures).',
    labels: [...FEED, 'outcome'],
  },
  quorum_ingest_refused_total: {
    type: 'counter',
    help: 'Requests that were refused, by reason.',
    labels: [...FEED, 'reason'],
  },
  quorum_ingest_queue_up: { type: 'gauge', help: '1 while the queue of bars answers.', labels: FEED },
  quorum_ingest_queue_durable: {
    type: 'gauge',
    help: '1 while every accepted bar survives a power cut; kind: embedded or redis.',
    labels: [...FEED, 'kind'],
  },
  quorum_ingest_bars_waiting: {
    type: 'gauge',
    help: 'Bars in the queue that no worker was given.',
    labels: FEED,
  },
  quorum_ingest_bars_pending: {
    type: 'gauge',
    help: 'Bars that workers were given and the store does not have.',
    labels: FEED,
  },
  quorum_ingest_dead_letters: { type: 'gauge', help: 'Bars that nobody could use.', labels: FEED },
  quorum_ingest_bars_stored_total: {
    type: 'counter',
    help: 'Bars put into the store, by who told them: webhook, provider, backfill.',
    labels: [...FEED, 'source'],
  },
  quorum_ingest_bars_unfilled_total: {
    type: 'counter',
    help: 'Bars that were missing before one that was released nevertheless.',
    labels: FEED,
  },
  quorum_ingest_faults_total: {
    type: 'counter',
    help: 'Attempts that the store or the queue did not answer.',
    labels: FEED,
  },
  quorum_ingest_store_lag_seconds: {
    type: 'gauge',
    help: 'Age of the oldest bar that a worker holds and the store does not have.',
    labels: FEED,
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
  quorum_trace_spans_exported_total: {
    type: 'counter',
    help: 'Spans that a collector took; only where traces are collected.',
    labels: ['portfolio', 'process'],
  },
  quorum_trace_spans_dropped_total: {
    type: 'counter',
    help: 'Spans that were dropped; reason: full (too many waited), failed (no collector took them).',
    labels: ['portfolio', 'process', 'reason'],
  },
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
