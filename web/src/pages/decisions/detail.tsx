import { Link } from 'wouter';
import { useGrid } from '../../api/instruments.ts';
import { useAsk } from '../../api/queries.ts';
import { Badge } from '../../ui/badge.tsx';
import { decimal, percent, span, words } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { OutcomeBadge } from '../../ui/outcome.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { type Decision, Funnel } from './funnel.tsx';

const RELATIONS: Record<string, string> = { '>=': '≥', '<=': '≤', '!=': '≠' };

/** One idea in full: what the sources said, how it was pooled, sized and limited, and where it was cut. */
export function DecisionDetail({ id }: { readonly id: string }) {
  const query = useAsk('decision', { params: { id } });
  return (
    <>
      <Link href="/decisions" className="mb-2 inline-flex items-center gap-1 text-xs text-soft underline">
        <Icon name="left" size={12} />
        All decisions
      </Link>
      <Loaded of={query}>{(data) => <Opened data={data} />}</Loaded>
    </>
  );
}

function Opened({ data }: { readonly data: Decision }) {
  const grid = useGrid();
  return (
    <>
      <PageHead
        title={`${grid.name(data.instrument)}: ${words(data.action).toLowerCase()}`}
        says={
          <>
            <Time at={data.at} /> UTC · desk {data.desk}
            {data.regime !== null && ` · regime ${data.regime}`}
            {data.confidence !== null && ` · confidence ${percent(data.confidence, 1)}`}
          </>
        }
        actions={
          <>
            {data.shadow && data.outcome !== 'shadow' && <Badge icon="eye">shadow lane</Badge>}
            <OutcomeBadge outcome={data.outcome} />
          </>
        }
      />
      <div className="flex flex-col gap-3">
        <Panel title="Where it went">
          <Funnel stages={data.stages} />
          {data.nearest !== null && (
            <div className="mt-3 flex gap-2.5 rounded border border-line-strong bg-raised px-3 py-2">
              <Icon name="info" className="mt-0.5 text-gain" />
              <p className="text-sm">
                <strong className="font-semibold">
                  {data.objections[0]?.needed == null
                    ? 'No number would have changed it: '
                    : 'Smallest change that would have let it pass: '}
                </strong>
                <span className="text-soft">{data.nearest}</span>
              </p>
            </div>
          )}
        </Panel>
        <div className="grid grid-cols-1 gap-3 xl:grid-cols-2">
          <Signals data={data} />
          <div className="flex min-w-0 flex-col gap-3">
            <Objections data={data} />
            <Size data={data} />
          </div>
        </div>
      </div>
    </>
  );
}

function Signals({ data }: { readonly data: Decision }) {
  return (
    <Panel title="What the sources said" note={`pooled by: ${data.rule}`} flush>
      <Table
        label="Signals"
        rows={data.signals}
        keyOf={(s) => `${s.source}${s.kind}${s.text}`}
        empty={<Empty title="No source spoke" />}
        columns={[
          {
            head: 'Source',
            wrap: true,
            cell: (s) => (
              <>
                <strong className="font-semibold">{s.source}</strong>
                <Says text={s.text} />
              </>
            ),
          },
          { head: 'Short to long', cell: (s) => <Lean kind={s.kind} value={s.value} /> },
          {
            head: 'Value',
            right: true,
            cell: (s) => (s.kind === 'forecast' ? percent(s.value, 1) : decimal(s.value, 2, true)),
          },
          {
            head: 'Weight',
            right: true,
            from: 'sm',
            cell: (s) => (s.weight === null ? '–' : percent(s.weight, 0)),
          },
          { head: 'Horizon', right: true, from: 'md', cell: (s) => span(s.horizonMs) },
        ]}
      />
    </Panel>
  );
}

/** The first line of what a source says; the rest when it is opened. */
function Says({ text }: { readonly text: string }) {
  const [first = '', ...rest] = text.split('\n');
  if (rest.length === 0) return <span className="block text-xs text-muted">{first}</span>;
  return (
    <details className="text-xs text-muted">
      <summary>{first}</summary>
      <pre className="thin-scroll mt-1 overflow-x-auto font-mono text-2xs whitespace-pre-wrap text-soft">
        {rest.join('\n')}
      </pre>
    </details>
  );
}

/** Which way a source leans: a score from -1 to 1, a forecast from 0 to 1. */
function Lean({ kind, value }: { readonly kind: string; readonly value: number | null }) {
  if (value === null) return <span className="text-xs text-muted">silent</span>;
  const lean = Math.max(-1, Math.min(1, kind === 'forecast' ? 2 * value - 1 : value));
  const width = Math.abs(lean) * 48;
  return (
    <svg
      role="img"
      aria-label={lean === 0 ? 'neither' : lean > 0 ? 'leans to long' : 'leans to short'}
      viewBox="0 0 100 10"
      className="h-2.5 w-16 sm:w-25"
    >
      <rect y="3" width="100" height="4" className="fill-hover" />
      <rect
        x={lean < 0 ? 50 - width : 50}
        y="2"
        width={width}
        height="6"
        className={lean < 0 ? 'fill-loss' : 'fill-gain'}
      />
      <rect x="49.5" width="1" height="10" className="fill-line-strong" />
    </svg>
  );
}

function Objections({ data }: { readonly data: Decision }) {
  return (
    <Panel
      title="What objected"
      note={data.objections.length > 0 ? 'the first one decided' : undefined}
      flush
    >
      <Table
        label="Objections"
        rows={data.objections}
        keyOf={(o) => `${o.by}${o.reason}`}
        empty={<Empty title="Nothing objected" icon="check" />}
        columns={[
          {
            head: 'Gate or limit',
            wrap: true,
            cell: (o) => (
              <>
                <Link href={`/decisions?by=${encodeURIComponent(o.by)}`} className="font-semibold underline">
                  {o.by}
                </Link>
                <span className="block text-xs text-muted">{o.reason}</span>
              </>
            ),
          },
          { head: 'Was', right: true, cell: (o) => decimal(o.measured) },
          {
            head: 'Had to be',
            right: true,
            cell: (o) =>
              o.needed === null
                ? '–'
                : `${RELATIONS[o.relation ?? ''] ?? o.relation ?? ''} ${decimal(o.needed)}`,
          },
        ]}
      />
    </Panel>
  );
}

function Size({ data }: { readonly data: Decision }) {
  const grid = useGrid();
  return (
    <Panel title="Size and orders">
      {data.size === null ? (
        <p className="text-xs text-muted">It was cut before a size was found.</p>
      ) : (
        <>
          <p className="text-sm">
            <strong className="font-semibold">{grid.quantity(data.instrument, data.size.quantity)}</strong>
            {data.size.riskFraction !== null && (
              <span className="text-soft"> at a risk of {percent(data.size.riskFraction, 2)} of equity</span>
            )}
          </p>
          {data.size.cuts.length > 0 && (
            <ul className="mt-1.5 flex flex-col gap-1">
              {data.size.cuts.map((cut) => (
                <li key={`${cut.by}${cut.text}`} className="text-xs text-soft">
                  <strong className="font-medium text-ink">{cut.by}</strong> {cut.text}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {data.orders.length > 0 && (
        <ul className="mt-2 flex flex-wrap gap-1.5 border-t border-line pt-2">
          {data.orders.map((order) => (
            <li key={order} className="rounded bg-raised px-1.5 py-0.5 font-mono text-xs text-soft">
              {order}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
