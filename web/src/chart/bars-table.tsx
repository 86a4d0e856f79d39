import { decimal } from '../ui/format.ts';
import { Empty } from '../ui/state.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import type { BarStore } from './bar-store.ts';
import { columnName } from './line-shapes.ts';
import { regimeAt } from './marks.ts';
import { regimeName } from './palette.ts';

const MOST = 200;

/** The bars of a chart as a table, newest first: for those who do not see the picture, and to read figures off. */
export function BarsTable({
  store,
  to,
  digits,
  label,
}: {
  readonly store: BarStore;
  readonly to: number;
  readonly digits: number;
  readonly label: string;
}) {
  const end = Math.min(store.length, to);
  const rows = Array.from({ length: Math.min(MOST, end) }, (_, i) => end - 1 - i);
  const price = (field: 'open' | 'high' | 'low' | 'close') => ({
    head: field.charAt(0).toUpperCase() + field.slice(1),
    right: true,
    cell: (index: number) => decimal(store.at(index)![field], digits),
  });
  const columns: Column<number>[] = [
    { head: 'Open of the bar (UTC)', cell: (index) => <Time at={store.timeAt(index)} /> },
    price('open'),
    price('high'),
    price('low'),
    price('close'),
    { head: 'Volume', right: true, cell: (index) => decimal(store.at(index)!.volume) },
    ...store.lineNames.map((name) => ({
      head: columnName(name),
      right: true,
      cell: (index: number) => {
        const value = store.lineAt(name, index);
        return Number.isNaN(value) ? '–' : decimal(value);
      },
    })),
    {
      head: 'Regime',
      cell: (index) => {
        const regime = regimeAt(store, store.timeAt(index));
        return regime === null ? '–' : regimeName(regime);
      },
    },
  ];
  return (
    <Table
      label={label}
      columns={columns}
      rows={rows}
      keyOf={String}
      tall="h-[32rem]"
      empty={<Empty title="No bars yet">They come with the next close.</Empty>}
    />
  );
}
