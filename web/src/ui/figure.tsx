import { decimal, money, percent, signOf } from './format.ts';

const TONE = { '-1': 'text-loss', '0': 'text-ink', '1': 'text-gain' } as const;

/** The class of a number by its sign. The sign itself is always shown beside the colour. */
export function toneOf(value: string | number | null | undefined): string {
  return TONE[`${signOf(value)}`];
}

interface Props {
  readonly value: string | number | null | undefined;
  readonly digits?: number;
  readonly currency?: string | null;
}

/** An amount of money that was gained or lost. */
export function Gain({ value, currency }: Props) {
  return <span className={`whitespace-nowrap ${toneOf(value)}`}>{money(value, currency, true)}</span>;
}

/** A fraction that was gained or lost, as per cent. */
export function GainShare({
  value,
  digits = 2,
}: {
  readonly value: number | null | undefined;
  readonly digits?: number;
}) {
  return <span className={`whitespace-nowrap ${toneOf(value)}`}>{percent(value, digits, true)}</span>;
}

export function Amount({ value, digits, currency }: Props) {
  return (
    <span className="whitespace-nowrap">
      {currency === undefined ? decimal(value, digits) : money(value, currency)}
    </span>
  );
}
