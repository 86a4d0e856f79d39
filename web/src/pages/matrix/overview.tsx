import { useEffect } from 'react';
import { Link } from 'wouter';
import { useAsk, usePortfolio } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { pageCommands } from '../../shell/palette.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import { resetSwitch } from './acts.ts';
import { Baselines } from './baselines.tsx';
import { ConfigCard } from './config-card.tsx';
import { KillSwitches } from './kill-switches.tsx';
import { type Cell, type Family, type KillSwitch, type Matrix, rowsOf } from './standing.ts';

const EVERY_MS = 5_000;
const NO_SWITCHES: readonly KillSwitch[] = [];

/** Every config by symbol and timeframe. */
export function MatrixOverview() {
  const name = usePortfolio();
  const query = useAsk('matrix', {}, { every: EVERY_MS, keepOld: true, enabled: name !== null });
  useResets(query.data?.killSwitches ?? NO_SWITCHES);
  return (
    <>
      <PageHead
        title="Matrix"
        says={
          query.data === undefined ? (
            'Every config by symbol and timeframe'
          ) : (
            <>
              {query.data.cells.length} by symbol and timeframe · <Time at={query.data.at} /> UTC
            </>
          )
        }
      />
      {name === null ? (
        <Panel title="No portfolio yet">
          <HowTo title="Nothing has run in this data directory" />
        </Panel>
      ) : (
        <Loaded of={query} what="Reading desks">
          {(data) => <Shown data={data} />}
        </Loaded>
      )}
    </>
  );
}

/** Tripped switches can be reset from the palette of commands too. */
function useResets(switches: readonly KillSwitch[]) {
  const may = useMay('trader');
  useEffect(() => {
    if (!may) return;
    const tripped = switches.filter(({ trigger }) => trigger !== null);
    pageCommands.set(
      tripped.map((one) => ({
        name: `Reset kill switch ${one.name}`,
        says: 'asks why, and once more',
        icon: 'refresh' as const,
        run: () => resetSwitch(one),
      })),
    );
    return () => pageCommands.set([]);
  }, [may, switches]);
}

function Shown({ data }: { readonly data: Matrix }) {
  if (data.cells.length === 0)
    return (
      <Panel title="No desk">
        <HowTo title="This portfolio trades nothing" />
      </Panel>
    );
  return (
    <div className="flex flex-col gap-3">
      <KillSwitches switches={data.killSwitches} />
      {data.families.map((family) => (
        <FamilyPanel key={family.name} family={family} data={data} />
      ))}
    </div>
  );
}

function HowTo({ title }: { readonly title: string }) {
  return (
    <Empty title={title} icon="matrix">
      One line of a configuration, <code className="font-mono text-soft">{'{"desk": "s1-momentum"}'}</code>{' '}
      among the desks of a portfolio, makes sixteen configs of it; then{' '}
      <code className="font-mono text-soft">quorum start</code>. They appear here by themselves.
    </Empty>
  );
}

function FamilyPanel({ family, data }: { readonly family: Family; readonly data: Matrix }) {
  const own = data.cells.filter((cell) => cell.family === family.name);
  const flat = family.timeframes.length === 1;
  const without = own.filter(({ model }) => model !== null && model.id === null).length;
  const stamps = [...new Set(own.flatMap((cell) => cell.stamps))];
  return (
    <Panel
      title={family.name}
      note={`${own.length} ${own.length === 1 ? 'config' : 'configs'}${stamps.length === 0 ? '' : ` · ${stamps.join(', ')}`}`}
    >
      <div className="flex flex-col gap-3">
        {without > 0 && (
          <p className="rounded border border-line-strong bg-warn-soft px-3 py-2 text-sm text-ink">
            {without === own.length ? 'No config has' : `${without} of ${own.length} configs do not have`} a
            model, and they hold without one. Train with <code className="font-mono">quorum train s1</code> or
            bring one in with <code className="font-mono">quorum models import</code>, promote it to paper,
            and begin the portfolio anew. <Link href="/research?tab=models">Models on record</Link>
          </p>
        )}
        {flat ? <Flat cells={own} at={data.at} /> : <Grid family={family} cells={own} at={data.at} />}
        <Baselines baselines={family.baselines} />
      </div>
    </Panel>
  );
}

function Grid({
  family,
  cells,
  at,
}: {
  readonly family: Family;
  readonly cells: readonly Cell[];
  readonly at: number;
}) {
  return (
    <>
      {rowsOf(family, cells).map(({ symbol, slots }) => (
        <section key={symbol} aria-label={symbol}>
          <h3 className="mb-1 text-sm font-semibold">{symbol}</h3>
          <div className="grid grid-cols-1 gap-2 sm:grid-cols-2 xl:grid-cols-4">
            {slots.map((slot, i) => (
              <div key={family.timeframes[i]!.ms} className="flex min-w-0 flex-col gap-2">
                {slot.length === 0 ? (
                  <p className="rounded border border-dashed border-line px-2.5 py-2 text-xs text-muted">
                    {family.timeframes[i]!.name}: not in this portfolio
                  </p>
                ) : (
                  slot.map((cell) => <ConfigCard key={cell.desk} cell={cell} at={at} name={cell.timeframe} />)
                )}
              </div>
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

function Flat({ cells, at }: { readonly cells: readonly Cell[]; readonly at: number }) {
  return (
    <div className="grid grid-cols-1 gap-2 sm:grid-cols-2 xl:grid-cols-4">
      {cells.map((cell) => (
        <ConfigCard
          key={`${cell.desk} ${cell.instrument}`}
          cell={cell}
          at={at}
          name={`${cell.symbol} ${cell.timeframe}`}
        />
      ))}
    </div>
  );
}
