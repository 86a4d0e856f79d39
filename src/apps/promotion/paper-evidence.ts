import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '#adapters';
import { DAY, InputError, parseInterval } from '#base';
import type { Event } from '#engine';
import type { Measured } from '#research';
import type { ModelHeardNote } from '../runner/notes.ts';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { HeardBars } from './heard-bars.ts';

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
  /** The bars that it decides on, as profiles write it: `15m`. Others that the portfolio hears say nothing of it. */
  readonly interval: string;
  /** Whether bars count only while the desk's model spoke. */
  readonly spoken?: boolean;
}

/** Addresses of the venue's own market data; whatever another one sends may be made up. */
const VENUE_HOST = /(^|\.)binance\.com$/;

/**
 * Time on paper: days from the first bar of the run's instruments that came live to the last, and the share of the bars
 * between them that came while they were news (within an interval of their close). Bars are those of the desk's interval; where the
 * feed brings only shorter ones, such a bar came when all that it is made of did. Bars that were filled in later count as
 * missed: nobody traded them; so do all of an instrument that never came, and of a model those at which it said nothing. `now` is
 * the present. Throws {@link InputError} for a folder that is no paper portfolio's, or of one in which the desk with exactly these
 * parameters does not trade.
 */
export function paperEvidence(dir: string, onPaper: OnPaper, now: number): PaperEvidence {
  const path = join(dir, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${dir} has no journal`,
      'give the folder of a paper portfolio, such as .quorum/mine',
    );
  const { desk, instruments, spoken = false } = onPaper;
  // of a model that does not say its bars, none is known
  const intervalMs = parseInterval(onPaper.interval) ?? Number.NaN;
  let header: PaperHeader | null = null;
  const heard = new HeardBars(intervalMs);
  let speaks = !spoken;
  let hasSpoken = !spoken;
  for (const { kind, text } of readJournal(path)) {
    if (header === null) {
      header = headerOf(kind, text, dir, onPaper);
      continue;
    }
    if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) {
      const event = JSON.parse(text) as Event;
      if (event.kind === 'bar-closed') heard.hear(event, speaks);
    } else if (spoken && kind === 'note' && text.startsWith('{"note":"model-heard"')) {
      const note = JSON.parse(text) as ModelHeardNote;
      if (note.desk !== desk) continue;
      speaks = note.fault === null;
      hasSpoken ||= speaks;
      // of this very bar, which came before the word
      heard.told(note.instrument, note.at, speaks);
    }
  }
  const stamps = header === null ? ['no mode: no evidence'] : stampsOf(header);
  const spans = instruments.flatMap((instrument) => heard.spanOf(instrument) ?? []);
  if (spans.length === 0) {
    const note = hasSpoken ? 'no bar came live' : 'by the journal its model never spoke';
    const none = { value: null, note };
    return { figures: { paperDays: none, paperUptime: none }, stamps };
  }
  const first = Math.min(...spans.map((span) => span.first));
  const last = Math.max(...spans.map((span) => span.last));
  if (last > now) stamps.push('its bars lie in the future, no evidence');
  const missing = instruments.filter((instrument) => !heard.came(instrument));
  const expected = instruments.length * ((last - first) / intervalMs + 1);
  const came = spans.reduce((sum, { bars }) => sum + bars, 0);
  const what = `${came} of ${Math.round(expected)} bars of ${onPaper.interval}${spoken ? ' with a word of its model' : ''}`;
  return {
    figures: {
      paperDays: { value: (last - first) / DAY },
      paperUptime: {
        value: came / expected,
        note: `${what}${missing.length === 0 ? '' : `; never came: ${missing.join(', ')}`}`,
      },
    },
    stamps,
  };
}

function stampsOf({ mode, request }: PaperHeader): string[] {
  if (mode !== 'PAPER') return [`${mode}: not live prices, no evidence`];
  const { feed } = request;
  const addresses = feed.kind === 'binance-usdm' ? [feed.restUrl, feed.wsUrl] : [];
  const strange = addresses.filter((url) => url !== undefined && !VENUE_HOST.test(new URL(url).hostname));
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
