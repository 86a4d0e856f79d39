import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { formatDecimal, InputError, stepsToText } from '#base';
import type { TraceLevel, TraceLine, TraceSink } from '#engine';
import { bookKey, type Fill, type OrderState, type Trade } from '#ledger';
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
    closeSync(this.fd);
  }
}

const csv = (value: string) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** Writes a run's directory while it runs: the same bytes for the same inputs, no wall-clock figure inside. */
export class RunDirectory implements TraceSink {
  readonly path: string;
  readonly level: TraceLevel;
  private readonly fills: TextFile;
  private readonly trades: TextFile;
  private readonly decisions: TextFile | null;
  private readonly instrumentOf: (id: InstrumentId) => Instrument;

  constructor(path: string, level: TraceLevel, instrumentOf: (id: InstrumentId) => Instrument) {
    this.path = path;
    this.level = level;
    this.instrumentOf = instrumentOf;
    prepare(path);
    this.fills = new TextFile(join(path, 'fills.csv'));
    this.fills.line('time,desk,book,instrument,side,quantity,price,fee,liquidity,orderId,reason');
    this.trades = new TextFile(join(path, 'trades.csv'));
    this.trades.line(
      'id,desk,book,instrument,direction,openedAt,closedAt,quantity,entryPrice,exitPrice,realised,fees,funding,net,exitReason,shadow',
    );
    this.decisions = level === 'none' ? null : new TextFile(join(path, 'decisions.jsonl'));
    if (this.decisions === null) writeFileSync(join(path, 'decisions.jsonl'), '');
  }

  line(line: TraceLine): void {
    this.decisions?.line(JSON.stringify(line));
  }

  fill(fill: Fill, order: OrderState | null, book: string, reason: string, time: number): void {
    const instrument = this.instrumentOf(fill.instrument);
    const cells = [
      String(time),
      book.split('/')[1]!,
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
  }
}

/** An empty or earlier run's directory may be used; anything else is left alone. */
function prepare(path: string): void {
  mkdirSync(path, { recursive: true });
  const known = new Set([...RUN_FILES, 'journal.head', 'journal.side', 'journal.lock']);
  const strange = readdirSync(path).find((name) => !known.has(name));
  if (strange !== undefined) {
    throw new InputError(
      `${path} holds something that is not a run's (${strange})`,
      'choose an empty or new directory with --out',
    );
  }
  for (const name of known) rmSync(join(path, name), { force: true });
}
