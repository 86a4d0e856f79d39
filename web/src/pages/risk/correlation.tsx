import { useGrid } from '../../api/instruments.ts';
import { decimal } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { ScrollBox } from '../../ui/scroll-box.tsx';
import { Empty } from '../../ui/state.tsx';
import type { Risk } from './index.tsx';

/** Deep enough to be seen, pale enough to be read upon. */
const DEEPEST = 46;

/** A colour by sign and size: blue moves together, orange apart. */
function shade(rho: number | null): string | undefined {
  if (rho === null) return undefined;
  const depth = Math.round(Math.min(1, Math.abs(rho)) * DEEPEST);
  return `color-mix(in srgb, var(--${rho < 0 ? 'loss' : 'gain'}) ${depth}%, var(--surface))`;
}

/** How the instruments move together. */
export function Correlation({ instruments, matrix }: Risk['correlation']) {
  const grid = useGrid();
  return (
    <Panel title="Correlation" note="of returns; blue together, orange apart">
      {instruments.length < 2 ? (
        <Empty title="Too little to compare">Two instruments with a common stretch of bars are needed.</Empty>
      ) : (
        <ScrollBox label="Correlation of the instruments">
          <table className="mx-auto border-separate border-spacing-px text-xs">
            <caption className="sr-only">Correlation of returns, instrument by instrument</caption>
            <thead>
              <tr>
                <td />
                {instruments.map((name) => (
                  <th
                    key={name}
                    scope="col"
                    className="max-w-18 truncate px-0.5 pb-1 text-2xs font-medium text-muted"
                    title={name}
                  >
                    {grid.name(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {instruments.map((row, i) => (
                <tr key={row}>
                  <th scope="row" className="pr-2 text-right font-medium whitespace-nowrap text-muted">
                    {grid.name(row)}
                  </th>
                  {instruments.map((column, j) => {
                    const rho = matrix[i]?.[j] ?? null;
                    return (
                      <td
                        key={column}
                        className="h-8 w-12 min-w-10 rounded-xs text-center text-ink"
                        style={{ backgroundColor: i === j ? 'var(--hover)' : shade(rho) }}
                        title={`${row} and ${column}: ${rho === null ? 'unknown' : decimal(rho, 2)}`}
                      >
                        {i === j ? '' : rho === null ? '–' : decimal(rho, 2)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </Panel>
  );
}
