import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LIVE_VENUES, readJournal } from '#adapters';
import { DAY, InputError, type Instant, parseInterval } from '#base';
import { readCommand } from '#engine';
import { type BookId, bookKey } from '#ledger';
import type { BarClosed } from '#market';
import type { Measured } from '#research';
import type { ModelHeardNote, PaperNote } from '../runner/notes.ts';
import type { PaperHeader } from '../runner/portfolio-setup.ts';
import { isLive } from '../setup/configuration.ts';
import { type CountsWith, HeardBars } from './heard-bars.ts';
import { type ModelOnPaper, ModelRecord } from './model-record.ts';

/** What a paper portfolio's journal says of a desk's time on paper. */
export interface PaperEvidence {
  readonly figures: { readonly paperDays: Measured; readonly paperUptime: Measured };
  /** What makes it no evidence at all. */
  readonly stamps: readonly string[];
  /** What the desk did with each of its models; one that asks for none has one line, without a model. */
  readonly models: readonly ModelOnPaper[];
  /** Null: the journal does not say which models the desk had. */
  readonly modelDays: ModelDays | null;
}

/** Days that the bars cover which count as time on paper; of several instruments the average. */
export interface ModelDays {
  readonly all: number;
  /** By id of the model that was in place, whichever of the desk's references meant it. */
  readonly byModel: ReadonlyMap<string, number>;
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
  /** The bars that it decides on, as profiles write it: `15m`. Others that the portfolio hears say nothing of it. */
  readonly interval: string;
  /** Whether bars count only while the desk's model spoke. */
  readonly spoken?: boolean;
}

/**
 * Time on paper: days from the first bar of the run's instruments that came live to the last, and the share of the bars
 * between them that came while they were news (within an interval of their close). Bars are those of the desk's interval; where the
 * feed brings only shorter ones, such a bar came when all that it is made of did. Bars that were filled in later count as
 * missed: nobody traded them; so do all of an instrument that never came, those that came while other models were in
 * place than the ones asked about, and of a model those at which it said nothing. `now` is the present. Throws {@link InputError}
 * for a folder that is no paper portfolio's, or of one in which the desk with exactly these parameters does not trade. The journal is
 * read once: days by model are of the same bars.
 */
export function paperEvidence(dir: string, onPaper: OnPaper, now: number): PaperEvidence {
  const path = join(dir, 'journal');
  if (!existsSync(path))
    throw new InputError(
      `${dir} has no journal`,
      'give the folder of a paper portfolio, such as .quorum/mine',
    );
  const { desk, deskHash, instruments, spoken = false } = onPaper;
  // of a model that does not say its bars, none is known
  const intervalMs = parseInterval(onPaper.interval) ?? Number.NaN;
  let header: PaperHeader | null = null;
  let desks: DesksOnPaper | null = null;
  const heard = new HeardBars(intervalMs);
  let speaks = !spoken;
  let hasSpoken = !spoken;
  for (const { kind, text } of readJournal(path)) {
    if (header === null) {
      header = headerOf(kind, text, dir);
      desks = new DesksOnPaper(header, onPaper);
      // names of desks stay what they are; hashes change with models
      if (deskHash === null && !desks.counted) break;
      continue;
    }
    if (kind === 'event' && text.startsWith('{"kind":"bar-closed"')) {
      const event = JSON.parse(text) as BarClosed;
      if (isNews(event)) desks!.heard(event.at);
      heard.hear(event, speaks ? desks!.countsWith : null);
    } else if (spoken && kind === 'note' && text.startsWith('{"note":"model-heard"')) {
      const note = JSON.parse(text) as ModelHeardNote;
      if (note.desk !== desk) continue;
      speaks = note.fault === null;
      hasSpoken ||= speaks;
      // of this very bar, which came before the word
      heard.told(note.instrument, note.at, speaks ? desks!.countsWith : null);
    } else desks!.take(kind, text);
  }
  if (desks !== null && !desks.counted) throw notOnPaper(dir, onPaper, header!);
  const modelDays = daysOf(heard, instruments, intervalMs);
  const told = {
    models: desks?.asked?.result(modelDays.byModel) ?? [],
    modelDays: desks?.asked?.namesModels === true ? modelDays : null,
  };
  const stamps = header === null ? ['no mode: no evidence'] : stampsOf(header);
  const spans = instruments.flatMap((instrument) => heard.spanOf(instrument) ?? []);
  if (spans.length === 0) {
    const note = hasSpoken ? 'no bar came live' : 'by the journal its model never spoke';
    const none = { value: null, note };
    return { figures: { paperDays: none, paperUptime: none }, stamps, ...told };
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
    ...told,
  };
}

function daysOf(heard: HeardBars, instruments: readonly string[], intervalMs: number): ModelDays {
  const ofBars = (bars: number) => (bars * intervalMs) / DAY / instruments.length;
  const byModel = new Map<string, number>();
  let all = 0;
  for (const instrument of instruments) {
    all += ofBars(heard.spanOf(instrument)?.bars ?? 0);
    for (const [id, bars] of heard.byModelOf(instrument))
      byModel.set(id, (byModel.get(id) ?? 0) + ofBars(bars));
  }
  return { all, byModel };
}

const ORDER = '["submit-order"';
const NOTES = ['{"note":"models"', '{"note":"fill"', '{"note":"trade"'];

/** A portfolio's desks as their models change, and whether what comes now is time on paper of the one that is asked about. */
class DesksOnPaper {
  /** Whether it is now, and with which models. */
  countsWith: CountsWith = null;
  /** The record of the desk that is asked about, once it is known which. */
  asked: ModelRecord | null = null;
  private readonly onPaper: OnPaper;
  private readonly desks = new Map<string, { hash: string; readonly record: ModelRecord }>();

  constructor({ desks }: PaperHeader, onPaper: OnPaper) {
    this.onPaper = onPaper;
    for (const { name, hash, models } of desks)
      this.desks.set(name, { hash, record: new ModelRecord(models) });
    this.look();
  }

  private look(): void {
    const { desk, deskHash } = this.onPaper;
    const found =
      deskHash === null
        ? this.desks.get(desk)
        : [...this.desks.values()].find(({ hash }) => hash === deskHash);
    this.asked = found?.record ?? this.asked;
    // a desk without its model decides nothing
    this.countsWith = found?.record.countsWith ?? null;
  }

  /** Whether the desk was ever there. */
  get counted(): boolean {
    return this.asked !== null;
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
      desk.record.changed(note);
      this.look();
    }
  }
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

function headerOf(kind: string, text: string, dir: string): PaperHeader {
  const header = kind === 'header' ? (JSON.parse(text) as PaperHeader) : null;
  if (header?.kind === 'paper') return header;
  throw new InputError(`${dir} is not the folder of a paper portfolio`, 'name one below the data directory');
}

function notOnPaper(dir: string, { desk, deskHash }: OnPaper, header: PaperHeader): InputError {
  const names = header.desks.map(({ name }) => name).join(', ');
  if (deskHash === null)
    return new InputError(
      `${desk} is not on paper in ${dir}, which trades ${names}`,
      'name the folder of the portfolio that has the desk of this model',
    );
  return new InputError(
    `${desk} with these parameters is not on paper in ${dir}, which trades ${names}`,
    'name the portfolio that trades exactly the desk of the run',
  );
}

/** Whether a bar came within an interval of its close: what was filled in later nobody traded. */
const isNews = ({ at, eventTime, intervalMs }: BarClosed): boolean => at - eventTime <= intervalMs;
