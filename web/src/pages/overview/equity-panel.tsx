import { useEffect, useMemo, useState } from 'react';
import { useLive } from '../../api/live.ts';
import { useAsk, usePortfolio } from '../../api/queries.ts';
import { useLiveStatus } from '../../shell/standing.ts';
import { decimal, percent } from '../../ui/format.ts';
import { type Line, LineChart } from '../../ui/line-chart.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Failed, Loading } from '../../ui/state.tsx';

const DAY = 86_400_000;
const RANGES = [
  { name: '1 day', ms: DAY },
  { name: '7 days', ms: 7 * DAY },
  { name: '30 days', ms: 30 * DAY },
  { name: 'All', ms: null },
] as const;
const TAIL_MOST = 600;

/** Equity (or how far it is below its peak) over time; the newest points come from the live feed. */
export function EquityPanel({
  className,
  currency,
}: {
  readonly className?: string;
  readonly currency: string;
}) {
  const [range, setRange] = useState<number | null>(null);
  const [show, setShow] = useState<'equity' | 'drawdown'>('equity');
  const [from, setFrom] = useState<number | undefined>(undefined);
  const now = useLiveStatus()?.at ?? null;
  const query = useAsk(
    'equity',
    { query: { points: 800, ...(from === undefined ? {} : { from }) } },
    { every: 30_000, keepOld: true },
  );
  const tail = useTail();
  const newest = now ?? query.data?.time.at(-1) ?? null;
  const choose = (ms: number | null) => {
    setRange(ms);
    setFrom(ms === null || newest === null ? undefined : newest - ms);
  };
  const equity = useMemo<Line | null>(() => {
    if (query.data === undefined) return null;
    const last = query.data.time.at(-1) ?? Number.NEGATIVE_INFINITY;
    const newer = tail.filter((point) => point.at > last);
    return {
      time: [...query.data.time, ...newer.map((point) => point.at)],
      values: [...query.data.equity, ...newer.map((point) => point.equity)],
    };
  }, [query.data, tail]);
  const line = useMemo<Line | null>(() => {
    if (equity === null || show === 'equity') return equity;
    let peak = Number.NEGATIVE_INFINITY;
    const known = query.data!.drawdown;
    const values = equity.values.map((value, i) => {
      const drawdown = known[i];
      peak = Math.max(peak, drawdown === undefined ? value : value / (1 - Math.abs(drawdown)));
      return drawdown === undefined ? value / peak - 1 : -Math.abs(drawdown);
    });
    return { time: equity.time, values };
  }, [equity, show, query.data]);
  return (
    <Panel
      className={className}
      title={show === 'equity' ? `Equity, ${currency}` : 'Drawdown'}
      flush
      actions={
        <>
          <Pick
            label="What"
            options={['equity', 'drawdown'] as const}
            chosen={show}
            write={(what) => (what === 'equity' ? 'Equity' : 'Drawdown')}
            onChoose={setShow}
          />
          <Pick
            label="Span"
            options={RANGES.map((each) => each.ms)}
            chosen={range}
            write={(ms) => RANGES.find((each) => each.ms === ms)!.name}
            onChoose={choose}
          />
        </>
      }
    >
      <div className="relative h-full min-h-64">
        <div className="absolute inset-x-3 inset-y-2">
          {line === null ? (
            query.error === null ? (
              <Loading />
            ) : (
              <Failed error={query.error} again={() => void query.refetch()} />
            )
          ) : line.time.length < 2 ? (
            <Empty title="No curve yet">The first points come with the first closed bars.</Empty>
          ) : show === 'equity' ? (
            <LineChart
              line={line}
              label="Equity"
              write={(v) => decimal(v, Math.abs(v) >= 1e6 ? 0 : 2)}
              level={line.values[0]}
              fillFrom="bottom"
            />
          ) : (
            <LineChart line={line} label="Drawdown" write={(v) => percent(v, 2)} tone="loss" fillFrom={0} />
          )}
        </div>
      </div>
    </Panel>
  );
}

interface Point {
  readonly at: number;
  readonly equity: number;
}

/** The newest points, from the live feed. */
function useTail(): readonly Point[] {
  const name = usePortfolio();
  const [tail, setTail] = useState<readonly Point[]>([]);
  useEffect(() => setTail([]), [name]);
  useLive('status_update', ({ data, portfolio }) => {
    if (portfolio !== name) return;
    setTail((old) => {
      const last = old.at(-1);
      if (last !== undefined && data.at < last.at) return [{ at: data.at, equity: Number(data.equity) }];
      if (last?.at === data.at) return old;
      return [...old.slice(1 - TAIL_MOST), { at: data.at, equity: Number(data.equity) }];
    });
  });
  return tail;
}

interface PickProps<T> {
  readonly label: string;
  readonly options: readonly T[];
  readonly chosen: T;
  readonly write: (option: T) => string;
  readonly onChoose: (option: T) => void;
}

function Pick<T>({ label, options, chosen, write, onChoose }: PickProps<T>) {
  return (
    <fieldset aria-label={label} className="flex overflow-hidden rounded border border-line-strong">
      {options.map((option) => (
        <button
          key={String(option)}
          type="button"
          aria-pressed={option === chosen}
          onClick={() => onChoose(option)}
          className={`min-h-7 px-2 text-xs whitespace-nowrap focus-visible:-outline-offset-2 ${option === chosen ? 'bg-button text-button-ink' : 'text-soft hover:bg-hover'}`}
        >
          {write(option)}
        </button>
      ))}
    </fieldset>
  );
}
