import { type FormEvent, useId, useState } from 'react';
import { useStore } from '../../api/store.ts';
import type { IndicatorItem } from '../../chart/line-shapes.ts';
import { Button } from '../../ui/button.tsx';
import { Icon } from '../../ui/icon.tsx';
import { chosenIndicators } from './chosen.ts';

const MOST = 12;

/** Adds and takes off indicators by their text, such as `ema:20`. */
export function IndicatorPicker({ items }: { readonly items: readonly IndicatorItem[] }) {
  const chosen = useStore(chosenIndicators);
  const [text, setText] = useState('');
  const [error, setError] = useState<string | null>(null);
  const id = useId();

  const add = (event: FormEvent) => {
    event.preventDefault();
    const wanted = text.trim().toLowerCase();
    const name = wanted.split(':')[0];
    if (wanted === '') return;
    if (!items.some((item) => item.name === name))
      return setError(`There is no indicator '${name}': choose one of the list.`);
    if (chosen.includes(wanted)) return setError(`'${wanted}' is on the chart.`);
    if (chosen.length >= MOST) return setError(`A chart takes ${MOST} indicators: take one off first.`);
    setError(null);
    setText('');
    chosenIndicators.set([...chosen, wanted]);
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5 border-b border-line px-3 py-2">
      <ul aria-label="Indicators on the chart" className="contents">
        {chosen.map((each) => (
          <li key={each}>
            <button
              type="button"
              title={`Take ${each} off the chart`}
              aria-label={`Take ${each} off the chart`}
              onClick={() => chosenIndicators.set(chosen.filter((other) => other !== each))}
              className="inline-flex min-h-7 items-center gap-1 rounded border border-line-strong bg-raised px-2 font-mono text-xs text-ink hover:bg-hover"
            >
              {each}
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={add} className="flex items-center gap-1.5">
        <label htmlFor={id} className="sr-only">
          Indicator to add
        </label>
        <input
          id={id}
          list={`${id}-list`}
          value={text}
          placeholder="Add an indicator"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={error !== null || undefined}
          aria-describedby={error === null ? undefined : `${id}-error`}
          onChange={(event) => {
            setText(event.target.value);
            setError(null);
          }}
          className="min-h-7 w-40 rounded border border-line-strong bg-bg px-2 text-xs text-ink placeholder:text-muted"
        />
        <datalist id={`${id}-list`}>
          {items.map((item) => (
            <option key={item.name} value={item.example}>
              {item.summary}
            </option>
          ))}
        </datalist>
        <Button small type="submit" icon="plus" disabled={text.trim() === ''}>
          Add
        </Button>
      </form>
      {error !== null && (
        <p id={`${id}-error`} role="alert" className="w-full text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
