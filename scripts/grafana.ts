// Writes ops/grafana/*.json, the dashboards that Grafana imports: node scripts/grafana.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Query {
  readonly expr: string;
  /** What a line is called, with `{{label}}` for labels. */
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'timeseries' | 'stat' | 'table' | 'bargauge';
  /** Of 24 columns. */
  readonly width: number;
  readonly unit: string;
  readonly queries: readonly Query[];
}

/** A list to choose from at the head of a dashboard, beside that of portfolios. */
interface Choice {
  readonly name: string;
  readonly label: string;
  /** Whose values: of this label of this metric, within what was chosen before. */
  readonly of: string;
  readonly by: string;
}

interface Dashboard {
  readonly choices?: readonly Choice[];
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

const PORTFOLIO = 'portfolio=~"$portfolio"';
const line = (
  title: string,
  description: string,
  unit: string,
  queries: readonly (readonly [string, string])[],
  width = 8,
): Panel => ({
  title,
  description,
  kind: 'timeseries',
  width,
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});
const stat = (
  title: string,
  description: string,
  unit: string,
  expr: string,
  legend = '{{portfolio}}',
): Panel => ({
  title,
  description,
  kind: 'stat',
  width: 4,
  unit,
  queries: [{ expr, legend }],
});
const bars = (title: string, description: string, unit: string, expr: string, legend: string): Panel => ({
  title,
  description,
  kind: 'bargauge',
  width: 8,
  unit,
  queries: [{ expr, legend }],
});

const CHOSEN = `${PORTFOLIO}, desk=~"$desk", instrument=~"$instrument", interval=~"$interval"`;
/** A figure of every chosen config over time, and as bars now. */
const config = (
  title: string,
  description: string,
  unit: string,
  metric: string,
  width: number = 12,
): Panel => line(title, description, unit, [[`${metric}{${CHOSEN}}`, '{{instrument}} {{interval}}']], width);
const configBars = (title: string, description: string, unit: string, metric: string): Panel =>
  bars(title, description, unit, `${metric}{${CHOSEN}}`, '{{instrument}} {{interval}}');

const BOOK = '{{desk}} {{instrument}} {{interval}}';

export const DASHBOARDS: readonly Dashboard[] = [
  {
    file: 'trading.json',
    uid: 'quorum-trading',
    title: 'Quorum: trading',
    rows: [
      {
        title: 'Now',
        panels: [
          stat('Equity', 'In the base currency.', 'none', `quorum_equity{${PORTFOLIO}}`),
          stat('Today', 'Since 00:00 UTC.', 'percentunit', `quorum_day_change_ratio{${PORTFOLIO}}`),
          stat('Drawdown', 'From the highest equity.', 'percentunit', `quorum_drawdown_ratio{${PORTFOLIO}}`),
          stat('Breaker', '0 CLOSED to 4 SHUTDOWN.', 'none', `quorum_breaker_level{${PORTFOLIO}}`),
          stat('Positions', 'Open positions.', 'none', `quorum_positions{${PORTFOLIO}}`),
          stat('Entries', '1 while they are allowed.', 'none', `quorum_entries_allowed{${PORTFOLIO}}`),
        ],
      },
      {
        title: 'Over time',
        panels: [
          line(
            'Equity',
            'In the base currency.',
            'none',
            [[`quorum_equity{${PORTFOLIO}}`, '{{portfolio}}']],
            12,
          ),
          line(
            'Drawdown',
            'From the highest equity, and the largest so far.',
            'percentunit',
            [
              [`quorum_drawdown_ratio{${PORTFOLIO}}`, '{{portfolio}}'],
              [`quorum_drawdown_max_ratio{${PORTFOLIO}}`, '{{portfolio}} largest'],
            ],
            12,
          ),
        ],
      },
      {
        title: 'By symbol and timeframe',
        panels: [
          bars(
            'Profit factor',
            'Gross profit over gross loss of closed trades; absent until one has lost.',
            'none',
            `quorum_profit_factor{${PORTFOLIO}}`,
            BOOK,
          ),
          bars('Win rate', 'Of closed trades.', 'percentunit', `quorum_win_ratio{${PORTFOLIO}}`, BOOK),
          bars(
            'Drawdown',
            'Largest fall of the summed results, over the opening equity.',
            'percentunit',
            `quorum_trade_drawdown_ratio{${PORTFOLIO}}`,
            BOOK,
          ),
          line(
            'Closed trades a day',
            'By result.',
            'none',
            [[`sum by (result) (increase(quorum_trades_total{${PORTFOLIO}}[1d]))`, '{{result}}']],
            12,
          ),
          line(
            'Profit and loss of closed trades',
            'Sums so far, in the base currency.',
            'none',
            [
              [`sum by (portfolio) (quorum_trade_profit_total{${PORTFOLIO}})`, '{{portfolio}} won'],
              [`sum by (portfolio) (quorum_trade_loss_total{${PORTFOLIO}})`, '{{portfolio}} lost'],
            ],
            12,
          ),
        ],
      },
      {
        title: 'Decisions and orders',
        panels: [
          line('Decisions', 'Ideas an hour by what came of them.', 'none', [
            [`sum by (outcome) (increase(quorum_decisions_total{${PORTFOLIO}}[1h]))`, '{{outcome}}'],
          ]),
          line('Objections', 'Ideas an hour that were not entered, by who objected first.', 'none', [
            [`topk(10, sum by (by) (increase(quorum_objections_total{${PORTFOLIO}}[1h])))`, '{{by}}'],
          ]),
          line('Orders', 'An hour.', 'none', [
            [`increase(quorum_orders_total{${PORTFOLIO}}[1h])`, '{{portfolio}} submitted'],
            [`increase(quorum_fills_total{${PORTFOLIO}}[1h])`, '{{portfolio}} fills'],
            [
              `sum by (reason) (increase(quorum_orders_rejected_total{${PORTFOLIO}}[1h]))`,
              'rejected {{reason}}',
            ],
          ]),
          line('Slippage', 'Mean against us over fills with an expected price.', 'percentunit', [
            [`quorum_slippage_mean_ratio{${PORTFOLIO}}`, '{{portfolio}}'],
          ]),
          line('Costs', 'Paid so far, in the base currency.', 'none', [
            [`quorum_fees_paid{${PORTFOLIO}}`, '{{portfolio}} fees'],
            [`quorum_funding_paid{${PORTFOLIO}}`, '{{portfolio}} funding'],
          ]),
          line('Exits', 'An hour, by kind.', 'none', [
            [`sum by (exit) (increase(quorum_exits_total{${PORTFOLIO}}[1h]))`, '{{exit}}'],
          ]),
        ],
      },
    ],
  },
  {
    file: 'configs.json',
    uid: 'quorum-configs',
    title: 'Quorum: configs by symbol and timeframe',
    choices: [
      { name: 'desk', label: 'Desk', of: 'quorum_bar_interval_seconds', by: 'desk' },
      { name: 'instrument', label: 'Symbol', of: 'quorum_bar_interval_seconds', by: 'instrument' },
      { name: 'interval', label: 'Timeframe', of: 'quorum_bar_interval_seconds', by: 'interval' },
    ],
    rows: [
      {
        title: 'Now',
        panels: [
          stat(
            'Kill switches tripped',
            'They wait for a person.',
            'none',
            `sum by (portfolio) (quorum_kill_switch_tripped{${PORTFOLIO}})`,
          ),
          stat(
            'Feeds old',
            'Configs without a bar for three bars.',
            'none',
            `count by (portfolio) (quorum_bar_age_seconds{${CHOSEN}} > 3 * quorum_bar_interval_seconds{${CHOSEN}}) or 0 * count by (portfolio) (quorum_bar_interval_seconds{${CHOSEN}})`,
          ),
          stat(
            'Positions',
            'Open in the chosen configs.',
            'none',
            `sum by (portfolio) (abs(quorum_desk_position{${CHOSEN}}))`,
          ),
          stat(
            'Today',
            'Made since 00:00 UTC by the chosen configs, base currency.',
            'none',
            `sum by (portfolio) (quorum_desk_day_profit{${CHOSEN}})`,
          ),
          stat('Oldest model', 'Age.', 's', `max by (portfolio) (quorum_model_age_seconds{${CHOSEN}})`),
          stat(
            'Worst parity',
            'Mean difference, basis points a bar; the limit is 1.',
            'none',
            `max by (portfolio) (quorum_parity_mean_bp{${CHOSEN}})`,
          ),
        ],
      },
      {
        title: 'Results',
        panels: [
          configBars(
            'Profit factor',
            'Gross profit over gross loss of closed trades; absent until one has lost. Promotion needs more than 1.10.',
            'none',
            'quorum_profit_factor',
          ),
          configBars(
            'Win rate',
            'Of closed trades. Promotion needs more than 55 %.',
            'percentunit',
            'quorum_win_ratio',
          ),
          bars(
            'Share of the band used',
            'Largest fall over the band of the timeframe; 1 trips the kill switch.',
            'percentunit',
            `quorum_desk_drawdown_max_ratio{${CHOSEN}} / quorum_desk_drawdown_limit_ratio{${CHOSEN}}`,
            '{{instrument}} {{interval}}',
          ),
          config('Today', 'Made since 00:00 UTC, base currency.', 'none', 'quorum_desk_day_profit'),
          config(
            'Drawdown',
            'Fall of what a config made from its highest, open position included.',
            'percentunit',
            'quorum_desk_drawdown_ratio',
          ),
          line(
            'Closed trades a day',
            'By symbol and timeframe.',
            'none',
            [
              [
                `sum by (instrument, interval) (increase(quorum_trades_total{${CHOSEN}}[1d]))`,
                '{{instrument}} {{interval}}',
              ],
            ],
            12,
          ),
          config('Position', '1 long, -1 short, 0 flat.', 'none', 'quorum_desk_position'),
        ],
      },
      {
        title: 'Models',
        panels: [
          configBars('Age of the model', 'Stale after 14 days.', 's', 'quorum_model_age_seconds'),
          configBars(
            'Rows cut off',
            'Of the newest 200; drift above 5 %.',
            'percentunit',
            'quorum_model_clipped_ratio',
          ),
          configBars(
            'Parity',
            'Mean difference to the chart script, basis points a bar; the limit is 1.',
            'none',
            'quorum_parity_mean_bp',
          ),
          config('Parity over time', 'Mean, basis points a bar.', 'none', 'quorum_parity_mean_bp'),
          config('Parity, largest bar', 'Basis points.', 'none', 'quorum_parity_max_bp'),
        ],
      },
      {
        title: 'Feeds and kill switches',
        panels: [
          line(
            'Age of the newest bar',
            'In bars; old from 3 on.',
            'none',
            [
              [
                `quorum_bar_age_seconds{${CHOSEN}} / quorum_bar_interval_seconds{${CHOSEN}}`,
                '{{instrument}} {{interval}}',
              ],
            ],
            12,
          ),
          line(
            'Kill switches',
            '1 while tripped.',
            'none',
            [[`quorum_kill_switch_tripped{${PORTFOLIO}}`, '{{portfolio}} {{switch}}']],
            12,
          ),
          line(
            'What tripped them',
            'watch: an old model, drifted inputs, parity.',
            'none',
            [[`quorum_kill_switch_cause{${PORTFOLIO}} == 1`, '{{switch}} {{trigger}}']],
            12,
          ),
        ],
      },
    ],
  },
  {
    file: 'system.json',
    uid: 'quorum-system',
    title: 'Quorum: system',
    rows: [
      {
        title: 'Alive',
        panels: [
          stat('Loop', '1 while it answers.', 'none', `quorum_up{${PORTFOLIO}}`),
          stat('Feed', '1 while prices come.', 'none', `quorum_feed_up{${PORTFOLIO}}`),
          stat('Last step', 'Age.', 's', `quorum_step_age_seconds{${PORTFOLIO}}`),
          stat('Last price', 'Age.', 's', `quorum_feed_age_seconds{${PORTFOLIO}}`),
          stat(
            'Projections behind',
            'Journal entries.',
            'none',
            `quorum_projection_lag_entries{${PORTFOLIO}}`,
          ),
          stat('Alerts waiting', 'Deliveries.', 'none', 'quorum_alert_deliveries_pending', '{{channel}}'),
        ],
      },
      {
        title: 'The loop',
        panels: [
          line(
            'Latency by stage, p99',
            'Over five minutes.',
            's',
            [
              [
                `histogram_quantile(0.99, sum by (stage, le) (rate(quorum_stage_duration_seconds_bucket{${PORTFOLIO}}[5m])))`,
                '{{stage}}',
              ],
            ],
            12,
          ),
          line(
            'Latency by stage, median',
            'Over five minutes.',
            's',
            [
              [
                `histogram_quantile(0.5, sum by (stage, le) (rate(quorum_stage_duration_seconds_bucket{${PORTFOLIO}}[5m])))`,
                '{{stage}}',
              ],
            ],
            12,
          ),
          line('Bars and slices', 'A minute.', 'none', [
            [`increase(quorum_bars_total{${PORTFOLIO}}[1m])`, '{{portfolio}} bars'],
            [`increase(quorum_slices_total{${PORTFOLIO}}[1m])`, '{{portfolio}} slices'],
          ]),
          line('Queues', 'What waits.', 'none', [
            [`quorum_queue_depth{${PORTFOLIO}}`, '{{portfolio}} {{queue}}'],
          ]),
          line('Journal', 'Size.', 'bytes', [[`quorum_journal_bytes{${PORTFOLIO}}`, '{{portfolio}}']]),
        ],
      },
      {
        title: 'Bars by webhook',
        panels: [
          line('Answered', 'A minute, by outcome.', 'none', [
            ['increase(quorum_ingest_requests_total[1m])', '{{feed}} {{outcome}}'],
          ]),
          line('Refused', 'A minute, by reason.', 'none', [
            ['increase(quorum_ingest_refused_total[1m])', '{{feed}} {{reason}}'],
          ]),
          line('Stored', 'A minute, by who told them; and bars missing before others.', 'none', [
            ['increase(quorum_ingest_bars_stored_total[1m])', '{{feed}} {{source}}'],
            ['increase(quorum_ingest_bars_unfilled_total[1m])', '{{feed}} missing'],
          ]),
          line('Queue of bars', 'Not given to a worker, held by one, and dead letters.', 'none', [
            ['quorum_ingest_bars_waiting', '{{feed}} waiting'],
            ['quorum_ingest_bars_pending', '{{feed}} held'],
            ['quorum_ingest_dead_letters', '{{feed}} dead letters'],
          ]),
          line('Store lag', 'Age of the oldest bar that a worker holds and the store does not have.', 's', [
            ['quorum_ingest_store_lag_seconds', '{{feed}}'],
          ]),
          line('Queue', '1 while it answers, and where it syncs every bar.', 'none', [
            ['quorum_ingest_queue_up', '{{feed}} up'],
            ['quorum_ingest_queue_durable', '{{feed}} durable ({{kind}})'],
          ]),
        ],
      },
      {
        title: 'Processes',
        panels: [
          line('Memory', 'Resident.', 'bytes', [
            ['quorum_process_resident_memory_bytes', '{{process}} {{portfolio}}'],
            ['quorum_process_heap_bytes', '{{process}} {{portfolio}} heap'],
          ]),
          line('Lag of timers, p99', 'How late they fire.', 's', [
            ['quorum_event_loop_lag_seconds{quantile="0.99"}', '{{process}} {{portfolio}}'],
          ]),
          line('Live clients', 'Of the WebSocket feed.', 'none', [['quorum_live_clients', 'clients']]),
          line('Requests', 'A second, by status.', 'none', [
            ['sum by (status) (rate(quorum_http_requests_total[1m]))', '{{status}}'],
          ]),
          line('Time of an answer, p99', 'Over five minutes.', 's', [
            [
              'histogram_quantile(0.99, sum by (method, le) (rate(quorum_http_request_duration_seconds_bucket[5m])))',
              '{{method}}',
            ],
          ]),
          line('Alerts', 'An hour, by what became of them.', 'none', [
            ['increase(quorum_alert_outcomes_total[1h])', '{{outcome}}'],
          ]),
        ],
      },
    ],
  },
];

const SOURCE = { type: 'prometheus', uid: '$' + '{source}' };
const HEIGHT = 8;
const STAT_HEIGHT = 4;

/** A dashboard in the form that Grafana imports (schema version 39). */
export function grafanaDashboard({ uid, title, rows, choices = [] }: Dashboard): Record<string, unknown> {
  const panels: Record<string, unknown>[] = [];
  let y = 0;
  let id = 1;
  for (const row of rows) {
    panels.push({
      id: id++,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      if (x + panel.width > 24) {
        y += height;
        x = 0;
        height = 0;
      }
      const h = panel.kind === 'stat' ? STAT_HEIGHT : HEIGHT;
      panels.push(grafanaPanel(panel, id++, { x, y, w: panel.width, h }));
      x += panel.width;
      height = Math.max(height, h);
    }
    y += height;
  }
  return {
    uid,
    title,
    tags: ['quorum'],
    schemaVersion: 39,
    version: 1,
    timezone: 'utc',
    refresh: '30s',
    time: { from: 'now-24h', to: 'now' },
    templating: {
      list: [
        { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        {
          name: 'portfolio',
          label: 'Portfolio',
          type: 'query',
          datasource: SOURCE,
          query: { query: 'label_values(quorum_up, portfolio)', refId: 'portfolios' },
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
        ...choices.map(({ name, label, of, by }) => ({
          name,
          label,
          type: 'query',
          datasource: SOURCE,
          query: { query: `label_values(${of}{${PORTFOLIO}}, ${by})`, refId: name },
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        })),
      ],
    },
    panels,
  };
}

function grafanaPanel(
  { title, description, kind, unit, queries }: Panel,
  id: number,
  gridPos: object,
): Record<string, unknown> {
  return {
    id,
    type: kind,
    title,
    description,
    datasource: SOURCE,
    gridPos,
    // blue to orange: told apart by everyone
    fieldConfig: {
      defaults: { unit, color: { mode: kind === 'timeseries' ? 'palette-classic' : 'continuous-BlYlRd' } },
      overrides: [],
    },
    options:
      kind === 'timeseries'
        ? { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull'] } }
        : { reduceOptions: { calcs: ['lastNotNull'] }, orientation: 'horizontal' },
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      instant: kind !== 'timeseries',
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const dashboard of DASHBOARDS) {
    const file = new URL(`../ops/grafana/${dashboard.file}`, import.meta.url);
    writeFileSync(file, `${JSON.stringify(grafanaDashboard(dashboard), null, 2)}\n`);
    process.stdout.write(`${fileURLToPath(file)}\n`);
  }
}
