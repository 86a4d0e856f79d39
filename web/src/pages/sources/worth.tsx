import { decimal } from '../../ui/format.ts';

export interface Worth {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
}

/** What the whiskers of a list are drawn against: its largest bound. */
export function scaleOf(items: readonly { readonly worth: Worth | null }[]): number {
  return Math.max(
    Number.MIN_VALUE,
    ...items.flatMap(({ worth }) => (worth === null ? [] : [Math.abs(worth.low), Math.abs(worth.high)])),
  );
}

const WIDTH = 120;

/** What a part is worth, with the interval it is sure of; an interval over zero says that nobody knows yet. */
export function WorthCell({ worth, scale }: { readonly worth: Worth | null; readonly scale: number }) {
  if (worth === null)
    return (
      <span className="text-muted" title="Not measured: start a worth job on the Research page">
        not measured
      </span>
    );
  const x = (value: number) => WIDTH / 2 + (value / scale) * (WIDTH / 2 - 4);
  const sure = worth.low > 0 || worth.high < 0;
  const ink = !sure ? 'text-muted' : worth.value > 0 ? 'text-gain' : 'text-loss';
  const text = (value: number) => decimal(value, Math.abs(scale) < 10 ? 3 : 1, true);
  return (
    <span className="inline-flex items-center gap-2">
      <svg width={WIDTH} height="16" aria-hidden="true" className={`${ink} hidden sm:inline`}>
        <path d={`M${WIDTH / 2} 1v14`} className="stroke-line-strong" />
        <path
          d={`M${x(worth.low)} 8H${x(worth.high)}M${x(worth.low)} 5v6M${x(worth.high)} 5v6`}
          stroke="currentColor"
        />
        <circle cx={x(worth.value)} cy="8" r="3.5" fill="currentColor" />
      </svg>
      <span
        className={ink}
        title={sure ? 'The interval does not hold zero' : 'The interval holds zero: not known yet'}
      >
        {text(worth.value)}{' '}
        <span className="text-xs text-muted">
          [{text(worth.low)} … {text(worth.high)}] {worth.unit}
        </span>
      </span>
    </span>
  );
}
