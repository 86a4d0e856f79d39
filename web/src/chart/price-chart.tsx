import { type KeyboardEvent, useEffect, useEffectEvent, useId, useMemo, useRef, useState } from 'react';
import type { Refused } from '../api/errors.ts';
import { useLive } from '../api/live.ts';
import { usePortfolio } from '../api/queries.ts';
import { onThemeChange } from '../shell/theme.ts';
import { Mishap } from '../ui/act.tsx';
import { decimal, digitsOf, utcDate, utcTime } from '../ui/format.ts';
import { Empty, Loading } from '../ui/state.tsx';
import { BarFeed } from './bar-feed.ts';
import { BarStore } from './bar-store.ts';
import { BarsTable } from './bars-table.tsx';
import { ChartView } from './chart-view.ts';
import { intervalName } from './intervals.ts';
import { Legend } from './legend.tsx';
import { type IndicatorItem, shapesOf } from './line-shapes.ts';
import { type FillMark, type PriceMark, regimeAt } from './marks.ts';
import { regimeName } from './palette.ts';

interface Props {
  readonly instrument: string;
  readonly tick: string;
  /** 0: whatever bars there are. */
  readonly intervalMs: number;
  /** Such as `ema:20,rsi:14`. */
  readonly indicators: string;
  readonly known: readonly IndicatorItem[];
  readonly fills: readonly FillMark[];
  readonly prices: readonly PriceMark[];
  readonly asTable: boolean;
  /** Told the open of the first bar that is seen. */
  readonly onSeen: (from: number) => void;
}

const SEEN_PAUSE_MS = 250;
const nothing = new BarStore();

