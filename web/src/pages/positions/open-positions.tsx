import { useGrid } from '../../api/instruments.ts';
import { useMay } from '../../api/session.ts';
import { SideBadge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Gain } from '../../ui/figure.tsx';
import { Empty } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { closePosition } from './acts.ts';
import { DistanceBar, NextExit, type Position } from './exits.tsx';

interface Props {
  readonly positions: readonly Position[];
  readonly currency?: string | null;
  /** Fewer columns, for the overview. */
  readonly brief?: boolean;
  readonly onOpen?: (position: Position) => void;
}

/** Open positions with the way to their stop and target. */
export function OpenPositions({ positions, currency, brief = false, onOpen }: Props) {
  const grid = useGrid();
  const may = useMay('trader');
  const columns: Column<Position>[] = [
    { head: 'Instrument', cell: (p) => <Name position={p} onOpen={onOpen} /> },
    { head: 'Side', cell: (p) => <SideBadge side={p.side} /> },
    { head: 'Quantity', right: true, from: 'sm', cell: (p) => grid.quantity(p.instrument, p.quantity) },
    {
      head: 'Price, entry',
      right: true,
      from: 'md',
      cell: (p) => (
        <>
          {grid.price(p.instrument, p.price)}
          <span className="block text-2xs text-muted">{grid.price(p.instrument, p.entryPrice)}</span>
        </>
      ),
    },
    {
      head: brief || currency == null ? 'Unrealised' : `Unrealised, ${currency}`,
      right: true,
      cell: (p) => <Gain value={p.unrealised} />,
    },
    {
      head: 'Stop to target',
      from: brief ? 'xl' : 'md',
      cell: (p) => <DistanceBar position={p} />,
    },
    { head: 'Next exit', from: 'xl', cell: (p) => <NextExit position={p} /> },
    ...(brief ? [] : [{ head: 'Desk', from: '2xl' as const, cell: (p: Position) => p.desk }]),
    {
      head: <span className="sr-only">Actions</span>,
      right: true,
      cell: (p) => (
        <Button
          small
          disabled={!may}
          aria-label={`Close ${p.instrument}`}
          title={may ? 'Close at the market' : 'Needs the role of a trader'}
          onClick={() => void closePosition(p)}
        >
          Close
        </Button>
      ),
    },
  ];
  return (
    <Table
      label="Open positions"
      columns={columns}
      rows={positions}
      keyOf={(p) => p.book}
      empty={
        <Empty title="No open position">
          Positions appear here when a desk enters. Decisions shows which ideas are waiting.
        </Empty>
      }
    />
  );
}

function Name({ position, onOpen }: { readonly position: Position; readonly onOpen: Props['onOpen'] }) {
  const grid = useGrid();
  const name = grid.name(position.instrument);
  if (onOpen === undefined)
    return (
      <strong className="font-semibold" title={position.instrument}>
        {name}
      </strong>
    );
  return (
    <button
      type="button"
      className="font-semibold underline decoration-line-strong underline-offset-2 hover:decoration-ink"
      onClick={() => onOpen(position)}
    >
      {name}
    </button>
  );
}
