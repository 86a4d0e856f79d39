import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { Link } from 'wouter';
import { useAsk, usePortfolio } from '../../api/queries.ts';
import { useLiveStatus } from '../../shell/standing.ts';
import { Button } from '../../ui/button.tsx';
import { Gain, GainShare } from '../../ui/figure.tsx';
import { decimal, percent, ratio } from '../../ui/format.ts';
import { Metric, Metrics, PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import { OpenPositions } from '../positions/open-positions.tsx';
import { EquityPanel } from './equity-panel.tsx';
import { useSeen } from './seen.ts';
import { BreakerPanel, DesksPanel, LastDecision, Reviews } from './standing-panels.tsx';
import { Notifications, Performance, RecentTrades, Signals } from './widgets.tsx';

export type Overview = ResponseOf<'overview'>;

/** The first screen: how it stands, what was done last, what happened since the last look. */
export default function OverviewPage() {
  const name = usePortfolio();
  if (name === null)
    return (
      <>
        <PageHead title="Overview" />
        <Panel title="No portfolio yet">
          <Empty title="Nothing has run in this data directory" icon="play">
            Start one on the machine: <code className="font-mono text-soft">quorum start</code> trades on
            paper, <code className="font-mono text-soft">quorum start --demo</code> on made-up prices. It
            appears here by itself.
          </Empty>
        </Panel>
      </>
    );
  return <OfPortfolio key={name} name={name} />;
}

function OfPortfolio({ name }: { readonly name: string }) {
  const [at, setAt] = useState<number | null>(null);
  const { since, mark } = useSeen(name, at);
  const query = useAsk(
    'overview',
    { query: since === null ? {} : { since } },
    { every: 20_000, keepOld: true },
  );
  const now = useLiveStatus()?.at ?? query.data?.at ?? null;
  if (now !== at) setAt(now);
  return (
    <>
      <PageHead
        title="Overview"
        says={
          query.data === undefined ? undefined : (
            <>
              {query.data.feed}
              {query.data.tape !== null && tapeText(query.data.tape)} · <Time at={now} /> UTC
            </>
          )
        }
      />
      <Loaded of={query}>{(data) => <Screen data={data} onSeen={mark} />}</Loaded>
    </>
  );
}

function tapeText({ position, length, over }: NonNullable<Overview['tape']>): string {
  if (over) return ' · the tape is over';
  return length === null ? '' : ` · ${percent(position / length, 0)} of the tape`;
}

function Screen({ data, onSeen }: { readonly data: Overview; readonly onSeen: () => void }) {
  const { currency } = data;
  return (
    <div className="flex flex-col gap-3">
      {data.projections !== null && (data.projections.behind || data.projections.error !== null) && (
        <p
          role="status"
          className="rounded border border-line-strong bg-warn-soft px-3 py-2 text-sm text-ink"
        >
          Lists and charts lag behind the loop
          {data.projections.error === null ? '' : `: ${data.projections.error}`}. Trading and the stop button
          do not depend on them.
        </p>
      )}
      <Since data={data} onSeen={onSeen} />
      <div className="max-md:order-1">
        <Metrics>
          <Metric
            name={`Equity, ${currency}`}
            value={decimal(data.equity, 2)}
            note={`cash ${decimal(data.cash, 2)}`}
          />
          <Metric
            name="Today"
            value={<Gain value={data.today} />}
            note={<GainShare value={data.dayChange} />}
            title="Since 00:00 UTC"
          />
          <Metric
            name="Unrealised"
            value={<Gain value={data.unrealised} />}
            note={`${data.positions.length} open, ${data.workingOrders} orders`}
          />
          <Metric
            name="Realised"
            value={<Gain value={data.realised} />}
            note={`fees ${decimal(data.fees, 2)}`}
          />
          <Metric
            name="Exposure"
            value={data.exposure === null ? '–' : percent(data.exposure.share, 1)}
            note={data.exposure === null ? undefined : `net ${decimal(data.exposure.net, 2, true)}`}
            title="Gross exposure over equity"
          />
          <Metric
            name="Drawdown"
            value={percent(data.drawdown === null ? null : -Math.abs(data.drawdown), 2)}
            note={`worst ${percent(-Math.abs(data.maxDrawdown), 1)}`}
          />
          <Metric
            name="Win rate"
            value={percent(data.statistics.winRate, 1)}
            note={`${data.statistics.trades} trades`}
          />
          <Metric
            name="Sharpe"
            value={ratio(data.statistics.sharpe)}
            note={`payoff ${ratio(data.statistics.payoff)}`}
          />
        </Metrics>
      </div>
      <Reviews reviews={data.reviews} />
      <div className="grid grid-cols-1 gap-3 lg:grid-cols-3">
        <EquityPanel className="order-2 lg:order-1 lg:col-span-2" currency={currency} />
        <div className="order-1 flex min-w-0 flex-col gap-3 lg:order-2">
          <LastDecision decisions={data.decisions} />
          <BreakerPanel breaker={data.breaker} />
        </div>
      </div>
      <div className="grid grid-cols-1 gap-3 max-md:order-2 lg:grid-cols-3">
        <Panel
          className="lg:col-span-2"
          title="Open positions"
          flush
          actions={
            <Link href="/positions" className="text-xs text-soft underline">
              All, with orders
            </Link>
          }
        >
          <OpenPositions positions={data.positions} currency={currency} brief />
        </Panel>
        <DesksPanel desks={data.desks} />
      </div>
      <div className="grid grid-cols-1 gap-3 max-md:order-2 lg:grid-cols-2 xl:grid-cols-3">
        <RecentTrades className="xl:col-span-2" />
        <Performance />
        <Signals className="xl:col-span-2" />
        <Notifications />
      </div>
    </div>
  );
}

function Since({ data, onSeen }: { readonly data: Overview; readonly onSeen: () => void }) {
  const { since } = data;
  if (since === null || since.since > data.at) return null;
  const quiet = since.decisions === 0 && since.fills === 0 && since.trades === 0 && since.alerts.length === 0;
  return (
    <section
      aria-label="Since you last looked"
      className="flex items-start gap-3 rounded-md border border-line bg-surface px-3 py-1.5 text-sm"
    >
      <div className="flex min-h-7 min-w-0 flex-1 flex-wrap items-center gap-x-4 gap-y-1">
        <h2 className="font-semibold">Since you last looked</h2>
        <span className="text-xs text-muted">
          <Time at={since.since} /> UTC
        </span>
        {quiet ? (
          <span className="text-soft">nothing happened</span>
        ) : (
          <ul className="flex flex-wrap gap-x-4 text-soft">
            <li>
              <b className="font-semibold text-ink">{since.decisions}</b> decisions, {since.entered} entered
            </li>
            <li>
              <b className="font-semibold text-ink">{since.fills}</b> fills
            </li>
            <li>
              <b className="font-semibold text-ink">{since.trades}</b> trades,{' '}
              <Gain value={since.realised} currency={data.currency} />
            </li>
            {since.breakerMoves > 0 && (
              <li>
                breaker moved <b className="font-semibold text-ink">{since.breakerMoves}</b>×
              </li>
            )}
            {since.alerts.slice(0, 2).map((alert) => (
              <li key={`${alert.at}${alert.title}`}>
                {alert.title} (<Time at={alert.at} show="time" />)
              </li>
            ))}
            {since.alerts.length > 2 && <li>{since.alerts.length - 2} more alerts</li>}
          </ul>
        )}
      </div>
      {!quiet && (
        <Button small look="quiet" icon="check" onClick={onSeen}>
          Seen
        </Button>
      )}
    </section>
  );
}
