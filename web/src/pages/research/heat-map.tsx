import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { Choice } from '../../ui/field.tsx';
import { ScrollBox } from '../../ui/scroll-box.tsx';
import { Empty } from '../../ui/state.tsx';
import { figureName, figureText, inOrder, isCost } from './figures.ts';

export type SweepAnswer = ResponseOf<'sweep'>;

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));

/** Values of a parameter in their order: numbers by size. */
function valuesOf(rows: SweepAnswer['rows'], name: string): string[] {
  const values = [...new Set(rows.map((row) => text(row.parameters[name])))];
  const numbers = values.every((value) => Number.isFinite(Number(value)));
  return values.sort(numbers ? (a, b) => Number(a) - Number(b) : undefined);
}

interface Cell {
  readonly value: number | null;
  /** How many variants share the place: others differ in parameters that are not shown. */
  readonly variants: number;
}

/** The best figure at every place of two parameters. */
function cellsOf(rows: SweepAnswer['rows'], x: string, y: string, figure: string): Map<string, Cell> {
  const better = isCost(figure) ? Math.min : Math.max;
  const cells = new Map<string, Cell>();
  for (const row of rows) {
    const key = `${text(row.parameters[x])} | ${text(row.parameters[y])}`;
    const old = cells.get(key);
    const value = row.figures[figure] ?? null;
    const best = old?.value == null ? value : value === null ? old.value : better(old.value, value);
    cells.set(key, { value: best, variants: (old?.variants ?? 0) + 1 });
  }
  return cells;
}

/** Blue for good, orange for bad, from the middle of the range, or from zero where the range holds it. */
function colourOf(value: number, low: number, high: number, cost: boolean): string {
  const middle = low < 0 && high > 0 ? 0 : (low + high) / 2;
  const reach = Math.max(high - middle, middle - low) || 1;
  const share = Math.min(1, Math.abs(value - middle) / reach);
  const good = value >= middle !== cost;
  return `color-mix(in srgb, var(--${good ? 'gain' : 'loss'}) ${Math.round(share * 42)}%, var(--surface))`;
}

/** A figure over two parameters of a sweep; every place says its number as well as its colour. */
export function HeatMap({ sweep }: { readonly sweep: SweepAnswer }) {
  const { parameters } = sweep;
  const [x, setX] = useState(parameters[0] ?? '');
  const [y, setY] = useState(parameters[1] ?? '');
  const figures = inOrder(sweep.figures);
  const [figure, setFigure] = useState(figures.includes('sharpe') ? 'sharpe' : sweep.figure);
  if (parameters.length === 0)
    return <Empty title="Nothing varied in this sweep">Start one with a grid over a parameter.</Empty>;
  const across = valuesOf(sweep.rows, x);
  const down = y === '' || y === x ? [] : valuesOf(sweep.rows, y);
  const cells = cellsOf(sweep.rows, x, down.length === 0 ? x : y, figure);
  const known = [...cells.values()].flatMap(({ value }) => (value === null ? [] : [value]));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const cell = (a: string, b: string) => {
    const found = cells.get(`${a} | ${b}`);
    if (found === undefined)
      return (
        <td key={a} className="border border-line px-2 py-1.5 text-center text-muted">
          –
        </td>
      );
    const best = found.value !== null && found.value === (isCost(figure) ? low : high);
    return (
      <td
        key={a}
        title={`${x} ${a}${down.length === 0 ? '' : `, ${y} ${b}`}: ${figureText(figure, found.value)}${found.variants > 1 ? `, best of ${found.variants} variants` : ''}`}
        style={
          found.value === null ? undefined : { background: colourOf(found.value, low, high, isCost(figure)) }
        }
        className={`border border-line px-2 py-1.5 text-center whitespace-nowrap ${best ? 'font-bold outline-2 -outline-offset-2 outline-ink' : ''}`}
      >
        {figureText(figure, found.value)}
      </td>
    );
  };
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-3">
        <Choice label="Figure" value={figure} onChange={(event) => setFigure(event.target.value)}>
          {figures.map((name) => (
            <option key={name} value={name}>
              {figureName(name)}
            </option>
          ))}
        </Choice>
        <Choice label="Across" value={x} onChange={(event) => setX(event.target.value)}>
          {parameters.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
        {parameters.length > 1 && (
          <Choice label="Down" value={y} onChange={(event) => setY(event.target.value)}>
            {parameters.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Choice>
        )}
      </div>
      <ScrollBox label="Heat map">
        <table className="text-xs">
          <caption className="sr-only">
            {figureName(figure)} by {x}
            {down.length === 0 ? '' : ` and ${y}`}
          </caption>
          <thead>
            <tr>
              <th scope="col" className="px-2 py-1 text-left font-medium text-muted">
                {down.length === 0 ? x : `${y} ↓  ${x} →`}
              </th>
              {across.map((value) => (
                <th key={value} scope="col" className="px-2 py-1 font-mono font-medium text-soft">
                  {value}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {(down.length === 0 ? [''] : down).map((value) => (
              <tr key={value}>
                <th scope="row" className="px-2 py-1 text-left font-mono font-medium text-soft">
                  {value}
                </th>
                {across.map((other) => cell(other, down.length === 0 ? other : value))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="text-xs text-muted">
        {sweep.rows.length} variants.{' '}
        {parameters.length > 2 && 'Where several share a place, the best of them is shown. '}
        Blue is better, orange is worse, the best place has a frame. A lonely good place among bad ones is
        luck more often than not.
      </p>
    </div>
  );
}
