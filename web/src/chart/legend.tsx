import { decimal, localStamp, utcDate, utcTime } from '../ui/format.ts';
import type { BarStore } from './bar-store.ts';
import { columnName } from './line-shapes.ts';
import { regimeAt } from './marks.ts';
import { regimeName } from './palette.ts';

interface Props {
  readonly store: BarStore;
  readonly index: number;
  readonly digits: number;
  readonly colours: ReadonlyMap<string, string>;
  /** Said aloud: while the crosshair is moved by keys. */
  readonly spoken: boolean;
}

/** What stands at one bar: under the crosshair, else the newest. */
export function Legend({ store, index, digits, colours, spoken }: Props) {
  const bar = store.at(index);
  if (bar === null) return null;
  const regime = regimeAt(store, bar.time);
  const change = bar.open === 0 ? 0 : bar.close / bar.open - 1;
  return (
    <div
      aria-live={spoken ? 'polite' : 'off'}
      className="flex min-h-11 flex-wrap content-start gap-x-3 gap-y-0.5 px-3 py-1.5 text-xs"
      data-testid="chart-legend"
    >
      <span className="font-medium text-ink" title={`${localStamp(bar.time)} local`}>
        {utcDate(bar.time)} {utcTime(bar.time).slice(0, 5)} UTC
      </span>
      <span className="hidden text-muted lg:inline">{localStamp(bar.time).slice(11, 16)} local</span>
      {(['open', 'high', 'low', 'close'] as const).map((field) => (
        <span key={field} className="whitespace-nowrap">
          <abbr title={field} className="text-muted no-underline">
            {field.charAt(0).toUpperCase()}
          </abbr>{' '}
          {decimal(bar[field], digits)}
        </span>
      ))}
      <span className={`whitespace-nowrap ${change >= 0 ? 'text-gain' : 'text-loss'}`}>
        {decimal(change * 100, 2, true)} %
      </span>
      <span className="whitespace-nowrap">
        <abbr title="volume" className="text-muted no-underline">
          V
        </abbr>{' '}
        {decimal(bar.volume)}
      </span>
      {regime !== null && <span className="whitespace-nowrap text-soft">{regimeName(regime)}</span>}
      {store.lineNames.map((name) => {
        const value = store.lineAt(name, index);
        return (
          <span key={name} className="whitespace-nowrap">
            <span aria-hidden="true" style={{ color: colours.get(name) }}>
              ━
            </span>{' '}
            <span className="text-muted">{columnName(name)}</span>{' '}
            {Number.isNaN(value) ? '–' : decimal(value)}
          </span>
        );
      })}
    </div>
  );
}
