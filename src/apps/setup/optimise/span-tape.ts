import type { BarSeries, Tape } from '#adapters';
import { assert, type Instant } from '#base';
import type { DeskParts } from '#engine';
import type { LocalSource, RemoteSource, Source } from '#signals';

/** A stretch of a tape on which a desk may trade: bars that open in [from, to). */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/**
 * The tape of a span with the history that a desk of `intervalMs` wants before its first decision: `warmUpBars` bars of
 * each instrument, as far as they were recorded.
 */
export function tapeOfSpan(tape: Tape, span: Span, intervalMs: number, warmUpBars: number): Tape {
  let from = span.from;
  for (const series of tape.series) {
    if (series.kind === 'bars') from = Math.min(from, historyFrom(series, span.from, intervalMs, warmUpBars));
  }
  return tape.cut(from, span.to);
}

/** Open time of the bar with which `warmUpBars` bars of the desk's interval before `at` begin. */
function historyFrom(series: BarSeries, at: Instant, intervalMs: number, warmUpBars: number): Instant {
  const { columns } = series;
  let row = 0;
  let end = columns.length;
  while (row < end) {
    const middle = (row + end) >> 1;
    if (columns.time[middle]! < at) row = middle + 1;
    else end = middle;
  }
  if (row === 0) return at;
  const wanted = warmUpBars * Math.max(1, intervalMs / series.intervalMs);
  const time = columns.time[Math.max(0, row - wanted)]!;
  // whole bars of the desk only
  return Math.floor(time / intervalMs) * intervalMs;
}

/** Parts whose sources see everything and say nothing before `from`: what is history for a span is not traded on. */
export function silentBefore(parts: DeskParts, from: Instant): DeskParts {
  return { ...parts, sources: parts.sources.map((source) => silentSource(source, from)) };
}

function silentSource(source: Source, from: Instant): Source {
  if (source.kind === 'local') {
    const { signal } = source as unknown as LocalSource;
    const quiet: LocalSource['signal'] = (view, values, state) => {
      const said = signal.call(source, view, values, state);
      return view.at < from ? null : said;
    };
    return { ...source, signal: quiet } as unknown as Source;
  }
  assert(source.kind === 'remote', 'a source is local or remote');
  const { ask } = source as unknown as RemoteSource;
  const quiet: RemoteSource['ask'] = (view, values, state) => {
    const asked = ask.call(source, view, values, state);
    return view.at < from ? null : asked;
  };
  return { ...source, ask: quiet } as unknown as Source;
}