/** The chart of one instrument: fed by the server and the live feed, walked with mouse, touch or keys. */
export default function PriceChart(props: Props) {
  const { instrument, tick, intervalMs, indicators, known, fills, prices, asTable } = props;
  const portfolio = usePortfolio();
  const digits = digitsOf(tick) ?? 2;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<ChartView | null>(null);
  const feed = useRef<BarFeed | null>(null);
  const [state, setState] = useState<'loading' | 'open' | 'empty'>('loading');
  const [error, setError] = useState<Refused | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const [byKeys, setByKeys] = useState(false);
  const [seen, setSeen] = useState({ from: 0, to: 0 });
  const [changes, setChanges] = useState(0);
  const [generation, setGeneration] = useState(0);
  const id = useId();

  const draw = useEffectEvent(() => {
    const { current: chart } = view;
    const store = feed.current?.store;
    if (!chart || !store) return;
    chart.showLines(shapesOf(store.lineNames, store.overlays, known));
    chart.refill();
  });
  const marks = useEffectEvent(() => {
    view.current?.showFills(fills);
    view.current?.showPrices(prices);
  });
  const chosen = useEffectEvent(() => indicators);
  const saw = useEffectEvent((from: number) => props.onSeen(from));

  useEffect(() => {
    setState('loading');
    setError(null);
    setPointed(null);
    const changed = () => setChanges((count) => count + 1);
    const bars = new BarFeed({ portfolio, instrument, intervalMs }, chosen(), {
      opened: () => {
        setState(bars.store.length === 0 ? 'empty' : 'open');
        draw();
        if (bars.store.length > 0) chart.open();
        marks();
        changed();
      },
      shifted: (count) => {
        chart.shifted(count);
        setPointed((index) => (index === null ? null : index + count));
      },
      changed: () => {
        draw();
        changed();
      },
      extended: (index) => {
        chart.extended(index);
        changed();
      },
      failed: setError,
      behind: () => setGeneration((count) => count + 1),
    });
    let pause: ReturnType<typeof setTimeout> | null = null;
    let range = { from: 0, to: 0 };
    const chart = new ChartView(host.current!, bars.store, Number(tick), digits, {
      older: () => void bars.older(),
      pointed: (index) => {
        setByKeys(false);
        setPointed(index);
      },
      seen: (from, to) => {
        range = { from, to };
        pause ??= setTimeout(() => {
          pause = null;
          setSeen(range);
          saw(bars.store.timeAt(Math.min(range.from, bars.store.length - 1)));
        }, SEEN_PAUSE_MS);
      },
    });
    feed.current = bars;
    view.current = chart;
    void bars.start();
    const deaf = onThemeChange(() => {
      chart.paint();
      changed();
    });
    return () => {
      deaf();
      if (pause !== null) clearTimeout(pause);
      bars.end();
      chart.destroy();
      feed.current = null;
      view.current = null;
    };
  }, [portfolio, instrument, intervalMs, tick, digits, generation]);

  useEffect(() => void feed.current?.choose(indicators), [indicators]);
  useEffect(() => marks(), [fills, prices]);
  useEffect(() => draw(), [known]);
  useLive('bar', ({ data, portfolio: of }) => {
    if (of === portfolio && data.instrument === instrument) feed.current?.hear(data);
  });
  useLive('hello', () => feed.current?.tailSoon());
  useLive('reset', () => feed.current?.tailSoon());

  const store = feed.current?.store ?? nothing;
  const last = store.length - 1;
  const index = pointed === null ? last : Math.max(0, Math.min(last, pointed));
  const colours = useMemo(() => view.current?.colours() ?? new Map<string, string>(), [changes]);

  const pointAt = (next: number) => {
    const at = Math.max(0, Math.min(last, next));
    setByKeys(true);
    setPointed(at);
    view.current?.point(at);
  };
  const press = (event: KeyboardEvent) => {
    const chart = view.current;
    if (!chart || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 10 : 1;
    if (event.key === 'ArrowLeft') pointAt(index - step);
    else if (event.key === 'ArrowRight') pointAt(index + step);
    else if (event.key === 'PageUp') chart.pan(0.8);
    else if (event.key === 'PageDown') chart.pan(-0.8);
    else if (event.key === '+' || event.key === '=') chart.zoom(0.8);
    else if (event.key === '-') chart.zoom(1.25);
    else if (event.key === 'End') chart.toNewest();
    else return;
    event.preventDefault();
  };

  return (
    <div className="relative">
      <Mishap error={error} />
      <Legend store={store} index={index} digits={digits} colours={colours} spoken={byKeys} />
      <p id={id} className="sr-only">
        {summary(store, seen, digits)} Arrow keys read bar by bar, with Shift ten at a time; Page Up and Page
        Down move, plus and minus zoom, End goes to the newest bar. The button Table gives the figures.
      </p>
      <section
        ref={host}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is walked with keys
        tabIndex={0}
        aria-label={`Chart of ${instrument}, ${intervalName(intervalMs)} bars`}
        aria-describedby={id}
        onKeyDown={press}
        hidden={asTable}
        className="h-[26rem] w-full touch-pan-y md:h-[32rem]"
        data-testid="chart"
      />
      {asTable && <BarsTable store={store} to={seen.to} digits={digits} label={`Bars of ${instrument}`} />}
      {state !== 'open' && error === null && (
        <div className="absolute inset-0 grid place-items-center bg-surface">
          {state === 'loading' ? (
            <Loading what="Reading bars" />
          ) : (
            <Empty title="No bars yet" icon="market">
              The first one comes when a bar of {intervalName(intervalMs)} closes. A live portfolio back-fills
              its warm-up first.
            </Empty>
          )}
        </div>
      )}
    </div>
  );
}

function summary(store: BarStore, seen: { from: number; to: number }, digits: number): string {
  const found = store.summary(seen.from, seen.to);
  if (found === null) return 'No bars are shown.';
  const { first, last, low, high } = found;
  const stamp = (at: number) => `${utcDate(at)} ${utcTime(at).slice(0, 5)} UTC`;
  const change = first.open === 0 ? 0 : (last.close / first.open - 1) * 100;
  const regime = regimeAt(store, last.time);
  return (
    `Shown: ${stamp(first.time)} to ${stamp(last.time)}, from ${decimal(first.open, digits)} to ` +
    `${decimal(last.close, digits)} (${decimal(change, 2, true)} per cent), lowest ${decimal(low, digits)}, highest ` +
    `${decimal(high, digits)}${regime === null ? '' : `, regime ${regimeName(regime)}`}.`
  );
}
