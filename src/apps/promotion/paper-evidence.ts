import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LIVE_VENUES, readJournal } from '#adapters';
import { DAY, InputError } from '#base';
import type { Event } from '#engine';
import type { Measured } from '#research';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { isLive } from '../setup/configuration.ts';

/** What a paper portfolio's journal says of a desk's time on paper. */
export interface PaperEvidence {
  readonly figures: { readonly paperDays: Measured; readonly paperUptime: Measured };
  /** What makes it no evidence at all. */
  readonly stamps: readonly string[];
}

/** Whose time on paper is asked for. */
export interface OnPaper {
  readonly desk: string;
  readonly deskHash: string;
  /** Those of the run: time on paper with others says nothing of it. */
  readonly instruments: readonly string[];
}

/**
 * Time on paper: days from the first bar of the run's instruments that came live to the last, and the share of the bars
 * between them that came while they were news (within an interval of their close). Bars that were filled in later count as
 * missed: nobody traded them; so do all of an instrument that never came. `now` is the present. Throws {@link InputError} for
 * a folder that is no paper portfolio's, or of one in which the desk with exactly these parameters does not trade.
 */
export function paperEvidence(dir: string, onPaper: OnPaper, now: number): PaperEvidence {
  const path = join(dir, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${dir} has no journal`,
      'give the folder of a paper portfolio, such as .quorum/mine',
    );
  let header: PaperHeader | null = null;
  const spans = new Map<string, Span>();
  for (const { kind, text } of readJournal(path)) {
    if (header === null) {
      header = headerOf(kind, text, dir, onPaper);
      continue;
    }
    if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) hear(JSON.parse(text) as Event, spans);
  }
  const longest = [...spans].flatMap(([key, span]) =>
    onPaper.instruments.includes(key.split(' ')[0]!) ? [span] : [],
  );
  const stamps = header === null ? ['no mode: no evidence'] : stampsOf(header);
  if (longest.length === 0) {
    const none = { value: null, note: 'no bar came live' };
    return { figures: { paperDays: none, paperUptime: none }, stamps };
  }
  const first = Math.min(...longest.map((span) => span.first));
  const last = Math.max(...longest.map((span) => span.last));
  if (last > now) stamps.push('its bars lie in the future, no evidence');
  const heard = new Set([...spans.keys()].map((key) => key.split(' ')[0]!));
  const missing = onPaper.instruments.filter((instrument) => !heard.has(instrument));
  const barsOf = (intervalMs: number) => (last - first) / intervalMs + 1;
  const expected =
    longest.reduce((sum, { intervalMs }) => sum + barsOf(intervalMs), 0) +
    missing.length * barsOf(longest[0]!.intervalMs);
  const came = longest.reduce((sum, { bars }) => sum + bars, 0);
  return {
    figures: {
      paperDays: { value: (last - first) / DAY },
      paperUptime: {
        value: came / expected,
        note: `${came} of ${Math.round(expected)} bars${missing.length === 0 ? '' : `; never came: ${missing.join(', ')}`}`,
      },
    },
    stamps,
  };
}

interface Span {
  readonly intervalMs: number;
  first: number;
  last: number;
  bars: number;
}

function stampsOf({ mode, request }: PaperHeader): string[] {
  if (mode !== 'PAPER') return [`${mode}: not live prices, no evidence`];
  const { feed } = request;
  if (!isLive(feed)) return [];
  const { ownHost } = LIVE_VENUES[feed.kind];
  const addresses = [feed.restUrl, feed.wsUrl];
  const strange = addresses.filter((url) => url !== undefined && !ownHost.test(new URL(url).hostname));
  return strange.map((url) => `prices from ${url}: not the venue's own, no evidence`);
}

function headerOf(kind: string, text: string, dir: string, { desk, deskHash }: OnPaper): PaperHeader {
  const header = kind === 'header' ? (JSON.parse(text) as PaperHeader) : null;
  if (header?.kind !== 'paper')
    throw new InputError(
      `${dir} is not the folder of a paper portfolio`,
      'name one below the data directory',
    );
  if (header.desks.some((one) => one.hash === deskHash)) return header;
  const names = header.desks.map(({ name }) => name).join(', ');
  throw new InputError(
    `${desk} with these parameters is not on paper in ${dir}, which trades ${names}`,
    'name the portfolio that trades exactly the desk of the run',
  );
}

function hear(event: Event, spans: Map<string, Span>): void {
  if (event.kind !== 'bar-closed') return;
  const { instrument, intervalMs, at, eventTime } = event;
  if (at - eventTime > intervalMs) return;
  const key = `${instrument} ${intervalMs}`;
  const span = spans.get(key);
  if (span === undefined) {
    spans.set(key, { intervalMs, first: eventTime, last: eventTime, bars: 1 });
    return;
  }
  // a bar that came twice is one
  if (eventTime <= span.last) return;
  span.last = eventTime;
  span.bars += 1;
}
