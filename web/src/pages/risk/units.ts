import { decimal, percent, span } from '../../ui/format.ts';

/** A figure of a limit or trigger in the unit that it is told in; `of equity` and the like are fractions. */
export function inUnit(value: number | null, unit: string): string {
  if (value === null) return 'none';
  if (value === 0 && unit !== 'ms')
    return unit.startsWith('of ') || unit === 'fraction' ? percent(0, 0) : '0';
  if (unit === 'fraction' || unit === 'share' || unit.startsWith('of '))
    return percent(value, Math.abs(value) < 0.01 ? 3 : Math.abs(value) < 0.1 ? 2 : 1);
  if (unit === 'ms') return span(value);
  if (unit === 'count' || unit === '' || unit === 'in a row') return decimal(value);
  if (unit === 'x') return `${decimal(Number(value.toFixed(2)))}×`;
  return `${decimal(value)} ${unit}`;
}

/** What is said of a unit beside the figure: what it is a fraction of. */
export function unitText(unit: string): string {
  return /^(of |in a row)/.test(unit) ? unit : '';
}

/** Names of limits of the portfolio, for people. */
export const LIMITS = [
  { name: 'riskMax', title: 'Risk of one trade', says: 'Loss at the stop over equity', percent: true },
  { name: 'assetMax', title: 'One asset', says: 'Gross value of one asset over equity', percent: true },
  {
    name: 'groupMax',
    title: 'One correlated group',
    says: 'Gross value of a group over equity',
    percent: true,
  },
  {
    name: 'groupRho',
    title: 'Correlation of a group',
    says: 'From this correlation on two assets are one group',
    percent: false,
  },
  { name: 'heatMax', title: 'Heat', says: 'All risk that is open, over equity', percent: true },
] as const;

export function titleOf(name: string): string {
  const known = LIMITS.find((limit) => limit.name === name);
  if (known !== undefined) return known.title;
  const text = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[-_.]+/g, ' ')
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
