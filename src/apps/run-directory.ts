import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '#adapters';
import { formatDecimal, InputError, stepsToText } from '#base';
import type { TraceLevel, TraceLine, TraceSink } from '#engine';
import { type BookId, bookKey, type Fill, type OrderState, type Trade } from '#ledger';
import type { Instrument, InstrumentId } from '#market';
import type { EquityCurve } from '#research';

const RUN_FILES = [
  'summary.json',
  'fills.csv',
  'trades.csv',
  'equity.csv',
  'decisions.jsonl',
  'journal',
  'inputs.json',
];

/** Lines of a text file gathered in memory and written in pieces. */
class TextFile {
  private readonly fd: number;
  private pending: string[] = [];
  private size = 0;

  constructor(path: string) {
    this.fd = openSync(path, 'w');
  }

  line(text: string): void {
    this.pending.push(text);
    this.size += text.length + 1;
    if (this.size > 1 << 18) this.flush();
  }

  private flush(): void {
    if (this.pending.length > 0) writeSync(this.fd, `${this.pending.join('\n')}\n`);
    this.pending = [];
    this.size = 0;
  }

  close(): void {
    this.flush();
    this.abandon();
  }

  /** Lets the file go without what is still in memory. */
  abandon(): void {
    closeSync(this.fd);
  }
}

const csv = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** Where a run is written until it is whole, below its directory. */
const UNFINISHED = '.unfinished';

/**
 * Writes a run's directory: the same bytes for the same inputs, no wall-clock figure inside. The files take their places
 * when all are written, so a run that fails leaves an earlier one as it was.
 */
export class RunDirectory implements TraceSink {
  /** Where the run is being written. */
  readonly path: string;
  private readonly target: string;
  readonly level: TraceLevel;
  private readonly fills: TextFile;
  private readonly trades: TextFile;
  private readonly decisions: TextFile | null;
  private readonly instrumentOf: (id: InstrumentId) => Instrument;

  constructor(path: string, level: TraceLevel, instrumentOf: (id: InstrumentId) => Instrument) {
    this.target = path;
    this.path = prepare(path);
    this.level = level;
    this.instrumentOf = instrumentOf;
    this.fills = new TextFile(join(this.path, 'fills.csv'));
    this.fills.line('time,desk,book,instrument,side,quantity,price,fee,liquidity,orderId,reason');
    this.trades = new TextFile(join(this.path, 'trades.csv'));
    this.trades.line(
      'id,desk,book,instrument,direction,openedAt,closedAt,quantity,entryPrice,exitPrice,realised,fees,funding,net,exitReason,shadow',
    );
    this.decisions = level === 'none' ? null : new TextFile(join(this.path, 'decisions.jsonl'));
    if (this.decisions === null) writeFileSync(join(this.path, 'decisions.jsonl'), '');
  }

  line(line: TraceLine): void {
    this.decisions?.line(JSON.stringify(line));
  }

  fill(fill: Fill, order: OrderState | null, book: BookId, reason: string, time: number): void {
    const instrument = this.instrumentOf(fill.instrument);
    const cells = [
      String(time),
      bookKey(book).desk,
      book,
      fill.instrument,
      fill.side,
      stepsToText(fill.lots, instrument.lot),
      stepsToText(fill.ticks, instrument.tick),
      formatDecimal(fill.fee, instrument.minorScale),
      fill.liquidity,
      order?.request.clientId ?? fill.clientId,
      reason,
    ];
    this.fills.line(cells.map(csv).join(','));
  }

  trade(trade: Trade, shadow: boolean): void {
    const instrument = this.instrumentOf(trade.instrument);
    const money = (minor: number) => formatDecimal(minor, instrument.minorScale);
    const cells = [
      trade.id,
      bookKey(trade.book).desk,
      trade.book,
      trade.instrument,
      trade.direction === 1 ? 'long' : 'short',
      String(trade.openedAt),
      String(trade.closedAt),
      stepsToText(trade.lots, instrument.lot),
      String(trade.entryPrice),
      String(trade.exitPrice),
      money(trade.realised),
      money(trade.fees),
      money(trade.funding),
      money(trade.net),
      trade.exitReason,
      String(shadow),
    ];
    this.trades.line(cells.map(csv).join(','));
  }

  finish(curve: EquityCurve, minorScale: number, summary: Record<string, unknown>, inputs: unknown): void {
    this.fills.close();
    this.trades.close();
    this.decisions?.close();
    const equity = new TextFile(join(this.path, 'equity.csv'));
    equity.line('time,equity');
    for (let i = 0; i < curve.times.length; i++) {
      equity.line(`${curve.times[i]},${formatDecimal(curve.equities[i]!, minorScale)}`);
    }
    equity.close();
    writeFileSync(join(this.path, 'inputs.json'), `${JSON.stringify(inputs, null, 2)}\n`);
    writeFileSync(join(this.path, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    const written = readdirSync(this.path);
    for (const name of written) renameSync(join(this.path, name), join(this.target, name));
    rmdirSync(this.path);
    // what an earlier run had and this one has not
    for (const name of KNOWN) {
      if (!written.includes(name))
        rmSync(join(this.target, name), { force: true, recursive: name === STUDY });
    }
  }

  /** Takes away what was written of a run that failed. */
  abandon(): void {
    for (const file of [this.fills, this.trades, this.decisions]) file?.abandon();
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What an earlier run's parts were worth: `quorum worth` writes it, and it goes with that run. */
const STUDY = 'worth';

/** What `quorum passport` writes of a run; it goes with that run. */
const PASSPORT = 'passport.json';

/** What `quorum report` writes where nothing else is said, and pictures of it. */
const REPORT = ['report.html', 'report.png'];

const KNOWN = new Set([
  ...RUN_FILES,
  PASSPORT,
  `${PASSPORT}.part`,
  ...REPORT,
  ...REPORT.map((name) => `${name}.part`),
  'journal.head',
  'journal.side',
  'journal.lock',
  UNFINISHED,
  STUDY,
]);

/** Files of such a study; its folder is only thrown away when it holds nothing else. */
const STUDY_FILES = /^(worth\.json|worth\.csv|trades\.csv|worth\.unfinished)(\.part)?$|^worth\.lock/;

const isStudy = (path: string): boolean =>
  !existsSync(path) ||
  (statSync(path).isDirectory() && readdirSync(path).every((name) => STUDY_FILES.test(name)));

/** An empty or earlier run's directory may be used; anything else is left alone. Returns the folder to write in. */
function prepare(path: string): string {
  makeFolder(path);
  const strange =
    readdirSync(path).find((name) => !KNOWN.has(name)) ?? (isStudy(join(path, STUDY)) ? undefined : STUDY);
  if (strange !== undefined) {
    throw new InputError(
      `${path} holds something that is not a run's (${strange})`,
      'choose an empty or new directory with --out',
    );
  }
  const unfinished = join(path, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  return unfinished;
}
