/** Sums of decimals as text, exact whatever their length and scale. */

interface Parts {
  readonly units: bigint;
  readonly scale: number;
}

function parts(text: string): Parts {
  const dot = text.indexOf('.');
  if (dot < 0) return { units: BigInt(text), scale: 0 };
  return { units: BigInt(text.slice(0, dot) + text.slice(dot + 1)), scale: text.length - dot - 1 };
}

function format(units: bigint, scale: number): string {
  const sign = units < 0n ? '-' : '';
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  if (scale === 0) return sign + digits;
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${sign}${digits.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The sum, without trailing zeros; `0` of nothing. */
export function sumOf(values: readonly string[]): string {
  const read = values.map(parts);
  const scale = read.reduce((most, one) => Math.max(most, one.scale), 0);
  const units = read.reduce((sum, one) => sum + one.units * 10n ** BigInt(scale - one.scale), 0n);
  return format(units, scale);
}

/** The number with its sign turned. */
export const negated = (value: string): string => {
  const { units, scale } = parts(value);
  return format(-units, scale);
};

/** a - b. */
export const difference = (a: string, b: string): string => sumOf([a, negated(b)]);

/** Profit of an account: realised and unrealised, after fees and funding, which are positive when paid. */
export const netOf = (account: {
  readonly realised: string;
  readonly unrealised: string;
  readonly fees: string;
  readonly funding: string;
}): string =>
  difference(sumOf([account.realised, account.unrealised]), sumOf([account.fees, account.funding]));
