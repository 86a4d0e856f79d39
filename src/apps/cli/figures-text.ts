/** A share as per cent with two decimals; two digits where those would say nothing. */
export function percent(share: number | null): string {
  if (share === null) return '-';
  const value = share * 100;
  const isTiny = value !== 0 && Math.abs(value) < 0.01;
  return `${isTiny ? Number(value.toPrecision(2)) : value.toFixed(2)} %`;
}

/** Values of a point in the order of the names: no more digits than people read; empty where there is none. */
export function pointCells(point: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names.map((name) => {
    const value = point[name];
    if (value === undefined) return '';
    return typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toPrecision(5)))
      : String(value);
  });
}

/** `1.5 %` of figures, `-` where there is none. */
export const fixed = (value: number | null, digits: number): string => value?.toFixed(digits) ?? '-';
