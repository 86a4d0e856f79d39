import { useMemo } from 'react';
import { decimal, digitsOf, NOTHING } from '../ui/format.ts';
import { useAsk } from './queries.ts';

type Value = string | number | null | undefined;

/** How the names and the numbers of each instrument are written. */
export interface Grid {
  /** Without the venue when all instruments of the portfolio are of the same one. */
  name(instrument: string): string;
  /** The same of every name in a text. */
  text(text: string): string;
  /** By its tick. */
  price(instrument: string, value: Value): string;
  /** By its lot. */
  quantity(instrument: string, value: Value): string;
}

/** The names and digits of every instrument of the portfolio; plain ones until they are known. */
export function useGrid(): Grid {
  const { data } = useAsk('instruments', {}, { every: 60_000 });
  return useMemo(() => {
    const digits = new Map(data?.items.map((item) => [item.id, [digitsOf(item.tick), digitsOf(item.lot)]]));
    const venues = new Set(data?.items.map((item) => item.venue));
    const tail = venues.size === 1 ? `.${[...venues][0]}` : null;
    const write = (instrument: string, value: Value, which: 0 | 1) =>
      value === null || value === undefined ? NOTHING : decimal(value, digits.get(instrument)?.[which]);
    return {
      name: (instrument) =>
        tail !== null && instrument.endsWith(tail) ? instrument.slice(0, -tail.length) : instrument,
      text: (text) => (tail === null ? text : text.replaceAll(tail, '')),
      price: (instrument, value) => write(instrument, value, 0),
      quantity: (instrument, value) => write(instrument, value, 1),
    };
  }, [data]);
}
