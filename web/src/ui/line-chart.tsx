import { type PointerEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { utcDate, utcTime } from './format.ts';
import { niceSteps, timeSteps } from './scale.ts';

export interface Line {
  readonly time: readonly number[];
  readonly values: readonly number[];
}

interface Props {
  readonly line: Line;
  /** What the line shows; said to those who do not see it. */
  readonly label: string;
  readonly write: (value: number) => string;
  /** In pixels; without it as high as what it stands in. */
  readonly height?: number;
  /** Drawn across: where the line began, a limit. */
  readonly level?: number;
  readonly tone?: 'gain' | 'loss' | 'ink';
  /** Filled from here to the line. */
  readonly fillFrom?: number | 'bottom';
}

const TONES = { gain: 'stroke-gain', loss: 'stroke-loss', ink: 'stroke-ink' } as const;
const FILLS = { gain: 'fill-gain', loss: 'fill-loss', ink: 'fill-ink' } as const;
const RIGHT = 76;
const BOTTOM = 20;
const TOP = 8;

/** One line over time, drawn anew as points come, with the value under the pointer. */
export function LineChart({ line, label, write, height: fixed, level, tone = 'gain', fillFrom }: Props) {
  const { ref, width, height } = useSize(fixed);
  const [under, setUnder] = useState<number | null>(null);
  const id = useId();
  const { time, values } = line;
  const n = time.length;
  const drawn = useMemo(() => {
    if (n < 2 || width === 0 || height === 0) return null;
    const first = time[0]!;
    const last = time[n - 1]!;
    let low = level ?? Number.POSITIVE_INFINITY;
    let high = level ?? Number.NEGATIVE_INFINITY;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const room = (high - low) * 0.06 || Math.abs(high) * 0.001 || 1;
    low -= typeof fillFrom === 'number' && low >= fillFrom ? 0 : room;
    high += typeof fillFrom === 'number' && high <= fillFrom ? 0 : room;
    const w = width - RIGHT;
    const h = height - TOP - BOTTOM;
    const x = (at: number) => ((at - first) / (last - first || 1)) * w;
    const y = (value: number) => TOP + (1 - (value - low) / (high - low)) * h;
    let path = '';
    for (let i = 0; i < n; i++)
      path += `${i === 0 ? 'M' : 'L'}${x(time[i]!).toFixed(1)} ${y(values[i]!).toFixed(1)}`;
    return {
      x,
      y,
      path,
      w,
      first,
      last,
      low,
      high,
      steps: niceSteps(low, high, Math.max(2, Math.floor(h / 44))),
    };
  }, [time, values, n, width, height, level, fillFrom]);

  const point = (event: PointerEvent<SVGSVGElement>) => {
    if (drawn === null) return;
    const box = event.currentTarget.getBoundingClientRect();
    const at = drawn.first + ((event.clientX - box.left) / drawn.w) * (drawn.last - drawn.first);
    setUnder(nearest(time, at));
  };
  const shown = under === null ? null : Math.min(under, n - 1);
  const base = fillFrom === 'bottom' ? height - BOTTOM : drawn === null ? 0 : drawn.y(fillFrom ?? 0);
  const says =
    drawn === null
      ? label
      : `${label}: ${write(values[0]!)} at ${utcDate(drawn.first)}, ${write(values[n - 1]!)} now, between ${write(Math.min(...values))} and ${write(Math.max(...values))}.`;
  return (
    <div
      ref={ref}
      className="relative h-full w-full"
      style={fixed === undefined ? undefined : { height: fixed }}
    >
      {drawn !== null && (
        <svg
          role="img"
          aria-labelledby={id}
          width={width}
          height={height}
          className="block touch-pan-y select-none"
          onPointerMove={point}
          onPointerLeave={() => setUnder(null)}
        >
          <title id={id}>{says}</title>
          {drawn.steps.map((step) => (
            <g key={step}>
              <line x1={0} x2={drawn.w} y1={drawn.y(step)} y2={drawn.y(step)} className="stroke-line" />
              <text x={drawn.w + 8} y={drawn.y(step) + 4} className="fill-muted text-2xs">
                {write(step)}
              </text>
            </g>
          ))}
          {timeSteps(drawn.first, drawn.last, Math.max(2, Math.floor(drawn.w / 110))).map(({ at, text }) => (
            <text
              key={at}
              x={Math.max(18, Math.min(drawn.w - 18, drawn.x(at)))}
              y={height - 5}
              textAnchor="middle"
              className="fill-muted text-2xs"
            >
              {text}
            </text>
          ))}
          {level !== undefined && (
            <line
              x1={0}
              x2={drawn.w}
              y1={drawn.y(level)}
              y2={drawn.y(level)}
              strokeDasharray="3 4"
              className="stroke-line-strong"
            />
          )}
          {fillFrom !== undefined && (
            <path d={`${drawn.path}L${drawn.w} ${base}L0 ${base}Z`} className={FILLS[tone]} opacity="0.12" />
          )}
          <path d={drawn.path} fill="none" strokeWidth="1.5" strokeLinejoin="round" className={TONES[tone]} />
          {shown === null ? (
            <circle cx={drawn.x(time[n - 1]!)} cy={drawn.y(values[n - 1]!)} r="3" className={FILLS[tone]} />
          ) : (
            <>
              <line
                x1={drawn.x(time[shown]!)}
                x2={drawn.x(time[shown]!)}
                y1={TOP}
                y2={height - BOTTOM}
                className="stroke-line-strong"
              />
              <circle
                cx={drawn.x(time[shown]!)}
                cy={drawn.y(values[shown]!)}
                r="3.5"
                className={FILLS[tone]}
              />
            </>
          )}
        </svg>
      )}
      {drawn !== null && shown !== null && (
        <div
          className={`pointer-events-none absolute top-1 rounded border border-line-strong bg-raised px-2 py-1 text-xs whitespace-nowrap ${drawn.x(time[shown]!) > drawn.w / 2 ? 'left-1' : 'right-20'}`}
        >
          <strong>{write(values[shown]!)}</strong>{' '}
          <span className="text-muted">
            {utcDate(time[shown]!)} {utcTime(time[shown]!)} UTC
          </span>
        </div>
      )}
    </div>
  );
}

/** The size of an element, followed as it changes. */
function useSize(fixed: number | undefined) {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      setSize({ width: Math.floor(width), height: Math.floor(height) });
    });
    watch.observe(ref.current!);
    return () => watch.disconnect();
  }, []);
  return { ref, width: size.width, height: fixed ?? size.height };
}

/** Index of the time that is nearest; `time` ascends. */
function nearest(time: readonly number[], at: number): number {
  let low = 0;
  let high = time.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle]! < at) low = middle;
    else high = middle;
  }
  return at - time[low]! < time[high]! - at ? low : high;
}
