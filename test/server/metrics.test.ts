import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS, grafanaDashboard } from '../../scripts/grafana.ts';
import type { IngestFigures } from '../../src/apps/ingest/ingest-figures.ts';
import { noIntake } from '../../src/apps/ingest/intake-counts.ts';
import type { MetricsAnswer } from '../../src/apps/runner/control-answers.ts';
import { Histogram } from '../../src/apps/runner/histogram.ts';
import { systemView } from '../../src/apps/server/areas/house/system-view.ts';
import { exposition } from '../../src/apps/server/metrics/exposition.ts';
import { ingestSamples } from '../../src/apps/server/metrics/ingest-samples.ts';
import { METRICS } from '../../src/apps/server/metrics/metric-table.ts';
import { portfolioSamples, stageHistograms } from '../../src/apps/server/metrics/portfolio-samples.ts';
import { tradeSamples } from '../../src/apps/server/metrics/trade-samples.ts';

const ops = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../ops/${path}`, import.meta.url)), 'utf8');

function histogram(...ms: number[]) {
  const made = new Histogram();
  for (const one of ms) made.add(one);
  return made.answer();
}

const ANSWER: MetricsAnswer = {
  at: 1_000_000,
  pid: 7,
  startedAt: 0,
  portfolio: 'p',
  mode: 'PAPER',
  currency: 'USDT',
  codeHash: 'c'.repeat(64),
  running: true,
  desksStopped: [],
  stages: {
    event: histogram(0.004, 2, 9_000),
    decide: histogram(),
    commit: histogram(1),
    turn: histogram(1),
  },
  life: {
    bars: 5,
    slices: 4,
    orders: 3,
    fills: 2,
    trades: 1,
    shadowTrades: 0,
    reviews: 0,
    questions: 0,
    entriesConsidered: 9,
    decisions: [{ desk: 'd', outcome: 'entered', count: 3 }],
    objections: [{ outcome: 'refused', by: 'spread "wide"\\', count: 6 }],
    ordersEnded: { filled: 2 },
    ordersRejected: {},
    exits: { stop: 1 },
    signals: {},
    reductions: {},
    breakerStates: {},
    slippage: { fills: 2, sumBps: 5 },
  },
  now: {
    equity: 990,
    cash: 990,
    realised: -8,
    unrealised: 0,
    fees: 2,
    funding: 0,
    dayChange: -0.01,
    drawdown: 0.01,
    maxDrawdown: 0.02,
    positions: 0,
    workingOrders: 0,
    reviewsOpen: 0,
    breaker: { state: 'HALT', level: 3 },
  },
  feed: { status: 'stale: no price for 90 s', ageMs: 90_000, tape: null },
  journal: { entries: 10, bytes: 2_048 },
  projections: { behind: false, queued: 0, lag: null, failures: 0, error: null },
  ingest: null,
  traces: null,
  process: {
    feedQueue: 0,
    stepAt: 999_000,
    lastTurnMs: 1,
    eventLoopLag: { unit: 'ms', mean: 1, p50: 1, p99: 3, max: 4 },
    rssBytes: 1e8,
    heapUsedBytes: 5e7,
    heapTotalBytes: 6e7,
    uptimeS: 10,
  },
};

const numberAt = (text: string, line: string) => {
  const found = text.split('\n').find((l) => l.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
};

describe('metrics of a portfolio', () => {
  it('have the names, labels and base units of the table', async () => {
    const samples = portfolioSamples(ANSWER, 1_000_000);
    for (const { name, labels } of samples)
      expect([name, Object.keys(labels).sort()]).toEqual([name, [...METRICS[name].labels].sort()]);
    const text = await exposition(samples, stageHistograms(ANSWER));
    expect(numberAt(text, 'quorum_equity{portfolio="p"}')).toBe(990);
    expect(numberAt(text, 'quorum_feed_age_seconds{portfolio="p"}')).toBe(90);
    expect(numberAt(text, 'quorum_feed_up{portfolio="p"}')).toBe(0);
    expect(numberAt(text, 'quorum_step_age_seconds{portfolio="p"}')).toBe(1);
    expect(numberAt(text, 'quorum_slippage_mean_ratio{portfolio="p"}')).toBe(0.00025);
    expect(numberAt(text, 'quorum_projection_lag_entries{portfolio="p"}')).toBeUndefined();
    expect(text).toContain('by="spread \\"wide\\"\\\\"');
    expect(text).toContain('# TYPE quorum_bars_total counter');
  });

  it('count histograms up to each bound, with all in the last', async () => {
    const text = await exposition([], stageHistograms(ANSWER));
    const bucket = (le: string) =>
      numberAt(text, `quorum_stage_duration_seconds_bucket{portfolio="p",stage="event",le="${le}"}`);
    expect([bucket('0.000005'), bucket('0.0015'), bucket('0.002'), bucket('5'), bucket('+Inf')]).toEqual([
      1, 1, 2, 2, 3,
    ]);
    expect(numberAt(text, 'quorum_stage_duration_seconds_count{portfolio="p",stage="event"}')).toBe(3);
  });
});

describe('metrics of bars by webhook', () => {
  const counts = { ...noIntake(), webhook: 7, backfill: 2, unfilled: 1, faults: 3 };
  const figures: IngestFigures = {
    feed: 'tv',
    endpoint: {
      accepted: 9,
      duplicates: 4,
      differing: 1,
      refused: { secret: 2, 'not-closed': 1 },
      broken: 0,
      malformed: 0,
    },
    queue: {
      kind: 'redis',
      durability: 'a power cut may take one second',
      isDurable: false,
      fault: null,
      waiting: 5,
      pending: 6,
      dead: 1,
    },
    worker: { counts, inWork: 6, storeLagMs: 1_500 },
  };

  it('have the names and labels of the table', async () => {
    const samples = ingestSamples(figures);
    for (const { name, labels } of samples)
      expect([name, Object.keys(labels).sort()]).toEqual([name, [...METRICS[name].labels].sort()]);
    const named = new Set(samples.map(({ name }) => name));
    expect(Object.keys(METRICS).filter((name) => name.startsWith('quorum_ingest_'))).toEqual([...named]);
    const text = await exposition(samples, []);
    const at = (line: string) => numberAt(text, `quorum_ingest_${line}`);
    expect(at('requests_total{feed="tv",outcome="accepted"}')).toBe(9);
    expect(at('requests_total{feed="tv",outcome="duplicate"}')).toBe(3);
    expect(at('refused_total{feed="tv",reason="not-closed"}')).toBe(1);
    expect(at('queue_durable{feed="tv",kind="redis"}')).toBe(0);
    expect([at('bars_waiting{feed="tv"}'), at('bars_pending{feed="tv"}')]).toEqual([5, 6]);
    expect(at('dead_letters{feed="tv"}')).toBe(1);
    expect(at('store_lag_seconds{feed="tv"}')).toBe(1.5);
  });

  it('leave out what is not known', () => {
    const queue = { ...figures.queue, fault: 'gone', waiting: null, pending: null, dead: null };
    const samples = ingestSamples({ ...figures, queue, worker: null });
    expect(samples.find(({ name }) => name === 'quorum_ingest_queue_up')?.value).toBe(0);
    expect(samples.some(({ name }) => name === 'quorum_ingest_bars_waiting')).toBe(false);
    expect(samples.some(({ name }) => name === 'quorum_ingest_store_lag_seconds')).toBe(false);
  });

  it('are on the System page as queues', () => {
    const context = { vitals: () => ({ startedAt: 0, clients: 0, lagMsP99: 0 }), now: () => 0 };
    const jobs = { store: { count: () => 0, counts: () => ({}) } };
    const view = systemView(
      context as unknown as Parameters<typeof systemView>[0],
      { jobs, alerts: null } as unknown as Parameters<typeof systemView>[1],
      { ...ANSWER, ingest: figures },
    );
    expect(view.queues.filter(({ name }) => name.startsWith('bars by webhook'))).toEqual([
      { name: 'bars by webhook', depth: 5, error: 'a power cut may take one second' },
      { name: 'bars by webhook, held by workers (oldest 2 s)', depth: 6, error: null },
      { name: 'bars by webhook, dead letters', depth: 1, error: null },
    ]);
  });
});

describe('metrics of closed trades', () => {
  const trade = (realised: number, instrument = 'A.V') => ({ desk: 'd', instrument, realised });
  const figure = (trades: ReturnType<typeof trade>[], name: string) =>
    tradeSamples('p', trades, () => 300_000, 1_000).find((s) => s.name === name)?.value;

  it('are profit over loss, share won, and the largest fall of the sum', () => {
    const trades = [trade(10), trade(-4), trade(-2), trade(0), trade(9)];
    expect(figure(trades, 'quorum_profit_factor')).toBeCloseTo(19 / 6, 12);
    expect(figure(trades, 'quorum_win_ratio')).toBe(0.4);
    expect(figure(trades, 'quorum_trade_drawdown_ratio')).toBe(0.006);
  });

  it('have no profit factor before a loss, and stay apart by instrument', () => {
    expect(figure([trade(1)], 'quorum_profit_factor')).toBeUndefined();
    const samples = tradeSamples('p', [trade(1), trade(-1, 'B.V')], () => null, 1_000);
    expect(
      samples.filter((s) => s.name === 'quorum_win_ratio').map((s) => [s.labels.instrument, s.value]),
    ).toEqual([
      ['A.V', 1],
      ['B.V', 0],
    ]);
  });
});

/** Every metric an expression names, with the labels it is cut by. */
function metricsIn(expr: string): { name: string; labels: string[] }[] {
  return [...expr.matchAll(/(quorum_\w+)(?:\{([^}]*)\})?/g)].map(([, name, labels = '']) => ({
    name: name!.replace(/_(bucket|sum|count)$/, ''),
    labels: [...labels.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map((m) => m[1]!),
  }));
}

function faultsOf(expr: string, legend = ''): string[] {
  const found = metricsIn(expr);
  const known: Record<string, { labels: readonly string[] }> = METRICS;
  const faults = found.flatMap(({ name, labels }) =>
    known[name] === undefined
      ? [`no metric ${name}`]
      : labels.filter((l) => !known[name]!.labels.includes(l)).map((l) => `${name} has no label ${l}`),
  );
  const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap((m) => m[1]!.split(',').map((l) => l.trim()));
  const shown = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((m) => m[1]!);
  const have = new Set([...found.flatMap(({ name }) => known[name]?.labels ?? []), 'le']);
  for (const label of [...by, ...shown]) if (!have.has(label)) faults.push(`no label ${label} in ${expr}`);
  return faults;
}

describe('what is shipped for Prometheus and Grafana', () => {
  it.each(DASHBOARDS.map((d) => [d.file, d] as const))(
    '%s is what the script writes, and names metrics that exist',
    (file, made) => {
      expect(JSON.parse(ops(`grafana/${file}`))).toEqual(grafanaDashboard(made));
      const queries = made.rows.flatMap((row) => row.panels.flatMap((panel) => panel.queries));
      expect(queries.length).toBeGreaterThan(10);
      expect(queries.flatMap(({ expr, legend }) => faultsOf(expr, legend))).toEqual([]);
    },
  );

  it('offer lists to choose from that are labels of metrics that exist', () => {
    for (const { choices = [] } of DASHBOARDS)
      for (const { of, by } of choices)
        expect((METRICS as Record<string, { labels: readonly string[] }>)[of]?.labels).toContain(by);
    expect(DASHBOARDS.flatMap(({ choices = [] }) => choices.map(({ name }) => name))).toEqual([
      'desk',
      'instrument',
      'interval',
    ]);
  });

  it('panels do not overlap', () => {
    for (const made of DASHBOARDS) {
      const { panels } = grafanaDashboard(made) as {
        panels: { gridPos: { x: number; y: number; w: number; h: number } }[];
      };
      const cells = new Set<string>();
      for (const { gridPos } of panels)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(x).toBeLessThan(24);
            expect(cells.has(`${x},${y}`)).toBe(false);
            cells.add(`${x},${y}`);
          }
    }
  });

  it('rules name metrics that exist', () => {
    const exprs = [...ops('prometheus/quorum.rules.yml').matchAll(/expr: (?:>-\n\s+)?(.*)/g)].map(
      (m) => m[1]!,
    );
    expect(exprs.length).toBeGreaterThan(10);
    expect(exprs.flatMap((expr) => faultsOf(expr))).toEqual([]);
  });

  it('finds planted faults', () => {
    expect(faultsOf('rate(quorum_nothing_total[1m])')).toHaveLength(1);
    expect(faultsOf('quorum_equity{stage="x"}')).toHaveLength(1);
    expect(faultsOf('quorum_equity', '{{reason}}')).toHaveLength(1);
  });
});
