import { type PointerEvent, useState } from 'react';
import { utcDate, utcTime } from '../ui/format.ts';
import { niceSteps, timeSteps } from '../ui/scale.ts';
import { useWidth } from './use-width.ts';

export interface PlotLine {
  readonly name: string;
  /** Epoch ms, ascending; as many as values. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** A class of Tailwind for the colour of the line (`text-...`). */
  readonly ink: string;
  readonly dashed?: boolean;
}

interface Props {
  /** What is shown, for those who do not see it. */
  readonly label: string;
  readonly lines: readonly PlotLine[];
  readonly format: (value: number) => string;
  readonly height?: number;
  /** Always within the picture, such as 0. */
  readonly within?: readonly number[];
  /** Steps instead of slopes: for values that hold until the next one. */
  readonly stepped?: boolean;
}

const PAD = { top: 10, right: 10, bottom: 22, left: 62 };

/** Lines over time in one SVG, with a readout at the pointer. */
export function LinePlot({ label, lines, format, height = 200, within = [], stepped = false }: Props) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const times = lines
    .flatMap((line) => [line.times[0], line.times.at(-1)])
    .filter((time) => time !== undefined);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const [low, high] = extent(lines, within);
  const inner = { width: Math.max(1, width - PAD.left - PAD.right), height: height - PAD.top - PAD.bottom };
  const x = (time: number) =>
    PAD.left + (last === first ? 0.5 : (time - first) / (last - first)) * inner.width;
  const y = (value: number) => PAD.top + (1 - (value - low) / (high - low || 1)) * inner.height;
  const ticks = niceSteps(low, high, 4);
  const round = timeSteps(first, last, Math.max(2, Math.floor(inner.width / 110)));
  const marks = round.length > 0 ? round : [{ at: first, text: utcTime(first) }];

  const point = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left - PAD.left) / inner.width;
    setAt(first + Math.min(1, Math.max(0, share)) * (last - first));
  };
  const said = lines
    .filter((line) => line.values.length > 0)
    .map(
      (line) => `${line.name}: ${format(line.values[0]!)} at first, ${format(line.values.at(-1)!)} at last`,
    )
    .join('; ');
  const read = lines.map((line) => ({ line, value: valueAt(line, at ?? last) }));
  return (
    <div ref={ref}>
      <p className="flex min-h-6 flex-wrap gap-x-4 text-xs" aria-hidden="true">
        <span className="text-muted">
          {utcDate(at ?? last)} {utcTime(at ?? last).slice(0, 5)} UTC
        </span>
        {read.map(({ line, value }) => (
          <span key={line.name} className="whitespace-nowrap">
            <svg width="18" height="8" className={`mr-1 inline ${line.ink}`} aria-hidden="true">
              <path
                d="M0 4h18"
                stroke="currentColor"
                strokeWidth="2"
                strokeDasharray={line.dashed === true ? '4 3' : undefined}
              />
            </svg>
            <span className="text-muted">{line.name}</span> {value === null ? '–' : format(value)}
          </span>
        ))}
      </p>
      {width > 0 && (
        <svg
          role="img"
          aria-label={`${label}. ${said}`}
          width={width}
          height={height}
          onPointerMove={point}
          onPointerLeave={() => setAt(null)}
          className="block touch-pan-y"
        >
          {ticks.map((tick) => (
            <g key={tick}>
              <path d={`M${PAD.left} ${y(tick)}h${inner.width}`} className="stroke-line" />
              <text x={PAD.left - 6} y={y(tick) + 4} textAnchor="end" className="fill-muted text-2xs">
                {format(tick)}
              </text>
            </g>
          ))}
          {marks.map(({ at: time, text }) => (
            <text
              key={time}
              x={Math.max(PAD.left + 14, Math.min(width - PAD.right - 14, x(time)))}
              y={height - 6}
              textAnchor="middle"
              className="fill-muted text-2xs"
            >
              {text}
            </text>
          ))}
          {within.map((value) => (
            <path key={value} d={`M${PAD.left} ${y(value)}h${inner.width}`} className="stroke-line-strong" />
          ))}
          {lines.map((line) => (
            <path
              key={line.name}
              d={pathOf(line, x, y, stepped)}
              fill="none"
              stroke="currentColor"
              strokeWidth="1.75"
              strokeLinejoin="round"
              strokeDasharray={line.dashed === true ? '5 4' : undefined}
              className={line.ink}
            />
          ))}
          {at !== null && <path d={`M${x(at)} ${PAD.top}v${inner.height}`} className="stroke-line-strong" />}
        </svg>
      )}
    </div>
  );
}

function extent(lines: readonly PlotLine[], within: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of [within, ...lines.map((line) => line.values)]) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!Number.isFinite(low)) return [0, 1];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  return [within.includes(low) ? low : low - room, within.includes(high) ? high : high + room];
}

function pathOf(
  line: PlotLine,
  x: (t: number) => number,
  y: (v: number) => number,
  stepped: boolean,
): string {
  let path = '';
  for (let i = 0; i < line.times.length; i += 1) {
    const at = `${x(line.times[i]!).toFixed(1)} `;
    const height = y(line.values[i]!).toFixed(1);
    if (path === '') path = `M${at}${height}`;
    else path += stepped ? `H${at}V${height}` : `L${at}${height}`;
  }
  // One value alone is shown as a short stroke.
  return line.times.length === 1 ? `${path}h6` : path;
}

function valueAt(line: PlotLine, time: number): number | null {
  let found: number | null = line.values[0] ?? null;
  for (let i = 0; i < line.times.length && line.times[i]! <= time; i += 1) found = line.values[i]!;
  return found;
}
