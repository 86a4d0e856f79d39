import type { ResponseOf } from '@contract';
import { useSearchParams } from 'wouter';
import { useGrid } from '../../api/instruments.ts';
import { useAsk, usePages, usePortfolio } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Versions } from '../../forms/versions.tsx';
import { perform } from '../../ui/act.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { PageHead } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { DeskForm } from './desk-form.tsx';

export type Desk = ResponseOf<'desks'>['items'][number];

const MAKES_OLD = ['desks', 'overview', 'portfolios'] as const;

export default function DesksPage() {
  const portfolio = usePortfolio();
  const desks = useAsk('desks', {}, { every: 15_000 });
  const [search, setSearch] = useSearchParams();
  return (
    <>
      <PageHead title="Desks" says="What trades, with which parameters, and who changed them." />
      <Loaded of={desks} what="Reading desks">
        {({ items }) => {
          const chosen = items.find((desk) => desk.name === search.get('desk')) ?? items[0];
          if (chosen === undefined)
            return (
              <Empty title="This portfolio has no desk" icon="desks">
                Name one in the configuration (Settings, Configuration) and start the portfolio afresh.
              </Empty>
            );
          return (
            <div className="flex flex-col gap-3">
              <ul aria-label="Desks" className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
                {items.map((desk) => (
                  <li key={desk.name}>
                    <DeskCard
                      desk={desk}
                      chosen={desk === chosen}
                      onChoose={() => setSearch({ desk: desk.name })}
                    />
                  </li>
                ))}
              </ul>
              <DeskForm key={`${portfolio} ${chosen.name} ${chosen.hash}`} desk={chosen} />
              <History key={`history ${chosen.name}`} name={chosen.name} />
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

function DeskCard({
  desk,
  chosen,
  onChoose,
}: {
  readonly desk: Desk;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}) {
  const trader = useMay('trader');
  const grid = useGrid();
  const toggle = () =>
    void (desk.running
      ? perform({
          route: 'stopDesk',
          params: { name: desk.name },
          title: `Stop desk ${desk.name}`,
          says: 'It opens no new position from now on. Its stops, targets and other exits go on.',
          verb: 'Stop',
          done: `${desk.name} opens no new positions`,
          makesOld: MAKES_OLD,
        })
      : perform({
          route: 'startDesk',
          params: { name: desk.name },
          title: `Start desk ${desk.name}`,
          says: 'It may open positions again, within the limits of the portfolio.',
          verb: 'Start',
          done: `${desk.name} may open positions`,
          makesOld: MAKES_OLD,
        }));
  return (
    <div
      className={`flex flex-col gap-2 rounded-md border bg-surface p-3 ${chosen ? 'border-ink' : 'border-line'}`}
    >
      <div className="flex flex-wrap items-center gap-2">
        <button
          type="button"
          aria-pressed={chosen}
          onClick={onChoose}
          className="text-sm font-semibold underline"
        >
          {desk.name}
        </button>
        <Badge tone={desk.running ? 'gain' : 'warn'} icon={desk.running ? 'play' : 'pause'}>
          {desk.running ? 'entries allowed' : 'entries stopped'}
        </Badge>
        {desk.pending !== null && <Badge tone="warn">changes wait</Badge>}
        <Button
          small
          icon={desk.running ? 'pause' : 'play'}
          className="ml-auto"
          disabled={!trader}
          onClick={toggle}
        >
          {desk.running ? 'Stop' : 'Start'}
        </Button>
      </div>
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-xs">
        <dt className="text-muted">Made from</dt>
        <dd className="truncate" title={desk.desk}>
          {desk.desk}
        </dd>
        <dt className="text-muted">Stage</dt>
        <dd>{desk.stage ?? 'research'}</dd>
        <dt className="text-muted">Mode</dt>
        <dd>{desk.mode}</dd>
        <dt className="text-muted">Trades</dt>
        <dd>{desk.instruments.map((id) => grid.name(id)).join(', ') || '–'}</dd>
        <dt className="text-muted">Hash</dt>
        <dd className="font-mono" title={desk.hash}>
          {desk.hash.slice(0, 12)}
        </dd>
      </dl>
    </div>
  );
}

function History({ name }: { readonly name: string }) {
  return <Versions note={name} of={usePages('deskHistory', { params: { name }, query: { limit: 20 } })} />;
}
