import type { Criterion, PromotionException } from '#research';
import { EXIT, ExitError, paint, table } from './terminal.ts';

/** Who signs for an exception, and why, from `NAME: reason`. Throws {@link ExitError}. */
export function readSignature(text: string): PromotionException {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon)).trim();
  const reason = text.slice(colon + 1).trim();
  if (colon > 0 && name !== '' && reason.length >= 10) return { name, reason };
  throw new ExitError(
    EXIT.usage,
    `--sign "${text}" is no name with a reason`,
    'write --sign "NAME: why the evidence is not needed here", with ten letters or more',
  );
}

const COLOUR = { met: '32', 'not met': '31', unknown: '31', excepted: '33' } as const;
const MARK = { met: '✓', 'not met': '✗', unknown: '?', excepted: '!' } as const;

/** A table of criteria, each with its figure and verdict. */
export function criteriaLines(criteria: readonly Criterion[]): string[] {
  const rows = criteria.map((one) => [
    `${MARK[one.verdict]} ${one.name}`,
    figure(one.name, one.figure),
    one.relation === null ? '' : `${one.relation} ${figure(one.name, one.needed)}`,
    one.verdict,
    one.note ?? '',
  ]);
  const lines = table([['  criterion', 'figure', 'needed', 'verdict', ''], ...rows], [1]);
  return lines.map((line, i) => {
    const verdict = criteria[i - 1]?.verdict;
    return verdict === undefined ? line : paint(COLOUR[verdict], line);
  });
}

/** What stands out of an exception; nothing without one. */
export function exceptionLines(
  criteria: readonly Criterion[],
  exception: PromotionException | null,
): string[] {
  if (exception === null) return [];
  const excepted = criteria.filter(({ verdict }) => verdict === 'excepted').map(({ name }) => name);
  return [
    '',
    paint('43;30', ` EXCEPTION from ${excepted.join(' and ')}, signed by ${exception.name} `),
    paint('33', `  ${exception.reason}`),
    paint('33', '  It is on record for good, and everything that follows from this promotion rests on it.'),
  ];
}

const SHARES = ['winRate', 'maxDrawdown', 'paperUptime'];

function figure(name: Criterion['name'], value: number | null): string {
  if (value === null) return '-';
  if (SHARES.includes(name)) return `${(value * 100).toFixed(2)} %`;
  if (name === 'dsr' || name === 'pbo') return value.toFixed(3);
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
