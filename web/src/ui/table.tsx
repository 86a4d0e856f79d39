import type { ReactNode } from 'react';
import type { Paged } from '../api/queries.ts';
import { Button } from './button.tsx';
import { ScrollBox } from './scroll-box.tsx';
import { Failed, Loading } from './state.tsx';

export interface Column<T> {
  readonly head: ReactNode;
  readonly cell: (row: T) => ReactNode;
  /** Figures stand to the right. */
  readonly right?: boolean;
  /** Left out below this width: what does not fit on a phone. */
  readonly from?: 'sm' | 'md' | 'lg' | 'xl' | '2xl';
  readonly wrap?: boolean;
}

const FROM = {
  sm: 'hidden sm:table-cell',
  md: 'hidden md:table-cell',
  lg: 'hidden lg:table-cell',
  xl: 'hidden xl:table-cell',
  '2xl': 'hidden 2xl:table-cell',
} as const;

interface Props<T> {
  /** What the table holds; said to those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly empty: ReactNode;
  readonly foot?: ReactNode;
  /** Rows newer than this are shown as fresh for a moment. */
  readonly isFresh?: (row: T) => boolean;
  /** Highest before it scrolls by itself, as a class. */
  readonly tall?: string;
}

export function Table<T>({ label, columns, rows, keyOf, empty, foot, isFresh, tall = '' }: Props<T>) {
  if (rows.length === 0) return <>{empty}</>;
  return (
    <ScrollBox label={label} className={tall}>
      <table className="w-full text-left text-sm">
        <caption className="sr-only">{label}</caption>
        <thead>
          <tr className="border-b border-line">
            {columns.map((column, i) => (
              <th
                key={i}
                scope="col"
                className={`sticky top-0 z-[1] bg-surface px-2 py-1.5 first:pl-3 last:pr-3 sm:px-3 text-xs font-medium whitespace-nowrap text-muted ${column.right === true ? 'text-right' : ''} ${column.from === undefined ? '' : FROM[column.from]}`}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={keyOf(row)}
              className={`border-b border-line last:border-0 hover:bg-raised ${isFresh?.(row) === true ? 'fresh' : ''}`}
            >
              {columns.map((column, i) => (
                <td
                  key={i}
                  className={`px-2 py-1.5 align-middle first:pl-3 last:pr-3 sm:px-3 ${column.right === true ? 'text-right' : ''} ${column.wrap === true ? 'min-w-24 sm:min-w-40' : 'whitespace-nowrap'} ${column.from === undefined ? '' : FROM[column.from]}`}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {foot}
    </ScrollBox>
  );
}

/** A {@link Table} of a list that is read page by page. */
export function PagedTable<T>({ of, ...rest }: { readonly of: Paged<T> } & Omit<Props<T>, 'rows' | 'foot'>) {
  if (of.error !== null) return <Failed error={of.error} again={of.again} />;
  if (of.loading) return <Loading />;
  return (
    <Table
      {...rest}
      rows={of.items}
      foot={
        of.more && (
          <div className="sticky left-0 flex justify-center p-2">
            <Button small busy={of.loadingMore} onClick={of.loadMore}>
              {of.loadingMore ? 'Loading…' : 'Older'}
            </Button>
          </div>
        )
      }
    />
  );
}
