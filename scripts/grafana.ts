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

interface Dashboard {
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
export function grafanaDashboard({ uid, title, rows }: Dashboard): Record<string, unknown> {
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
