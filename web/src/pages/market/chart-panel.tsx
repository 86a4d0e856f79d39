import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useGrid } from '../../api/instruments.ts';
import { useAsk, usePages } from '../../api/queries.ts';
import { useStore } from '../../api/store.ts';
import { intervalName, intervalsFrom } from '../../chart/intervals.ts';
import type { PriceMark } from '../../chart/marks.ts';
import { Button } from '../../ui/button.tsx';
import { decimal, digitsOf } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { Loading } from '../../ui/state.tsx';
import { chosenIndicators, chosenIntervals } from './chosen.ts';
import { IndicatorPicker } from './indicator-picker.tsx';
import type { Instrument } from './instrument-list.tsx';

const PriceChart = lazy(() => import('../../chart/price-chart.tsx'));

const FILLS_PAGE = 500;
/** More marks than this nobody reads. */
const FILLS_MOST = 5_000;

/** The chart of one instrument with what can be chosen about it. */
export function ChartPanel({ instrument }: { readonly instrument: Instrument }) {
  const { id } = instrument;
  const grid = useGrid();
  const intervals = intervalsFrom(instrument.intervalMs);
  const kept = useStore(chosenIntervals);
  const indicators = useStore(chosenIndicators);
  const intervalMs = intervals.includes(kept[id] ?? 0) ? kept[id]! : instrument.intervalMs;
  const [asTable, setAsTable] = useState(false);
  const [picking, setPicking] = useState(false);
  const [seenFrom, setSeenFrom] = useState<number | null>(null);
  const known = useAsk('indicators', {});
  const positions = useAsk('positions', {});
  const fills = usePages('fills', { query: { instrument: id, limit: FILLS_PAGE } });

  // Older fills are read as far back as the chart is looked at.
  const oldest = fills.items.at(-1)?.at ?? null;
  const wantMore = fills.more && !fills.loadingMore && fills.items.length < FILLS_MOST;
  useEffect(() => {
    if (wantMore && seenFrom !== null && oldest !== null && oldest > seenFrom) fills.loadMore();
  }, [wantMore, seenFrom, oldest, fills.loadMore]);

  const digits = digitsOf(instrument.tick);
  const lines = useMemo<readonly PriceMark[]>(() => {
    const own = positions.data?.items.filter((position) => position.instrument === id) ?? [];
    return own.flatMap((position) => {
      const quantity = decimal(position.quantity);
      const marks: PriceMark[] = [
        {
          price: position.entryPrice,
          kind: 'entry',
          label: `${position.side} ${quantity} (${position.desk})`,
        },
      ];
      if (position.stop !== null) marks.push({ price: position.stop, kind: 'stop', label: 'stop' });
      if (position.target !== null) marks.push({ price: position.target, kind: 'target', label: 'target' });
      return marks;
    });
  }, [positions.data, id]);

  return (
    <Panel
      title={grid.name(id)}
      note={<span className="text-sm text-ink">{decimal(instrument.price, digits)}</span>}
      flush
      actions={
        <>
          <fieldset className="flex">
            <legend className="sr-only">Interval of the bars</legend>
            {intervals.map((interval) => (
              <label
                key={interval}
                className={`inline-flex min-h-7 cursor-pointer items-center border-y border-r border-line-strong px-2 text-xs first-of-type:rounded-l first-of-type:border-l last-of-type:rounded-r has-focus-visible:outline-2 has-focus-visible:outline-(--focus) ${interval === intervalMs ? 'bg-button font-semibold text-button-ink' : 'text-soft hover:bg-hover'}`}
              >
                <input
                  type="radio"
                  name="interval"
                  className="sr-only"
                  checked={interval === intervalMs}
                  onChange={() => chosenIntervals.set({ ...kept, [id]: interval })}
                />
                {intervalName(interval)}
              </label>
            ))}
          </fieldset>
          <Button small icon="market" aria-expanded={picking} onClick={() => setPicking(!picking)}>
            Indicators
          </Button>
          <Button small aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? 'Chart' : 'Table'}
          </Button>
        </>
      }
    >
      {picking && <IndicatorPicker items={known.data?.items ?? []} />}
      <Suspense fallback={<Loading what="Opening the chart" />}>
        <PriceChart
          instrument={id}
          tick={instrument.tick}
          intervalMs={intervalMs}
          indicators={indicators.join(',')}
          known={known.data?.items ?? []}
          fills={fills.items}
          prices={lines}
          asTable={asTable}
          onSeen={setSeenFrom}
        />
      </Suspense>
      <p className="flex flex-wrap gap-x-4 gap-y-1 border-t border-line px-3 py-1.5 text-xs text-muted">
        <span>Hollow blue: up. Filled orange: down. B and S: own fills. Bands: regimes. Times are UTC.</span>
        <a href="https://www.tradingview.com/" rel="noreferrer" target="_blank" className="ml-auto underline">
          Charts by TradingView
        </a>
      </p>
    </Panel>
  );
}
