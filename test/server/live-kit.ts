import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { JournalFile } from '#adapters';
import { eventText } from '#engine';
import type { InstrumentId } from '#market';
import { type LiveMessage, liveMessage } from '../../src/apps/contract/index.ts';
import { controlPath } from '../../src/apps/runner/control.ts';
import type { Identified } from '../../src/apps/server/identity/index.ts';

export const SOMEBODY: Identified = {
  id: 'u',
  name: 'ada',
  role: 'viewer',
  scopes: ['read'],
  via: 'session',
  credential: 's',
  mustChange: false,
  secondFactor: false,
  version: 1,
  expiresAt: Number.POSITIVE_INFINITY,
};

/** A journal as the loop writes it, with entries that live clients see and others that they do not. */
export class WrittenJournal {
  readonly folder = mkdtempSync(join(tmpdir(), 'quorum-live-'));
  readonly path = join(this.folder, 'journal');
  /** Positions of the entries that become messages. */
  seen: number[] = [];
  private file: JournalFile;
  private n = 0;

  constructor(run = 'run-1') {
    this.file = this.create(run);
  }

  /** Appends and commits `count` entries; every third is one that nobody sees. */
  write(count: number): void {
    for (let i = 0; i < count; i++) {
      const n = this.n++;
      if (n % 3 === 2)
        this.file.append(
          'note',
          JSON.stringify({ note: 'safety', at: n, desk: 'd', layer: 'l', objection: {} }),
        );
      else if (n % 3 === 1) this.seen.push(this.file.append('event', barText(n)));
      else
        this.seen.push(
          this.file.append('note', JSON.stringify({ note: 'performance', at: n, equity: '1', trades: n })),
        );
    }
    this.file.commit({ durable: false });
  }

  /** Begins anew, as `--fresh` does. */
  again(run: string): void {
    this.file.close();
    rmSync(this.path);
    rmSync(`${this.path}.head`, { force: true });
    this.seen = [];
    this.file = this.create(run);
  }

  remove(): void {
    this.file.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private create(run: string): JournalFile {
    const file = JournalFile.create(this.path, { lock: false, headFile: 'none' });
    file.append('header', JSON.stringify({ kind: 'paper', runId: run }));
    file.commit({ durable: false });
    return file;
  }
}

function barText(n: number): string {
  const bar = { time: n, open: 1, high: 2, low: 0.5, close: 1.5, volume: n };
  return eventText({
    kind: 'bar-closed',
    at: n,
    eventTime: n,
    instrument: 'BTCUSDT.P@BINANCE' as InstrumentId,
    intervalMs: 60_000,
    bar,
  });
}

/** The server's end of a connection whose other end takes bytes when it is told to. */
export class SlowSocket extends EventEmitter {
  static readonly OPEN = 1;
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  mostBuffered = 0;
  pings = 0;
  closed: { code: number; why: string } | null = null;
  private waiting: Buffer[] = [];
  private readonly arrived: (message: LiveMessage) => void;

  constructor(arrived: (message: LiveMessage) => void) {
    super();
    this.arrived = arrived;
  }

  send(bytes: Buffer): void {
    this.waiting.push(bytes);
    this.bufferedAmount += bytes.length;
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedAmount);
  }

  /** The other end takes up to `bytes`. */
  take(bytes: number): void {
    for (let left = bytes; this.waiting.length > 0 && left > 0; ) {
      const next = this.waiting.shift()!;
      left -= next.length;
      this.bufferedAmount -= next.length;
      this.arrived(liveMessage.parse(JSON.parse(next.toString('utf8'))));
    }
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number, why: string): void {
    this.closed = { code, why };
    this.terminate();
  }

  terminate(): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.emit('close');
  }

  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

/** What a client of the feed makes of it: the sequence it has seen without a hole, across connections. */
export class Listener {
  run: string | null = null;
  last: number | null = null;
  /** Every `seq` that was seen since the newest reset or the first greeting. */
  seqs: number[] = [];
  resets: string[] = [];
  faults: string[] = [];
  types = new Set<string>();

  readonly hear = (message: LiveMessage): void => {
    this.types.add(message.type);
    if (message.type === 'hello') {
      if (this.last !== null && this.run === message.data.run && message.data.seq > this.last)
        this.gap = { from: this.last, to: message.data.seq };
      if (this.last === null || this.run !== message.data.run) this.last = message.data.seq;
      this.run = message.data.run;
    } else if (message.type === 'reset') {
      this.gap = null;
      this.resets.push(message.data.why);
      this.run = message.data.run;
      this.last = message.data.seq;
      this.seqs = [];
    } else if (message.seq !== null) {
      if (this.gap !== null) this.faults.push(`a hole from ${this.gap.from} to ${this.gap.to}`);
      if (message.prev !== this.last)
        this.faults.push(`${message.seq} follows ${message.prev}, not ${this.last}`);
      this.last = message.seq;
      this.seqs.push(message.seq);
    }
  };

  private gap: { from: number; to: number } | null = null;
}

/** Waits until something holds, however long the machine takes. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waits = 0; waits < 3_000; waits++) {
    if (holds()) return;
    await sleep(5);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** A loop that only answers on its control line. The real one may not be made in a thread of a test. */
export async function pretendedLoop(
  folder: string,
  answer: (question: { readonly ask: string }) => Readonly<Record<string, unknown>>,
): Promise<{ close: () => Promise<void> }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface(socket).on('line', (line) =>
      socket.write(`${JSON.stringify(answer(JSON.parse(line) as { ask: string }))}\n`),
    );
  });
  await new Promise<void>((done) => server.listen(controlPath(folder), done));
  return { close: () => new Promise((done) => server.close(() => done())) };
}
