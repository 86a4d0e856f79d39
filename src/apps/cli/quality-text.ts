import type { FileQuality, SeriesQuality } from '#adapters';
import { formatInstant } from '#base';
import { table } from './terminal.ts';

/** `2023-07-04T12:35:00Z to 2023-08-17T11:05:00Z`. */
export const spanText = ({ first, last }: { first: number | null; last: number | null }): string =>
  first === null || last === null ? 'empty' : `${formatInstant(first)} to ${formatInstant(last)}`;

/** What is to be said of a file of bars. */
export function fileQualityLines(quality: FileQuality): string[] {
  const lines = [quality.file];
  for (const one of quality.series) lines.push(...seriesQualityLines(one.instrument, one));
  if (quality.brokenLines > 0) lines.push(`  lines that could not be read: ${quality.brokenLines}`);
  for (const sample of quality.brokenSamples) lines.push(`    ${sample}`);
  if (quality.unsorted > 0) lines.push(`  symbols with rows out of order: ${quality.unsorted}`);
  return lines;
}

/** Everything found in one series, the verdict last. */
export function seriesQualityLines(title: string, one: SeriesQuality): string[] {
  const rows = [
    ['interval', one.interval],
    ['rows', String(one.rows)],
    ['span', spanText(one)],
    ['gaps', one.gaps === 0 ? '0' : `${one.gaps} (${one.missing} bars missing)`],
    [
      'duplicates',
      `${one.duplicates}${one.conflicts > 0 ? `, ${one.conflicts} of them with other figures` : ''}`,
    ],
    ['bad bars', String(one.ohlcBreaks + one.otherRefused)],
    ['outliers', String(one.outliers)],
    ['no volume', String(one.zeroVolume)],
    ['splits', splitTexts(one)],
    ['verdict', one.reasons.length === 0 ? one.verdict : `${one.verdict}: ${one.reasons.join('; ')}`],
  ];
  return [`  ${title}`, ...table(rows).map((line) => `    ${line}`)];
}

function splitTexts({ suspectedSplits }: SeriesQuality): string {
  if (suspectedSplits.length === 0) return 'none suspected';
  const texts = suspectedSplits.map(
    ({ at, ratio }) => `${formatInstant(at).slice(0, 10)} (${+ratio.toFixed(3)} for 1)`,
  );
  return `suspected on ${texts.slice(0, 6).join(', ')}${texts.length > 6 ? ', ...' : ''}`;
}
