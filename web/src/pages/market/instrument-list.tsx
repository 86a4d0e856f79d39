import type { ResponseOf } from '@contract';
import { useState } from 'react';
import { useGrid } from '../../api/instruments.ts';
import { intervalName } from '../../chart/intervals.ts';
import { regimeName } from '../../chart/palette.ts';
import { Choice, Field } from '../../ui/field.tsx';
import { decimal, digitsOf } from '../../ui/format.ts';

export type Instrument = ResponseOf<'instruments'>['items'][number];

const FILTER_FROM = 8;

/** The instruments of the portfolio, one of them chosen. */
export function InstrumentList({
  items,
  chosen,
  onChoose,
}: {
  readonly items: readonly Instrument[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}) {
  const grid = useGrid();
  const [text, setText] = useState('');
  const shown = items.filter((item) => item.id.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <div className="flex flex-col">
      <Choice
        label="Instrument"
        bare
        className="p-2 lg:hidden"
        value={chosen}
        onChange={(event) => onChoose(event.target.value)}
      >
        {items.map((item) => (
          <option key={item.id} value={item.id}>
            {grid.name(item.id)} {decimal(item.price, digitsOf(item.tick))}
          </option>
        ))}
      </Choice>
      {items.length >= FILTER_FROM && (
        <Field
          label="Find an instrument"
          bare
          data-filter
          className="hidden border-b border-line p-2 lg:block"
          placeholder="Find an instrument"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      <ul
        aria-label="Instruments"
        className="thin-scroll hidden max-h-[36rem] flex-col overflow-y-auto lg:flex"
      >
        {shown.map((item) => (
          <li key={item.id} className="border-b border-line last:border-0">
            <button
              type="button"
              title={`${item.id}, ${item.kind}`}
              aria-current={item.id === chosen ? 'true' : undefined}
              onClick={() => onChoose(item.id)}
              className={`flex w-full items-baseline gap-2 px-3 py-2 text-left ${item.id === chosen ? 'bg-hover shadow-[inset_2px_0_0_var(--ink)]' : 'hover:bg-raised'}`}
            >
              <span className="min-w-0 flex-1">
                <span className="block truncate text-sm font-medium text-ink">{grid.name(item.id)}</span>
                <span className="block truncate text-xs text-muted">
                  {[intervalName(item.intervalMs), item.regime === null ? null : regimeName(item.regime)]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </span>
              <span className="text-sm whitespace-nowrap">{decimal(item.price, digitsOf(item.tick))}</span>
            </button>
          </li>
        ))}
        {shown.length === 0 && <li className="px-3 py-4 text-xs text-muted">No instrument is called so.</li>}
      </ul>
    </div>
  );
}
