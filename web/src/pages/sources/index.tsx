import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { useAsk } from '../../api/queries.ts';
import { LinePlot } from '../../chart/line-plot.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Choice } from '../../ui/field.tsx';
import { percent, ratio, words } from '../../ui/format.ts';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Reliability, type SourceCard } from './reliability.tsx';
import { scaleOf, WorthCell } from './worth.tsx';

type GateCard = ResponseOf<'gates'>['items'][number];

const EVERY_MS = 15_000;
const keyOf = (card: SourceCard) => `${card.desk}/${card.source}`;

export default function SourcesPage() {
  const sources = useAsk('sources', {}, { every: EVERY_MS });
  const gates = useAsk('gates', {}, { every: EVERY_MS });
  const [desk, setDesk] = useState('');
  const desks = [
    ...new Set([...(sources.data?.items ?? []), ...(gates.data?.items ?? [])].map((card) => card.desk)),
  ];
  return (
    <>
      <PageHead
        title="Sources"
        says="Who said what, how often it came true, and what each source and gate is worth."
        actions={
          desks.length > 1 && (
            <Choice label="Desk" bare value={desk} onChange={(event) => setDesk(event.target.value)}>
              <option value="">All desks</option>
              {desks.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </Choice>
          )
        }
      />
      <div className="flex flex-col gap-3">
        <Loaded of={sources} what="Reading scorecards">
          {({ items }) => <Scorecards items={items.filter((card) => desk === '' || card.desk === desk)} />}
        </Loaded>
        <Panel title="Gates, vetoes and limits" note="what objects, and what it is worth" flush>
          <Loaded of={gates} what="Reading gates">
            {({ items }) => <Gates items={items.filter((card) => desk === '' || card.desk === desk)} />}
          </Loaded>
        </Panel>
      </div>
    </>
  );
}

function Scorecards({ items }: { readonly items: readonly SourceCard[] }) {
  const [search, setSearch] = useSearchParams();
  const chosen = items.find((card) => keyOf(card) === search.get('source')) ?? items[0];
  const scale = scaleOf(items);
  const heaviest = Math.max(Number.MIN_VALUE, ...items.map((card) => card.weight ?? 0));
  return (
    <>
      <Panel title="Scorecards" flush>
        <Table<SourceCard>
          label="Scorecards of the sources"
          rows={items}
          keyOf={keyOf}
          empty={
            <Empty title="No source has spoken yet" icon="sources">
              Sources are scored once their horizon is over. Let a portfolio run, or look at a finished
              backtest on the Research page.
            </Empty>
          }
          columns={[
            {
              head: 'Source',
              cell: (card) => (
                <button
                  type="button"
                  aria-pressed={card === chosen}
                  onClick={() => setSearch((old) => ({ ...Object.fromEntries(old), source: keyOf(card) }))}
                  className={`text-left ${card === chosen ? 'font-semibold' : ''} underline`}
                >
                  {card.source}
                </button>
              ),
            },
            { head: 'Desk', from: 'md', cell: (card) => card.desk },
            { head: 'Kind', from: 'lg', cell: (card) => (card.kind === null ? '–' : words(card.kind)) },
            { head: 'Scored', right: true, cell: (card) => card.n },
            { head: 'Hit rate', right: true, cell: (card) => percent(card.hitRate, 1) },
            {
              head: (
                <abbr title="Mean squared error of the stated probability: lower is better, 0.25 is a coin">
                  Brier
                </abbr>
              ),
              right: true,
              from: 'sm',
              cell: (card) => ratio(card.brier, 3),
            },
            {
              head: <abbr title="Mean log loss: lower is better, 0.693 is a coin">Log loss</abbr>,
              right: true,
              from: 'md',
              cell: (card) => ratio(card.logLoss, 3),
            },
            {
              head: 'Weight',
              right: true,
              cell: (card) => (
                <span className="inline-flex items-center gap-2">
                  <span aria-hidden="true" className="hidden h-1.5 w-16 bg-raised lg:inline-block">
                    <span
                      className="block h-full bg-gain"
                      style={{ width: `${((card.weight ?? 0) / heaviest) * 100}%` }}
                    />
                  </span>
                  {ratio(card.weight, 3)}
                </span>
              ),
            },
            { head: 'Worth', from: 'sm', cell: (card) => <WorthCell worth={card.worth} scale={scale} /> },
          ]}
        />
      </Panel>
      {chosen !== undefined && <Detail card={chosen} scale={scale} />}
    </>
  );
}

function Detail({ card, scale }: { readonly card: SourceCard; readonly scale: number }) {
  return (
    <div className="grid gap-3 xl:grid-cols-2">
      <Panel title={`Reliability of ${card.source}`} note={card.desk}>
        {card.reliability.length === 0 ? (
          <Empty title="Nothing to compare yet">
            The diagram needs forecasts whose horizon is over. A source of plain scores has none before it is
            calibrated.
          </Empty>
        ) : (
          <Reliability card={card} />
        )}
      </Panel>
      <Panel
        title={`Weight of ${card.source} over time`}
        note={<Badge>{`now ${ratio(card.weight, 3)}`}</Badge>}
      >
        {card.weights.length === 0 ? (
          <Empty title="The weight has not changed yet">
            Weights are set by the desk; learning hands new ones out between runs.
          </Empty>
        ) : (
          <LinePlot
            label={`Weight of ${card.source} over time`}
            within={[0]}
            stepped
            format={(value) => ratio(value, 2)}
            lines={[
              {
                name: 'weight',
                times: card.weights.map((point) => point.at),
                values: card.weights.map((point) => point.weight),
                ink: 'text-gain',
              },
            ]}
          />
        )}
        <p className="mt-2 text-xs text-muted">
          Worth: <WorthCell worth={card.worth} scale={scale} />
        </p>
      </Panel>
    </div>
  );
}

function Gates({ items }: { readonly items: readonly GateCard[] }) {
  const scale = scaleOf(items);
  return (
    <Table<GateCard>
      label="Gates, vetoes and limits"
      rows={items}
      keyOf={(card) => `${card.desk}/${card.kind}/${card.gate}`}
      empty={
        <Empty title="Nothing has objected yet">
          Gates and limits are counted from the first decision on.
        </Empty>
      }
      columns={[
        { head: 'Name', cell: (card) => card.gate },
        { head: 'Kind', cell: (card) => words(card.kind) },
        { head: 'Desk', from: 'md', cell: (card) => card.desk },
        { head: 'Asked', right: true, from: 'sm', cell: (card) => card.considered },
        { head: 'Objected', right: true, cell: (card) => card.objected },
        {
          head: 'Share',
          right: true,
          cell: (card) => (card.considered === 0 ? '–' : percent(card.objected / card.considered, 1)),
        },
        { head: 'Worth', from: 'sm', cell: (card) => <WorthCell worth={card.worth} scale={scale} /> },
      ]}
    />
  );
}
