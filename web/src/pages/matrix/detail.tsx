import type { ResponseOf } from '@contract';
import { Link } from 'wouter';
import { useAsk } from '../../api/queries.ts';
import { SideBadge } from '../../ui/badge.tsx';
import { Gain } from '../../ui/figure.tsx';
import { decimal, percent, ratio, span } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { LineChart } from '../../ui/line-chart.tsx';
import { Metric, Metrics, PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { Baselines } from './baselines.tsx';
import { SwitchLine } from './kill-switches.tsx';
import { Band, ModelLine, ParityText, StandingBadge, VerdictMark } from './parts.tsx';
import { type Cell, PARITY_LIMIT_BP, profitFactorText } from './standing.ts';

type Drift = ResponseOf<'drift'>;
type Item = Drift['items'][number];

const EVERY_MS = 5_000;
const bp = (value: number) => `${value.toFixed(2)} bp`;

/** One desk of the matrix: results, gates, model, kill switches, and how far it lies from the chart's script. */
export function ConfigDetail({ desk }: { readonly desk: string }) {
  const matrix = useAsk('matrix', {}, { every: EVERY_MS, keepOld: true });
  return (
    <>
      <Link href="/matrix" className="mb-2 inline-flex items-center gap-1 text-xs text-soft underline">
        <Icon name="left" size={12} />
        All configs
      </Link>
      <Loaded of={matrix} what="Reading the desk">
        {(data) => {
          const cells = data.cells.filter((cell) => cell.desk === desk);
          const switches = data.killSwitches.filter(({ desks }) => desks.includes(desk));
          if (cells.length === 0)
            return (
              <>
                <PageHead title={desk} />
                <Panel title="Not here">
                  <Empty title="This portfolio has no desk of this name" icon="matrix">
                    Choose another portfolio at the top, or go back to all configs.
                  </Empty>
                </Panel>
              </>
            );
          return (
            <>
              <PageHead
                title={desk}
                says={
                  <>
                    {cells.map((cell) => `${cell.instrument} ${cell.timeframe}`).join(', ')} ·{' '}
                    <Time at={data.at} /> UTC
                  </>
                }
              />
              <div className="flex flex-col gap-3">
                {switches.length > 0 && (
                  <Panel title="Kill switches" flush>
                    <ul>
                      {switches.map((one) => (
                        <li key={one.name} className="border-b border-line px-3 py-2 last:border-0">
                          <SwitchLine one={one} />
                        </li>
                      ))}
                    </ul>
                  </Panel>
                )}
                {cells.map((cell) => (
                  <Config key={cell.instrument} cell={cell} at={data.at} currency={data.currency} />
                ))}
                <DriftSection desk={desk} />
              </div>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Config({
  cell,
  at,
  currency,
}: {
  readonly cell: Cell;
  readonly at: number;
  readonly currency: string;
}) {
  const { position, trades, model } = cell;
  return (
    <>
      <Metrics>
        <Metric
          name="State"
          value={<StandingBadge cell={cell} at={at} />}
          note={cell.lastBarAt === null ? 'no bar yet' : `last bar ${span(at - cell.lastBarAt)} ago`}
        />
        <Metric
          name="Position"
          value={position === null ? 'flat' : <SideBadge side={position.side} />}
          note={
            position === null ? undefined : (
              <>
                {position.quantity} at {decimal(position.entryPrice)}
              </>
            )
          }
        />
        <Metric
          name={`Today, ${currency}`}
          value={<Gain value={cell.today} />}
          note={
            <>
              in all <Gain value={cell.made} />
            </>
          }
        />
        <Metric
          name="Profit factor"
          value={profitFactorText(cell)}
          note={`${trades.won} won, ${trades.lost} lost, ${trades.even} even`}
        />
        <Metric name="Win rate" value={percent(cell.winRate, 1)} note={`${trades.n} trades`} />
        <Metric name="Drawdown" value={<Band cell={cell} />} note="largest fall, and its band" />
        <Metric name="Parity" value={<ParityText model={model} />} note="to the chart's script" />
      </Metrics>
      <div className="grid grid-cols-1 gap-3 xl:grid-cols-2">
        <Gates cell={cell} />
        <Panel title="Model">
          <div className="flex flex-col gap-2 text-sm">
            <ModelLine model={model} />
            {model !== null && (
              <dl className="grid grid-cols-2 gap-x-3 gap-y-1 text-xs">
                <dt className="text-muted">Trained up to</dt>
                <dd>
                  <Time at={model.trainedTo} /> UTC
                </dd>
                <dt className="text-muted">Rows it was asked about</dt>
                <dd>{decimal(model.rows, 0)}</dd>
                <dt className="text-muted">Of the newest 200 cut off</dt>
                <dd>{percent(model.clippedShare, 1)} (drift above 5&#8239;%)</dd>
                {model.fault !== null && (
                  <>
                    <dt className="text-muted">Why it is not used</dt>
                    <dd className="text-warn">{model.fault}</dd>
                  </>
                )}
              </dl>
            )}
            {cell.stamps.length > 0 && (
              <p className="text-xs text-muted">Stamped: {cell.stamps.join(', ')}.</p>
            )}
          </div>
        </Panel>
      </div>
    </>
  );
}

function Gates({ cell: { decision, warmUpBars, bars } }: { readonly cell: Cell }) {
  return (
    <Panel
      title="What the gates said last"
      note={
        decision === null ? undefined : (
          <>
            <Time at={decision.at} /> UTC
          </>
        )
      }
      flush
    >
      <Table
        label="What the gates said last"
        rows={decision?.verdicts ?? []}
        keyOf={(verdict) => verdict.by}
        empty={
          <Empty title="No decision yet" icon="clock">
            The first comes after {warmUpBars} bars; there are {bars}.
          </Empty>
        }
        columns={[
          { head: 'Gate', cell: (verdict) => <VerdictMark verdict={verdict} /> },
          { head: 'Says', right: true, cell: (verdict) => ratio(verdict.value, 3) },
          {
            head: 'Objection',
            wrap: true,
            cell: ({ reason, measured, needed, relation }) =>
              reason === null ? (
                '–'
              ) : (
                <>
                  {reason}
                  {measured !== null && (
                    <span className="block text-2xs text-muted">
                      {decimal(measured)}
                      {needed !== null && `, needs ${relation ?? ''} ${decimal(needed)}`}
                    </span>
                  )}
                </>
              ),
          },
        ]}
      />
    </Panel>
  );
}

function DriftSection({ desk }: { readonly desk: string }) {
  const drift = useAsk('drift', { params: { desk } }, { every: EVERY_MS, keepOld: true });
  return (
    <Loaded of={drift} what="Reading parity">
      {(data) => (
        <>
          {data.items.map((item) => (
            <ItemDrift key={item.instrument} item={item} />
          ))}
          <Baselines baselines={data.baselines} />
        </>
      )}
    </Loaded>
  );
}

function ItemDrift({ item: { parity, timeframe } }: { readonly item: Item }) {
  if (parity === null || parity.bars === 0)
    return (
      <Panel title="Parity with the chart's script">
        <Empty title={parity === null ? 'Nothing is compared' : 'Parity is not known yet'} icon="sources">
          {parity === null
            ? 'This desk has no model, or comparing is switched off in its parameters.'
            : 'Send the values of the Pine script in the "pine" object of the webhook: each bar is then compared feature by feature. Promotion is refused while parity is not known.'}
        </Empty>
      </Panel>
    );
  return (
    <>
      <Panel
        title="Parity with the chart's script"
        note={`mean ${bp(parity.meanBp ?? 0)}, largest ${bp(parity.maxBp ?? 0)} over ${parity.bars} bars of ${timeframe}; the limit is ${PARITY_LIMIT_BP} bp`}
      >
        {parity.bars < 2 ? (
          <p className="text-sm text-muted">One bar was compared so far.</p>
        ) : (
          <LineChart
            label="Mean difference of each bar, basis points"
            line={{ time: parity.times, values: parity.drifts }}
            write={bp}
            height={180}
            level={PARITY_LIMIT_BP}
            tone="ink"
            fillFrom={0}
          />
        )}
      </Panel>
      <Panel title="Difference by feature" note="basis points over the newest bars, worst first" flush>
        <Features features={parity.features} />
      </Panel>
    </>
  );
}

function Features({ features }: { readonly features: NonNullable<Item['parity']>['features'] }) {
  const worst = Math.max(PARITY_LIMIT_BP, ...features.map(({ meanBp }) => meanBp ?? 0));
  const sorted = features.toSorted((a, b) => (b.meanBp ?? -1) - (a.meanBp ?? -1));
  return (
    <Table
      label="Difference by feature"
      rows={sorted}
      keyOf={({ name }) => name}
      empty={null}
      columns={[
        { head: 'Feature', cell: ({ name }) => <code className="font-mono text-xs">{name}</code> },
        { head: 'Bars', right: true, from: 'sm', cell: ({ bars }) => bars },
        {
          head: 'Mean, bp',
          right: true,
          cell: ({ meanBp }) => (meanBp === null ? 'not sent' : ratio(meanBp, 3)),
        },
        { head: 'Largest, bp', right: true, cell: ({ maxBp }) => ratio(maxBp, 3) },
        {
          head: <span className="sr-only">Mean as a bar</span>,
          from: 'md',
          cell: ({ meanBp }) => (
            <svg aria-hidden="true" viewBox="0 0 100 6" className="h-1.5 w-25">
              <rect width="100" height="6" className="fill-hover" />
              <rect
                width={((meanBp ?? 0) / worst) * 100}
                height="6"
                className={(meanBp ?? 0) > PARITY_LIMIT_BP ? 'fill-danger' : 'fill-soft'}
              />
            </svg>
          ),
        },
      ]}
    />
  );
}
