import type { ResponseOf } from '@contract';
import { useAsk } from '../../api/queries.ts';
import { decimal, digitsOf } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import type { Instrument } from './instrument-list.tsx';

type Book = ResponseOf<'orderBook'>;
type Level = Book['bids'][number];

const EVERY_MS = 2_000;
const DEPTH = 12;

/** The finest view of the book there is, own orders marked in it. */
export function OrderBook({ instrument }: { readonly instrument: Instrument }) {
  const book = useAsk('orderBook', { query: { instrument: instrument.id } }, { every: EVERY_MS });
  return (
    <Panel
      title="Order book"
      flush
      className="self-start"
      note={book.data?.at != null && <Time at={book.data.at} show="time" />}
    >
      <Loaded of={book} what="Reading the book">
        {(data) =>
          data.finest === 'none' ? (
            <>
              <Empty title="These data have no book">
                Only bars come in for {instrument.id}. A feed with quotes or depth shows it here.
              </Empty>
              <Own book={data} instrument={instrument} />
            </>
          ) : (
            <Levels book={data} instrument={instrument} />
          )
        }
      </Loaded>
    </Panel>
  );
}

function Levels({ book, instrument }: { readonly book: Book; readonly instrument: Instrument }) {
  const bids = book.bids.slice(0, DEPTH);
  const asks = book.asks.slice(0, DEPTH);
  const most = Math.max(sum(bids), sum(asks), Number.MIN_VALUE);
  const bid = Number(bids[0]?.price);
  const ask = Number(asks[0]?.price);
  const spread = Number.isFinite(bid) && Number.isFinite(ask) ? ask - bid : null;
  return (
    <>
      {book.finest === 'quote' && (
        <p className="px-3 pt-2 text-xs text-muted">Best bid and ask only: these data have no depth.</p>
      )}
      <table className="w-full text-sm">
        <caption className="sr-only">Order book of {instrument.id}: asks above, bids below</caption>
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="px-3 py-1.5 text-left font-medium">
              Price
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              Quantity
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              Sum
            </th>
          </tr>
        </thead>
        <tbody>
          {asks
            .map((level, i) => ({ level, sum: sum(asks.slice(0, i + 1)) }))
            .reverse()
            .map((row) => (
              <LevelRow
                key={`a${row.level.price}`}
                {...row}
                most={most}
                side="ask"
                book={book}
                instrument={instrument}
              />
            ))}
          <tr className="border-y border-line">
            <td colSpan={3} className="px-3 py-1 text-center text-xs text-muted">
              Spread {spread === null ? '–' : decimal(spread, digitsOf(instrument.tick))}
              {spread !== null && bid > 0 && ` (${decimal((spread / bid) * 10_000, 2)} bps)`}
            </td>
          </tr>
          {bids.map((level, i) => (
            <LevelRow
              key={`b${level.price}`}
              level={level}
              sum={sum(bids.slice(0, i + 1))}
              most={most}
              side="bid"
              book={book}
              instrument={instrument}
            />
          ))}
        </tbody>
      </table>
      <Own book={book} instrument={instrument} />
    </>
  );
}

function sum(levels: readonly Level[]): number {
  return levels.reduce((total, level) => total + Number(level.quantity), 0);
}

interface RowProps {
  readonly level: Level;
  readonly sum: number;
  readonly most: number;
  readonly side: 'bid' | 'ask';
  readonly book: Book;
  readonly instrument: Instrument;
}

function LevelRow({ level, sum: total, most, side, book, instrument }: RowProps) {
  const own = book.own.some((order) => Number(order.price) === Number(level.price));
  const share = Math.min(100, (total / most) * 100);
  const soft = side === 'bid' ? 'var(--gain-soft)' : 'var(--loss-soft)';
  return (
    <tr style={{ background: `linear-gradient(to left, ${soft} ${share}%, transparent ${share}%)` }}>
      <td className={`px-3 py-0.5 ${side === 'bid' ? 'text-gain' : 'text-loss'}`}>
        {decimal(level.price, digitsOf(instrument.tick))}
        {own && <span className="ml-1.5 rounded border border-line-strong px-1 text-2xs text-ink">own</span>}
      </td>
      <td className="px-3 py-0.5 text-right">{decimal(level.quantity, digitsOf(instrument.lot))}</td>
      <td className="px-3 py-0.5 text-right text-soft">{decimal(total, digitsOf(instrument.lot))}</td>
    </tr>
  );
}

function Own({ book, instrument }: { readonly book: Book; readonly instrument: Instrument }) {
  if (book.own.length === 0) return null;
  return (
    <div className="border-t border-line px-3 py-2">
      <h3 className="text-xs font-medium text-muted">Own working orders</h3>
      <ul className="mt-1 flex flex-col gap-0.5 text-sm">
        {book.own.map((order) => (
          <li key={order.id} className="flex justify-between gap-3">
            <span>{order.side}</span>
            <span>
              {decimal(order.quantity, digitsOf(instrument.lot))} @{' '}
              {decimal(order.price, digitsOf(instrument.tick))}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
