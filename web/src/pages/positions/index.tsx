import { useState } from 'react';
import { useGrid } from '../../api/instruments.ts';
import { useAsk, usePortfolio } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { flattenAll } from '../../shell/stop.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/field.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { useQueryState } from '../../ui/query-state.ts';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { flattenDesk } from './acts.ts';
import { DistanceBar, ExitsAhead, type Position } from './exits.tsx';
import { Fills, Orders, Trades } from './lists.tsx';
import { OpenPositions } from './open-positions.tsx';

const LISTS = [
  { key: 'working', name: 'Working orders' },
  { key: 'orders', name: 'All orders' },
  { key: 'fills', name: 'Fills' },
  { key: 'trades', name: 'Trades' },
] as const;
type List = (typeof LISTS)[number]['key'];

/** What is held, asked for and got. */
export default function PositionsPage() {
  const may = useMay('trader');
  const query = useAsk('positions', {}, { every: 10_000, keepOld: true });
  const desks = [...new Set(query.data?.items.map((p) => p.desk))].sort();
  return (
    <>
      <PageHead
        title="Positions and orders"
        says="Closing asks for a reason and is written to the journal with your name"
        actions={
          <>
            {desks.length > 1 &&
              desks.map((desk) => (
                <Button key={desk} small disabled={!may} onClick={() => void flattenDesk(desk)}>
                  Flatten {desk}…
                </Button>
              ))}
            <Button look="danger" disabled={!may} onClick={() => void flattenAll()}>
              Flatten all…
            </Button>
          </>
        }
      />
      <div className="flex flex-col gap-3">
        <Loaded of={query}>{({ items }) => <Held items={items} />}</Loaded>
        <Lists />
      </div>
    </>
  );
}

function Held({ items }: { readonly items: readonly Position[] }) {
  const [book, setBook] = useState<string | null>(null);
  const grid = useGrid();
  const portfolios = useAsk('portfolios', {});
  const name = usePortfolio();
  const currency = portfolios.data?.items.find((item) => item.name === name)?.currency ?? null;
  const shown = items.find((p) => p.book === book) ?? items[0];
  return (
    <div
      className={`grid grid-cols-1 gap-3 ${shown === undefined ? '' : 'xl:grid-cols-[minmax(0,1fr)_19rem]'}`}
    >
      <Panel title="Open positions" note={`${items.length}`} flush>
        <OpenPositions positions={items} currency={currency} onOpen={(p) => setBook(p.book)} />
      </Panel>
      {shown !== undefined && (
        <Panel
          title={`Exits ahead of ${grid.name(shown.instrument)}`}
          note={items.length > 1 ? 'choose a position at its name' : undefined}
        >
          <div className="mb-3 flex items-center gap-2 text-xs text-muted">
            <span>stop</span>
            <DistanceBar position={shown} />
            <span>target</span>
          </div>
          <ExitsAhead position={shown} />
        </Panel>
      )}
    </div>
  );
}

function Lists() {
  const [show, setShow] = useQueryState('show');
  const [instrument, setInstrument] = useQueryState('instrument');
  const instruments = useAsk('instruments', {});
  const chosen: List = LISTS.find((list) => list.key === show)?.key ?? 'working';
  const query = instrument === '' ? {} : { instrument };
  return (
    <section aria-label="Orders, fills and trades" className="rounded-md border border-line bg-surface">
      <h2 className="sr-only">Orders, fills and trades</h2>
      <Tabs label="Lists" tabs={LISTS} chosen={chosen} onChoose={setShow}>
        <div className="border-b border-line p-2">
          <Choice
            bare
            label="Instrument"
            className="max-w-52"
            data-filter
            value={instrument}
            onChange={(event) => setInstrument(event.target.value)}
          >
            <option value="">Every instrument</option>
            {instruments.data?.items.map((item) => (
              <option key={item.id} value={item.id}>
                {item.id}
              </option>
            ))}
          </Choice>
        </div>
        {chosen === 'working' && (
          <Orders
            query={{ ...query, working: 'true' }}
            empty={
              <Empty title="No working order">Stops and targets of open positions are listed here.</Empty>
            }
          />
        )}
        {chosen === 'orders' && <Orders query={query} empty={<Empty title="No order yet" />} />}
        {chosen === 'fills' && <Fills query={query} />}
        {chosen === 'trades' && <Trades query={query} />}
      </Tabs>
    </section>
  );
}
