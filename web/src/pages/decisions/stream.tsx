import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useGrid } from '../../api/instruments.ts';
import { useLive } from '../../api/live.ts';
import { useAsk, usePages, usePortfolio } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/field.tsx';
import { percent, words } from '../../ui/format.ts';
import { OUTCOMES, OutcomeBadge } from '../../ui/outcome.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { useQueryState } from '../../ui/query-state.ts';
import { Empty } from '../../ui/state.tsx';
import { type Column, PagedTable } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { cutBy } from './cut-by.ts';

export type DecisionLine = ResponseOf<'decisions'>['items'][number];

const KEPT = 500;
const FRESH_MS = 2_000;

interface Filters {
  readonly outcome: string;
  readonly instrument: string;
  readonly by: string;
}

function passes(line: DecisionLine, { outcome, instrument, by }: Filters): boolean {
  return (
    (outcome === '' || line.outcome === outcome) &&
    (instrument === '' || line.instrument === instrument) &&
    (by === '' || cutBy(line.reason) === by)
  );
}

/** Every idea and what came of it, as it happens; what was not traded stands beside what was. */
export function Stream() {
  const [outcome, setOutcome] = useQueryState('outcome');
  const [instrument, setInstrument] = useQueryState('instrument');
  const [by, setBy] = useQueryState('by');
  const [held, setHeld] = useState(false);
  const grid = useGrid();
  const [, go] = useLocation();
  const filters = { outcome, instrument, by };
  const asked = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ''));
  const pages = usePages('decisions', { query: { ...asked, limit: 60 } }, { keepOld: true });
  const newest = useNewest(held);
  const known = new Set(pages.items.map((line) => line.id));
  const fresh = newest.lines.filter((line) => passes(line, filters) && !known.has(line.id));
  const items = [...fresh, ...pages.items];

  const columns: Column<DecisionLine>[] = [
    { head: 'Time, UTC', cell: (d) => <Time at={d.at} show="two" /> },
    {
      head: 'Instrument',
      cell: (d) => (
        <>
          <Link
            href={`/decisions/${encodeURIComponent(d.id)}`}
            className="font-semibold underline decoration-line-strong underline-offset-2 hover:decoration-ink"
          >
            {grid.name(d.instrument)}
          </Link>
          {d.reason !== null && d.reason !== '' && (
            <span className="block text-xs whitespace-normal text-muted md:hidden">{d.reason}</span>
          )}
        </>
      ),
    },
    { head: 'Wanted', from: 'sm', cell: (d) => words(d.action) },
    { head: 'Confidence', right: true, from: 'md', cell: (d) => <Confidence value={d.confidence} /> },
    { head: 'Outcome', cell: (d) => <OutcomeBadge outcome={d.outcome} /> },
    { head: 'Why', from: 'md', wrap: true, cell: (d) => <span className="text-soft">{d.reason ?? ''}</span> },
    { head: 'Desk', from: 'xl', cell: (d) => d.desk },
  ];
  return (
    <>
      <PageHead
        title="Decisions"
        says="Every idea and what came of it. Open one to see where it was cut and what would have let it pass"
        actions={
          <Button icon={held ? 'play' : 'pause'} aria-pressed={held} onClick={() => setHeld(!held)}>
            {held ? `Go on (${newest.waiting} new)` : 'Hold'}
          </Button>
        }
      />
      <Panel title="Stream" note={held ? 'held' : 'live'} flush>
        <FilterBar {...filters} setOutcome={setOutcome} setInstrument={setInstrument} setBy={setBy} />
        <PagedTable
          of={{ ...pages, items }}
          label="Decisions"
          columns={columns}
          keyOf={(d) => d.id}
          isFresh={(d) => newest.freshAfter > 0 && (newest.heardAt.get(d.id) ?? 0) > newest.freshAfter}
          empty={
            <Empty
              title="No decision fits"
              icon="filter"
              action={
                Object.keys(asked).length > 0 && (
                  <Button small onClick={() => go('/decisions', { replace: true })}>
                    Take the filters away
                  </Button>
                )
              }
            >
              The first ideas come when the sources are warm.
            </Empty>
          }
        />
      </Panel>
    </>
  );
}

interface Newest {
  readonly lines: readonly DecisionLine[];
  readonly waiting: number;
  readonly heardAt: ReadonlyMap<string, number>;
  readonly freshAfter: number;
}

/** What the live feed told since the page was opened; kept back while the stream is held. */
function useNewest(held: boolean): Newest {
  const name = usePortfolio();
  const [lines, setLines] = useState<readonly DecisionLine[]>([]);
  const [back, setBack] = useState<readonly DecisionLine[]>([]);
  const [heardAt] = useState(() => new Map<string, number>());
  useLive('decision', ({ data, portfolio }) => {
    if (portfolio !== name) return;
    heardAt.set(data.id, Date.now());
    if (heardAt.size > 4 * KEPT) heardAt.clear();
    const put = (old: readonly DecisionLine[]) => [data, ...old].slice(0, KEPT);
    if (held) setBack(put);
    else setLines(put);
  });
  if (!held && back.length > 0) {
    setLines([...back, ...lines].slice(0, KEPT));
    setBack([]);
  }
  return { lines, waiting: back.length, heardAt, freshAfter: Date.now() - FRESH_MS };
}

interface BarProps extends Filters {
  readonly setOutcome: (value: string) => void;
  readonly setInstrument: (value: string) => void;
  readonly setBy: (value: string) => void;
}

function FilterBar({ outcome, instrument, by, setOutcome, setInstrument, setBy }: BarProps) {
  const instruments = useAsk('instruments', {});
  const gates = useAsk('gates', {});
  const names = [...new Set(gates.data?.items.map((gate) => gate.gate))].sort();
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
      <fieldset aria-label="Outcome" className="flex flex-wrap gap-1">
        {['', ...OUTCOMES].map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={outcome === each}
            onClick={() => setOutcome(each)}
            className={`min-h-8 rounded border px-2 text-xs font-medium ${outcome === each ? 'border-transparent bg-button text-button-ink' : 'border-line-strong text-soft hover:bg-hover'}`}
          >
            {each === '' ? 'All' : words(each)}
          </button>
        ))}
      </fieldset>
      <div className="flex w-full gap-2 sm:ml-auto sm:w-auto">
        <Choice
          bare
          label="Instrument"
          data-filter
          className="min-w-0 flex-1 sm:w-40"
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
        <Choice
          bare
          label="Cut by"
          className="min-w-0 flex-1 sm:w-44"
          value={by}
          onChange={(event) => setBy(event.target.value)}
        >
          <option value="">Cut by anything</option>
          {by !== '' && !names.includes(by) && <option value={by}>{by}</option>}
          {names.map((gate) => (
            <option key={gate} value={gate}>
              {gate}
            </option>
          ))}
        </Choice>
      </div>
    </div>
  );
}

function Confidence({ value }: { readonly value: number | null }) {
  if (value === null) return <span className="text-muted">–</span>;
  return (
    <span className="inline-flex items-center gap-2">
      <svg aria-hidden="true" viewBox="0 0 40 4" className="h-1 w-10">
        <rect width="40" height="4" className="fill-hover" />
        <rect width={Math.max(0, Math.min(1, value)) * 40} height="4" className="fill-soft" />
      </svg>
      {percent(value, 0)}
    </span>
  );
}
