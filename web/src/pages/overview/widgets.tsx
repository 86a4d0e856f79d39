import type { ResponseOf } from '@contract';
import { Link } from 'wouter';
import { call } from '../../api/client.ts';
import { useGrid } from '../../api/instruments.ts';
import { portfolio, refresh, useAsk } from '../../api/queries.ts';
import { Badge, SeverityBadge, SideBadge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Gain } from '../../ui/figure.tsx';
import { decimal, percent, ratio, span, words } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { ScrollBox } from '../../ui/scroll-box.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { tellError } from '../../ui/toast.tsx';

interface Place {
  readonly className?: string;
}

type Trade = ResponseOf<'trades'>['items'][number];
type Signal = ResponseOf<'signals'>['items'][number];

export function RecentTrades({ className }: Place) {
  const grid = useGrid();
  const query = useAsk('trades', { query: { limit: 8 } }, { every: 30_000 });
  const columns: Column<Trade>[] = [
    { head: 'Closed, UTC', cell: (t) => <Time at={t.at} show="stamp" />, from: 'sm' },
    {
      head: 'Instrument',
      cell: (t) => (
        <strong className="font-semibold" title={t.instrument}>
          {grid.name(t.instrument)}
        </strong>
      ),
    },
    { head: 'Side', cell: (t) => <SideBadge side={t.side} /> },
    { head: 'Entry', right: true, from: 'md', cell: (t) => grid.price(t.instrument, t.entryPrice) },
    { head: 'Exit', right: true, from: 'md', cell: (t) => grid.price(t.instrument, t.exitPrice) },
    { head: 'Held', right: true, from: '2xl', cell: (t) => span(t.at - t.openedAt) },
    { head: 'Why', from: 'xl', cell: (t) => (t.reason === null ? '' : words(t.reason)) },
    { head: 'Realised', right: true, cell: (t) => <Gain value={t.realised} /> },
  ];
  return (
    <Panel
      className={className}
      title="Recent trades"
      flush
      actions={
        <Link href="/positions?show=trades" className="text-xs text-soft underline">
          All trades
        </Link>
      }
    >
      <Loaded of={query}>
        {({ items }) => (
          <Table
            label="Recent trades"
            columns={columns}
            rows={items}
            keyOf={(t) => t.id}
            empty={
              <Empty title="No closed trade yet">A trade is listed here when its last lot is closed.</Empty>
            }
          />
        )}
      </Loaded>
    </Panel>
  );
}

export function Signals({ className }: Place) {
  const grid = useGrid();
  const query = useAsk('signals', { query: { limit: 10 } }, { every: 30_000 });
  const columns: Column<Signal>[] = [
    { head: 'Time, UTC', from: 'sm', cell: (s) => <Time at={s.at} show="time" /> },
    {
      head: 'Instrument',
      cell: (s) => (
        <strong className="font-semibold" title={s.instrument}>
          {grid.name(s.instrument)}
        </strong>
      ),
    },
    { head: 'Source', cell: (s) => s.source },
    { head: 'Says', cell: (s) => <Direction signal={s} /> },
    { head: 'Strength', right: true, cell: (s) => strength(s) },
    { head: 'Horizon', right: true, from: 'md', cell: (s) => span(s.horizonMs) },
    { head: 'Became', from: 'lg', cell: (s) => (s.outcome === null ? '' : words(s.outcome)) },
  ];
  return (
    <Panel
      className={className}
      title="Signals"
      flush
      actions={
        <Link href="/sources" className="text-xs text-soft underline">
          Sources
        </Link>
      }
    >
      <Loaded of={query}>
        {({ items }) => (
          <Table
            label="Signals"
            columns={columns}
            rows={items}
            keyOf={(s) => s.id}
            empty={
              <Empty title="No source has spoken yet">
                Sources need some bars before their indicators are warm.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Direction({ signal }: { readonly signal: Signal }) {
  if (signal.direction === 'long' || signal.direction === 'short')
    return <SideBadge side={signal.direction} />;
  if (signal.probability !== null) return <Badge>{signal.probability >= 0.5 ? 'up' : 'down'}</Badge>;
  return <Badge>{signal.direction ?? signal.kind}</Badge>;
}

function strength({ score, probability }: Signal): string {
  if (probability !== null) return percent(probability, 1);
  return score === null ? '–' : decimal(score, 2, true);
}

export function Performance({ className }: Place) {
  const query = useAsk('performance', {}, { every: 30_000 });
  return (
    <Panel className={className} title="Performance" note="closed trades">
      <Loaded of={query}>
        {(data) => (
          <dl className="grid grid-cols-2 gap-x-6 gap-y-2 text-sm">
            <Figure name="Trades" value={String(data.n)} />
            <Figure name="Win rate" value={percent(data.win_rate, 1)} />
            <Figure name="Payoff" value={ratio(data.payoff)} title="Average gain over average loss" />
            <Figure
              name="Expectancy"
              value={<Gain value={data.expectancy} />}
              title="Average result of a trade"
            />
            <Figure name="Sharpe" value={ratio(data.sharpe)} />
            <Figure name="Worst drawdown" value={percent(-Math.abs(data.max_drawdown), 1)} />
          </dl>
        )}
      </Loaded>
    </Panel>
  );
}

function Figure({
  name,
  value,
  title,
}: {
  readonly name: string;
  readonly value: React.ReactNode;
  readonly title?: string;
}) {
  return (
    <div className="flex items-baseline gap-2 border-b border-line pb-1" title={title}>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="ml-auto font-semibold">{value}</dd>
    </div>
  );
}

const of = () => {
  const name = portfolio.get();
  return name === null ? {} : { portfolio: name };
};

export function Notifications({ className }: Place) {
  const query = useAsk('notifications', { query: { limit: 12 } }, { every: 30_000 });
  const act = (work: Promise<unknown>) =>
    work.then(() => refresh('notifications')).catch((error: unknown) => tellError(error));
  const unread = query.data?.items.filter((item) => !item.read).length ?? 0;
  return (
    <Panel
      className={className}
      title="Notifications"
      note={unread > 0 ? `${unread} unread` : undefined}
      flush
      actions={
        query.data !== undefined &&
        query.data.items.length > 0 && (
          <Button small look="quiet" onClick={() => void act(call('clearNotifications', { query: of() }))}>
            Clear
          </Button>
        )
      }
    >
      <Loaded of={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing to tell" icon="alerts">
              Trades, alerts and moves of the breaker are told here.
            </Empty>
          ) : (
            <ScrollBox label="Notifications" className="max-h-80">
              <ul aria-live="polite">
                {items.map((item) => (
                  <li
                    key={item.id}
                    className="flex items-start gap-2 border-b border-line px-3 py-2 last:border-0"
                  >
                    <SeverityBadge severity={item.severity} />
                    <div className="min-w-0 flex-1">
                      <p className={`text-sm ${item.read ? 'text-soft' : 'font-semibold text-ink'}`}>
                        {item.title}
                      </p>
                      <p className="text-xs text-muted">
                        {item.message} · <Time at={item.time} />
                      </p>
                    </div>
                    {!item.read && (
                      <Button
                        small
                        look="quiet"
                        icon="check"
                        aria-label={`Mark as read: ${item.title}`}
                        onClick={() =>
                          void act(call('readNotification', { params: { id: item.id }, query: of() }))
                        }
                      />
                    )}
                  </li>
                ))}
              </ul>
            </ScrollBox>
          )
        }
      </Loaded>
    </Panel>
  );
}
