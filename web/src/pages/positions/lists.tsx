import type { ResponseOf } from '@contract';
import type { ReactNode } from 'react';
import { useGrid } from '../../api/instruments.ts';
import { usePages } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Badge, SideBadge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Gain } from '../../ui/figure.tsx';
import { decimal, span, words } from '../../ui/format.ts';
import { Empty } from '../../ui/state.tsx';
import { type Column, PagedTable } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { cancelOrder } from './acts.ts';

type Order = ResponseOf<'orders'>['items'][number];
type Fill = ResponseOf<'fills'>['items'][number];
type Trade = ResponseOf<'trades'>['items'][number];

const TALL = 'max-h-[34rem]';
const EVERY = 15_000;

function stateTone({ state, working }: Order): Tone {
  if (working) return 'gain';
  return /reject|fail|unknown/.test(state) ? 'danger' : 'plain';
}

interface OrdersProps {
  readonly query: { readonly instrument?: string; readonly working?: 'true' };
  readonly empty: ReactNode;
}

export function Orders({ query, empty }: OrdersProps) {
  const grid = useGrid();
  const may = useMay('trader');
  const pages = usePages('orders', { query: { ...query, limit: 50 } }, { every: EVERY, keepOld: true });
  const columns: Column<Order>[] = [
    { head: 'Time, UTC', cell: (o) => <Time at={o.updatedAt ?? o.at} show="two" />, from: 'sm' },
    {
      head: 'Instrument',
      cell: (o) => (
        <>
          <strong className="font-semibold" title={o.instrument}>
            {grid.name(o.instrument)}
          </strong>
          <span className="block max-w-32 truncate font-mono text-2xs text-muted" title={o.id}>
            <span className="sm:hidden">{o.state} · </span>
            {o.id}
          </span>
        </>
      ),
    },
    { head: 'Side', cell: (o) => <SideBadge side={o.side} /> },
    { head: 'Type', from: 'md', cell: (o) => words(o.type) },
    { head: 'Price', right: true, cell: (o) => grid.price(o.instrument, o.price ?? o.stopPrice) },
    { head: 'Quantity', right: true, from: 'md', cell: (o) => grid.quantity(o.instrument, o.quantity) },
    { head: 'Filled', right: true, from: 'lg', cell: (o) => grid.quantity(o.instrument, o.filled) },
    { head: 'Average', right: true, from: 'xl', cell: (o) => grid.price(o.instrument, o.averagePrice) },
    { head: 'State', from: 'sm', cell: (o) => <Badge tone={stateTone(o)}>{o.state}</Badge> },
    { head: 'Why', from: 'lg', wrap: true, cell: (o) => o.reason ?? '' },
    {
      head: <span className="sr-only">Actions</span>,
      right: true,
      cell: (o) =>
        o.working && (
          <Button
            small
            disabled={!may}
            aria-label={`Cancel the ${o.side} order of ${o.instrument}`}
            onClick={() => void cancelOrder(o)}
          >
            Cancel
          </Button>
        ),
    },
  ];
  return (
    <PagedTable of={pages} label="Orders" columns={columns} keyOf={(o) => o.id} empty={empty} tall={TALL} />
  );
}

export function Fills({ query }: { readonly query: { readonly instrument?: string } }) {
  const grid = useGrid();
  const pages = usePages('fills', { query: { ...query, limit: 50 } }, { every: EVERY, keepOld: true });
  const columns: Column<Fill>[] = [
    { head: 'Time, UTC', cell: (f) => <Time at={f.at} show="two" /> },
    {
      head: 'Instrument',
      cell: (f) => (
        <strong className="font-semibold" title={f.instrument}>
          {grid.name(f.instrument)}
        </strong>
      ),
    },
    { head: 'Side', cell: (f) => <SideBadge side={f.side} /> },
    { head: 'Quantity', right: true, cell: (f) => grid.quantity(f.instrument, f.quantity) },
    { head: 'Price', right: true, cell: (f) => grid.price(f.instrument, f.price) },
    { head: 'Fee', right: true, from: 'sm', cell: (f) => `${decimal(f.fee, 4)} ${f.currency}` },
    { head: 'Liquidity', from: 'md', cell: (f) => f.liquidity ?? '' },
    { head: 'Why', from: 'lg', wrap: true, cell: (f) => f.reason ?? '' },
    {
      head: 'Order',
      from: 'xl',
      cell: (f) => <span className="font-mono text-xs text-muted">{f.orderId}</span>,
    },
  ];
  return (
    <PagedTable
      of={pages}
      label="Fills"
      columns={columns}
      keyOf={(f) => f.id}
      tall={TALL}
      empty={<Empty title="No fill yet">What the venue executes is listed here.</Empty>}
    />
  );
}

export function Trades({ query }: { readonly query: { readonly instrument?: string } }) {
  const grid = useGrid();
  const pages = usePages('trades', { query: { ...query, limit: 50 } }, { every: EVERY, keepOld: true });
  const columns: Column<Trade>[] = [
    { head: 'Closed, UTC', cell: (t) => <Time at={t.at} show="two" /> },
    {
      head: 'Instrument',
      cell: (t) => (
        <strong className="font-semibold" title={t.instrument}>
          {grid.name(t.instrument)}
        </strong>
      ),
    },
    { head: 'Side', cell: (t) => <SideBadge side={t.side} /> },
    { head: 'Quantity', right: true, from: 'sm', cell: (t) => grid.quantity(t.instrument, t.quantity) },
    { head: 'Entry', right: true, from: 'md', cell: (t) => grid.price(t.instrument, t.entryPrice) },
    { head: 'Exit', right: true, from: 'md', cell: (t) => grid.price(t.instrument, t.exitPrice) },
    { head: 'Held', right: true, from: 'lg', cell: (t) => span(t.at - t.openedAt) },
    { head: 'Fees', right: true, from: 'lg', cell: (t) => decimal(t.fees, 2) },
    { head: 'Funding', right: true, from: 'xl', cell: (t) => decimal(t.funding, 2, true) },
    { head: 'Regime', from: 'xl', cell: (t) => t.regime ?? '' },
    { head: 'Why closed', from: 'lg', wrap: true, cell: (t) => (t.reason === null ? '' : words(t.reason)) },
    {
      head: 'Realised',
      right: true,
      cell: (t) => (
        <>
          <Gain value={t.realised} />
          <span className="hidden text-muted sm:inline"> {t.currency}</span>
        </>
      ),
    },
  ];
  return (
    <PagedTable
      of={pages}
      label="Closed trades"
      columns={columns}
      keyOf={(t) => t.id}
      tall={TALL}
      empty={<Empty title="No closed trade yet">A trade is listed when its last lot is closed.</Empty>}
    />
  );
}
