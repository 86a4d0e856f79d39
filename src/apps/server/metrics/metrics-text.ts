import type { DesksAnswer, MetricsAnswer } from '../../runner/control-answers.ts';
import type { Status } from '../../runner/status.ts';
import { packageVersion } from '../../setup/code-hash.ts';
import type { ConsoleContext } from '../context.ts';
import { Problem } from '../context.ts';
import { deskSamples } from './desk-samples.ts';
import { exposition } from './exposition.ts';
import type { HttpTally } from './http-tally.ts';
import { ingestSamples } from './ingest-samples.ts';
import type { Sample } from './metric-table.ts';
import { type HistogramSample, portfolioSamples, stageHistograms } from './portfolio-samples.ts';
import { traceSamples } from './trace-samples.ts';
import { type ClosedTrade, tradeSamples } from './trade-samples.ts';

/** What other parts of the server add to a scrape. */
export interface MetricsPart {
  samples(): readonly Sample[];
}

const ASK_MS = 2_000;
/** Closed trades are read again after so long; a scrape every second reads them no more often. */
const TRADES_MS = 5_000;

interface KeptTrades {
  readonly at: number;
  readonly trades: readonly ClosedTrade[];
}

/** Makes the text of `GET /metrics`: every portfolio's loop and trades, then the server's own figures. */
export function metricsText(
  context: ConsoleContext,
  http: HttpTally,
  parts: readonly MetricsPart[],
): () => Promise<string> {
  const kept = new Map<string, KeptTrades>();
  return async () => {
    const samples: Sample[] = [];
    const histograms: HistogramSample[] = [...http.histograms()];
    for (const name of context.portfolios.names()) {
      const answer = await context.portfolios.ask(name, { ask: 'metrics' }, ASK_MS);
      if (answer?.ok !== true) {
        samples.push({ name: 'quorum_up', labels: { portfolio: name }, value: 0 });
        continue;
      }
      const metrics = answer.metrics as MetricsAnswer;
      samples.push(...portfolioSamples(metrics, context.now()));
      if (metrics.ingest) samples.push(...ingestSamples(metrics.ingest));
      if (metrics.traces) samples.push(...traceSamples(name, 'loop', metrics.traces));
      if (metrics.ingest?.traces) samples.push(...traceSamples('', 'ingest', metrics.ingest.traces));
      histograms.push(...stageHistograms(metrics));
      const desks = await context.portfolios.ask(name, { ask: 'desks' }, ASK_MS);
      if (desks?.ok === true) samples.push(...deskSamples(name, desks.desks as DesksAnswer));
      samples.push(...(await tradesOf(context, name, metrics, kept)));
    }
    samples.push(...http.samples(), ...serverSamples(context));
    for (const part of parts) samples.push(...part.samples());
    return exposition(samples, histograms);
  };
}

async function tradesOf(
  context: ConsoleContext,
  name: string,
  { now }: MetricsAnswer,
  kept: Map<string, KeptTrades>,
): Promise<Sample[]> {
  const trades = await closedTrades(context, name, kept);
  const status = await context.portfolios.ask(name, { ask: 'status' }, ASK_MS);
  const instruments = status?.ok === true ? (status.status as Status).instruments : [];
  const intervalOf = (desk: string, id: string) =>
    instruments.find((i) => i.desk === desk && i.id === id)?.intervalMs ?? null;
  const opening = now.cash - now.realised + now.fees + now.funding;
  return tradeSamples(name, trades, intervalOf, opening);
}

/** None while the projections are out of reach: the other figures do not wait for them. */
async function closedTrades(
  { portfolios, now }: ConsoleContext,
  name: string,
  kept: Map<string, KeptTrades>,
): Promise<readonly ClosedTrade[]> {
  const known = kept.get(name);
  if (known !== undefined && now() - known.at < TRADES_MS) return known.trades;
  try {
    const { db } = await portfolios.projections(name);
    const rows = await db
      .selectFrom('trades')
      .select(['desk', 'instrument', 'realised', 'fees', 'funding'])
      .orderBy('at')
      .orderBy('id')
      .execute();
    const trades = rows.map(({ desk, instrument, realised, fees, funding }) => ({
      desk: desk ?? '',
      instrument: instrument ?? '',
      realised: Number(realised) - Number(fees) - Number(funding),
    }));
    kept.set(name, { at: now(), trades });
    return trades;
  } catch (error) {
    if (error instanceof Problem) return known?.trades ?? [];
    throw error;
  }
}

function serverSamples(context: ConsoleContext): Sample[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { clients, lagMsP99 } = context.vitals();
  const server = { portfolio: '', process: 'server' };
  return [
    { name: 'quorum_build_info', labels: { version: packageVersion(), node: process.version }, value: 1 },
    { name: 'quorum_process_resident_memory_bytes', labels: server, value: rss },
    { name: 'quorum_process_heap_bytes', labels: server, value: heapUsed },
    {
      name: 'quorum_event_loop_lag_seconds',
      labels: { ...server, quantile: '0.99' },
      value: lagMsP99 / 1_000,
    },
    { name: 'quorum_live_clients', labels: {}, value: clients },
  ];
}
