import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJournal } from '#adapters';
import { DAY, InputError, type Instant } from '#base';
import { readCommand } from '#engine';
import { type BookId, bookKey } from '#ledger';
import type { BarClosed } from '#market';
import type { Measured } from '#research';
import type { PaperNote } from '../runner/notes.ts';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { type ModelOnPaper, ModelRecord, type Models } from './model-record.ts';

/** What a paper portfolio's journal says of a desk's time on paper. */
export interface PaperEvidence {
  readonly figures: { readonly paperDays: Measured; readonly paperUptime: Measured };
  /** What makes it no evidence at all. */
  readonly stamps: readonly string[];
  /** What the desk did with each of its models; one that asks for none has one line, without a model. */
  readonly models: readonly ModelOnPaper[];
}

/** Whose time on paper is asked for. */
export interface OnPaper {
  readonly desk: string;
  /**
   * Of its configuration, models included: bars that it decided on with other models do not count. Null: the desk that the
   * portfolio calls so, whichever of its models decided, but not while it had none.
   */
  readonly deskHash: string | null;
  /** Those of the run: time on paper with others says nothing of it. */
  readonly instruments: readonly string[];
}

/** Addresses of the venue's own market data; whatever another one sends may be made up. */
const VENUE_HOST = /(^|\.)binance\.com$/;

/**
 * Time on paper: days from the first bar of the run's instruments that came live to the last, and the share of the bars
 * between them that came while they were news (within an interval of their close). Bars that were filled in later count as
 * missed: nobody traded them; so do all of an instrument that never came, and those that came while other models were in
 * place than the ones asked about. `now` is the present. Throws {@link InputError} for a folder that is no paper portfolio's, or
 * of one in which the desk with exactly these parameters does not trade.
 */
export function paperEvidence(dir: string, onPaper: OnPaper, now: number): PaperEvidence {
  const path = join(dir, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${dir} has no journal`,
      'give the folder of a paper portfolio, such as .quorum/mine',
    );
  let header: PaperHeader | null = null;
  let desks: DesksOnPaper | null = null;
  const spans = new Map<string, Span>();
  for (const { kind, text } of readJournal(path)) {
    if (header === null) {
      header = headerOf(kind, text, dir);
      desks = new DesksOnPaper(header, onPaper);
      continue;
    }
    if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) {
      const event = JSON.parse(text) as BarClosed;
      if (!isNews(event)) continue;
      desks!.heard(event.at);
      if (desks!.counts) hear(event, spans);
    } else desks!.take(kind, text);
  }
  if (desks !== null && !desks.counted) throw notOnPaper(dir, onPaper, header!);
  const models = desks?.models ?? [];
  const longest = [...spans].flatMap(([key, span]) =>
    onPaper.instruments.includes(key.split(' ')[0]!) ? [span] : [],
  );
  const stamps = header === null ? ['no mode: no evidence'] : stampsOf(header);
  if (longest.length === 0) {
    const none = { value: null, note: 'no bar came live' };
    return { figures: { paperDays: none, paperUptime: none }, stamps, models };
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
    models,
  };
}

const ORDER = '["submit-order"';
const NOTES = ['{"note":"models"', '{"note":"fill"', '{"note":"trade"'];

/** A portfolio's desks as their models change, and whether what comes now is time on paper of the one that is asked about. */
class DesksOnPaper {
  /** Whether it is now, and whether it ever was. */
  counts = false;
  counted = false;
  private readonly onPaper: OnPaper;
  private readonly desks = new Map<string, { hash: string; models: Models; readonly record: ModelRecord }>();
  /** The desk that is asked about, once it is known which. */
  private asked: string | null = null;

  constructor({ desks }: PaperHeader, onPaper: OnPaper) {
    this.onPaper = onPaper;
    for (const { name, hash, models } of desks)
      this.desks.set(name, { hash, models, record: new ModelRecord(models) });
    this.look();
  }

  private look(): void {
    const { desk, deskHash } = this.onPaper;
    const found =
      deskHash === null
        ? this.desks.has(desk) && desk
        : [...this.desks].find(([, d]) => d.hash === deskHash)?.[0];
    this.counts = typeof found === 'string';
    if (typeof found !== 'string') return;
    this.asked = found;
    this.counted = true;
    const { models } = this.desks.get(found)!;
    // a desk without its model decides nothing
    if (models !== undefined) this.counts = Object.values(models).some((id) => id !== null);
  }

  /** What the desk that was asked about did with each of its models. */
  get models(): readonly ModelOnPaper[] {
    return this.asked === null ? [] : this.desks.get(this.asked)!.record.result();
  }

  /** A bar came while it was news. */
  heard(at: Instant): void {
    for (const { record } of this.desks.values()) record.heard(at);
  }

  take(kind: string, text: string): void {
    if (kind === 'command' && text.startsWith(ORDER)) {
      const command = readCommand(text);
      if (command.kind === 'submit-order') this.recordOf(command.order.book)?.sent(command.order);
    } else if (kind === 'note' && NOTES.some((start) => text.startsWith(start)))
      this.noted(JSON.parse(text) as PaperNote);
  }

  private recordOf(book: BookId): ModelRecord | undefined {
    return this.desks.get(bookKey(book).desk)?.record;
  }

  private noted(note: PaperNote): void {
    if (note.note === 'fill') this.recordOf(note.book)?.fill(note.book, note.fill.clientId);
    else if (note.note === 'trade') this.recordOf(note.trade.book)?.traded(note.trade);
    else if (note.note === 'models') {
      const desk = this.desks.get(note.desk);
      if (desk === undefined) return;
      desk.hash = note.hash;
      desk.models = note.models;
      desk.record.changed(note);
      this.look();
    }
  }
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
  const addresses = feed.kind === 'binance-usdm' ? [feed.restUrl, feed.wsUrl] : [];
  const strange = addresses.filter((url) => url !== undefined && !VENUE_HOST.test(new URL(url).hostname));
  return strange.map((url) => `prices from ${url}: not the venue's own, no evidence`);
}

function headerOf(kind: string, text: string, dir: string): PaperHeader {
  const header = kind === 'header' ? (JSON.parse(text) as PaperHeader) : null;
  if (header?.kind === 'paper') return header;
  throw new InputError(`${dir} is not the folder of a paper portfolio`, 'name one below the data directory');
}

function notOnPaper(dir: string, { desk }: OnPaper, header: PaperHeader): InputError {
  const names = header.desks.map(({ name }) => name).join(', ');
  return new InputError(
    `${desk} with these parameters is not on paper in ${dir}, which trades ${names}`,
    'name the portfolio that trades exactly the desk of the run',
  );
}

/** Whether a bar came within an interval of its close: what was filled in later nobody traded. */
const isNews = ({ at, eventTime, intervalMs }: BarClosed): boolean => at - eventTime <= intervalMs;

function hear({ instrument, intervalMs, eventTime }: BarClosed, spans: Map<string, Span>): void {
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
