import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { useAsk, usePages } from '../../api/queries.ts';
import { LinePlot } from '../../chart/line-plot.tsx';
import { Differences } from '../../forms/differences.tsx';
import { PlainView } from '../../forms/plain-view.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/field.tsx';
import { decimal } from '../../ui/format.ts';
import { LineChart } from '../../ui/line-chart.tsx';
import { Metric, Metrics, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { PagedTable, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { figureName, figureText, inOrder, isCost } from './figures.ts';
import { PassportPanel } from './passport.tsx';

type RunLine = ResponseOf<'runs'>['items'][number];

const KINDS = ['backtest', 'sweep', 'walk-forward', 'cross-validate', 'worth'] as const;

/** The runs on record; one can be opened and two compared. */
export function Runs({
  chosen,
  onChoose,
}: {
  readonly chosen: readonly string[];
  readonly onChoose: (ids: readonly string[]) => void;
}) {
  const [kind, setKind] = useState('');
  const runs = usePages(
    'runs',
    { query: { limit: 50, ...(kind === '' ? {} : { kind }) } },
    { keepOld: true },
  );
  const figures = inOrder(runs.items.flatMap((run) => Object.keys(run.figures))).slice(0, 4);
  const toggle = (id: string) =>
    onChoose(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen.slice(-1), id]);
  return (
    <div className="flex flex-col gap-3">
      <Panel
        title="Runs on record"
        note={
          chosen.length === 2 ? 'two chosen: compared below' : 'choose one to open it, two to compare them'
        }
        flush
        actions={
          <Choice label="Kind of run" bare value={kind} onChange={(event) => setKind(event.target.value)}>
            <option value="">Every kind</option>
            {KINDS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Choice>
        }
      >
        <PagedTable<RunLine>
          label="Runs on record"
          of={runs}
          keyOf={(run) => run.id}
          tall="max-h-[28rem]"
          empty={
            <Empty
              title={kind === '' ? 'No run is on record yet' : `No ${kind} is on record`}
              icon="research"
            >
              Start a backtest with the button above, or run <code>quorum backtest</code> on the command line.
            </Empty>
          }
          columns={[
            {
              head: <span className="sr-only">Choose</span>,
              cell: (run) => (
                <input
                  type="checkbox"
                  aria-label={`Choose ${run.kind} ${run.id.slice(0, 8)} of ${run.desk}`}
                  checked={chosen.includes(run.id)}
                  onChange={() => toggle(run.id)}
                  className="size-4 accent-(--gain)"
                />
              ),
            },
            {
              head: 'Run',
              cell: (run) => (
                <button
                  type="button"
                  onClick={() => onChoose([run.id])}
                  className="font-mono text-xs underline"
                >
                  {run.id.slice(0, 8)}
                </button>
              ),
            },
            { head: 'Kind', cell: (run) => run.kind },
            { head: 'Desk', cell: (run) => run.desk },
            { head: 'Instruments', from: 'lg', cell: (run) => listed(run.instruments) },
            {
              head: 'Days (UTC)',
              from: 'xl',
              cell: (run) => (
                <>
                  <Time at={run.from} show="date" /> – <Time at={run.to} show="date" />
                </>
              ),
            },
            ...figures.map((name, i) => ({
              head: figureName(name),
              right: true,
              ...(i > 0 ? { from: 'md' as const } : {}),
              cell: (run: RunLine) => figureText(name, run.figures[name]),
            })),
            { head: 'Recorded (UTC)', from: 'lg', cell: (run) => <Time at={run.at} /> },
          ]}
        />
      </Panel>
      {chosen.length === 1 && <RunDetail key={chosen[0]} id={chosen[0]!} />}
      {chosen.length === 2 && <Comparison a={chosen[0]!} b={chosen[1]!} />}
    </div>
  );
}

function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}

function RunDetail({ id }: { readonly id: string }) {
  const run = useAsk('run', { params: { id } });
  const [passport, setPassport] = useState(false);
  return (
    <Loaded of={run} what="Reading the run">
      {(data) => (
        <>
          <Panel
            title={`${figureName(data.kind)} ${data.id.slice(0, 8)}`}
            note={data.desk}
            actions={
              <Button small aria-expanded={passport} onClick={() => setPassport(!passport)}>
                {passport ? 'Hide passport' : 'Passport'}
              </Button>
            }
          >
            <div className="flex flex-col gap-3">
              <Metrics>
                {inOrder(Object.keys(data.figures)).map((name) => (
                  <Metric key={name} name={figureName(name)} value={figureText(name, data.figures[name])} />
                ))}
              </Metrics>
              {data.equity !== null && (
                <LineChart
                  label={`Equity of run ${data.id.slice(0, 8)}, daily`}
                  write={(value) => decimal(value, Math.abs(value) < 10_000 ? 2 : 0)}
                  height={220}
                  fillFrom="bottom"
                  line={{ time: data.equity.time, values: data.equity.equity }}
                />
              )}
              {data.folder !== null && (
                <p className="text-xs text-muted">
                  Its files lie in <code className="font-mono text-soft">{data.folder}</code>
                </p>
              )}
              <details>
                <summary className="text-xs text-muted">The whole record</summary>
                <div className="mt-2">
                  <PlainView value={data.record} />
                </div>
              </details>
            </div>
          </Panel>
          {passport && <PassportPanel hash={data.id} />}
        </>
      )}
    </Loaded>
  );
}

function Comparison({ a, b }: { readonly a: string; readonly b: string }) {
  const compared = useAsk('compareRuns', { query: { a, b } });
  const [first, second] = [useAsk('run', { params: { id: a } }), useAsk('run', { params: { id: b } })];
  const curves = [first.data, second.data].flatMap((run, i) =>
    run?.equity == null || run.equity.equity.length === 0
      ? []
      : [
          {
            name: run.id.slice(0, 8),
            times: run.equity.time,
            values: run.equity.equity.map((value) => value / run.equity!.equity[0]! - 1),
            ink: i === 0 ? 'text-gain' : 'text-loss',
            dashed: i === 1,
          },
        ],
  );
  return (
    <Loaded of={compared} what="Comparing">
      {(data) => (
        <Panel
          title="Two runs compared"
          note={`${data.a.id.slice(0, 8)} (${data.a.desk}) and ${data.b.id.slice(0, 8)} (${data.b.desk})`}
        >
          <div className="grid gap-4 xl:grid-cols-2">
            <div>
              <Table
                label="Figures of both runs"
                rows={[...data.figures].sort(
                  (x, y) =>
                    inOrder(data.figures.map((f) => f.name)).indexOf(x.name) -
                    inOrder(data.figures.map((f) => f.name)).indexOf(y.name),
                )}
                keyOf={(row) => row.name}
                empty={<p className="text-xs text-muted">Neither has figures.</p>}
                columns={[
                  { head: 'Figure', cell: (row) => figureName(row.name) },
                  { head: data.a.id.slice(0, 8), right: true, cell: (row) => <Side row={row} side="a" /> },
                  { head: data.b.id.slice(0, 8), right: true, cell: (row) => <Side row={row} side="b" /> },
                ]}
              />
            </div>
            <div className="flex min-w-0 flex-col gap-4">
              {curves.length > 0 && (
                <LinePlot
                  label="Growth of both runs"
                  within={[0]}
                  format={(value) => figureText('return', value)}
                  lines={curves}
                />
              )}
              <div>
                <h3 className="mb-1 text-xs font-semibold">What they were given</h3>
                <Differences
                  items={data.differences}
                  label="Inputs in which the runs differ"
                  heads={[data.a.id.slice(0, 8), data.b.id.slice(0, 8)]}
                />
              </div>
            </div>
          </div>
        </Panel>
      )}
    </Loaded>
  );
}

function Side({
  row,
  side,
}: {
  readonly row: { readonly name: string; readonly a: number | null; readonly b: number | null };
  readonly side: 'a' | 'b';
}) {
  const [own, other] = side === 'a' ? [row.a, row.b] : [row.b, row.a];
  const judged = /return|sharpe|drawdown/i.test(row.name) && own !== null && other !== null && own !== other;
  const better = judged && own > other! !== isCost(row.name);
  return (
    <span className={better ? 'font-semibold text-gain' : ''}>
      {figureText(row.name, own)}
      {better && <span className="sr-only"> (better)</span>}
    </span>
  );
}
