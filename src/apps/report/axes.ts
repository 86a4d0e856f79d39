import { plainNumber, type Size } from './chart.ts';
import { mark } from './palette.ts';

/** Room beside a chart for the labels of its values. */
export const margins = (size: Size) => ({
  left: size === 'wide' ? 78 : 62,
  right: size === 'wide' ? 24 : 14,
});

/** Money on an axis: short enough for the margin. */
export function axisMoney(value: number): string {
  const size = Math.abs(value);
  // neighbouring labels must differ, however narrow the range
  if (size >= 1e10) return `${plainNumber(value / 1e9)}B`;
  if (size >= 1e6) return `${plainNumber(value / 1e6)}M`;
  return plainNumber(value);
}

export const axisPercent = (value: number): string => `${plainNumber(Number((value * 100).toFixed(6)))} %`;

/** The name of an axis of values stands above it, that of the other below. */
export const below = (name: string) => ({ name, nameLocation: 'middle', nameGap: 32 });
export const above = (name: string) => ({
  name,
  nameLocation: 'end',
  nameGap: 12,
  nameTextStyle: { color: mark('faint'), fontSize: 12, align: 'left' },
});
