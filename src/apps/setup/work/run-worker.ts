import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  clearQueues,
  type Piece,
  PieceCache,
  type RedisAddress,
  RedisLink,
  WorkBoard,
  type WorkDocument,
  WorkTaker,
} from '#adapters';
import { InputError } from '#base';
import { reckonerHash } from '../code-hash.ts';
import type { ReadyWork, WorkKind } from './work-kind.ts';

export interface WorkerSettings {
  /** All sorts of work it can do, by the name that documents give. */
  readonly kinds: Readonly<Record<string, WorkKind>>;
  readonly address: RedisAddress;
  readonly threads: number;
  /** Folder for data and desks that came. */
  readonly cache: string;
  readonly runsDeskFiles: boolean;
  /** Ends the worker; what it has not done goes back. */
  readonly signal: AbortSignal;
  /** One line for people. */
  readonly onNote: (note: string) => void;
}

/** What a worker did of one work. */
export interface DoneWork {
  readonly title: string;
  parts: number;
  /** Pieces of data that came through Redis; the others lay in the cache. */
  fetched: number;
}

const LOOK_MS = 500;
const SIGN_IN_MS = 5_000;
const TIDY_MS = 60_000;
/** A work that has nothing to give for this long makes way for another. */
const IDLE_MS = 1_500;
/** A work whose giver is gone is left after this, whatever is being played. */
const GONE_MS = 5_000;
/** A work that was refused is looked at again after this. */
const REFUSED_MS = 5_000;

/** Does whatever work there is, one work at a time, until it is told to stop. Throws UnreachableError without Redis. */
export async function runWorker(settings: WorkerSettings): Promise<readonly DoneWork[]> {
  const link = await RedisLink.connect(settings.address);
  const worker = new WorkerLife(link, settings);
  try {
    await worker.live();
    return worker.done;
  } finally {
    link.close();
  }
}

class WorkerLife {
  private readonly doneOf = new Map<string, DoneWork>();
  private readonly id = randomUUID();
  private readonly link: RedisLink;
  private readonly settings: WorkerSettings;
  private readonly board: WorkBoard;
  private readonly cache: PieceCache;
  private readonly told = new Set<string>();
  /** When a work that cannot be done here was last looked at. */
  private readonly refusedAt = new Map<string, number>();
  private signedInAt = -Infinity;
  private tidiedAt = -Infinity;
  private wasAway = false;

  constructor(link: RedisLink, settings: WorkerSettings) {
    this.link = link;
    this.settings = settings;
    this.board = new WorkBoard(link.client);
    this.cache = new PieceCache(settings.cache);
  }

  get done(): readonly DoneWork[] {
    return [...this.doneOf.values()].filter(({ parts }) => parts > 0);
  }

  async live(): Promise<void> {
    const { signal } = this.settings;
    let last: string | null = null;
    while (!signal.aborted) {
      const works: readonly string[] = (await this.patiently(this.look())) ?? [];
      // the one after the last, so that several works take turns
      const next: string | undefined = works[(works.indexOf(last ?? '') + 1) % works.length];
      if (next === undefined) await this.pause();
      else {
        last = next;
        if (!(await this.take(next))) await this.pause();
      }
    }
    const leave = this.board.signOut(this.id).catch(() => {});
    await Promise.race([leave, sleep(1_000, null, { ref: false })]);
  }

  private pause(): Promise<unknown> {
    return sleep(LOOK_MS, null, { signal: this.settings.signal }).catch(() => null);
  }

  private patiently<T>(commands: Promise<T>): Promise<T | null> {
    return this.link.patiently(commands, this.settings.signal);
  }

  /** Says that it lives, and which works it might take part in. */
  private async look(): Promise<string[]> {
    const now = Date.now();
    if (now - this.signedInAt > SIGN_IN_MS) {
      this.signedInAt = now;
      const { threads } = this.settings;
      await this.board.signIn(this.id, {
        program: reckonerHash(),
        host: hostname().slice(0, 200),
        pid: process.pid,
        threads,
      });
    }
    if (now - this.tidiedAt > TIDY_MS) {
      this.tidiedAt = now;
      const forgotten = await this.board.forgotten(now);
      await clearQueues(this.link, forgotten);
      for (const work of forgotten) await this.board.withdraw(work);
    }
    const works = await this.board.works();
    return works.filter((work) => now - (this.refusedAt.get(work) ?? -Infinity) > REFUSED_MS);
  }

  /** Takes part in one work until it has no more to give; false when it did not come to that. */
  private async take(work: string): Promise<boolean> {
    const document = await this.patiently(this.board.read(work));
    if (document === null) return false;
    if (document === 'damaged') {
      return this.refuse(work, 'a work that stands in Redis', 'its description is damaged');
    }
    let ready: ReadyWork | null;
    const fetchedBefore = this.cache.fetched;
    try {
      ready = await this.prepare(document);
    } catch (error) {
      if (this.settings.signal.aborted) return false;
      const { message } = error as Error;
      return this.refuse(work, document.title, message);
    }
    if (ready === null) {
      if (!this.settings.signal.aborted) this.tellOnce(`${document.title}: waiting for its data`);
      return false;
    }
    await this.patiently(this.board.refuse(work, this.id, null));
    const done = this.doneOf.get(work) ?? { title: document.title, parts: 0, fetched: 0 };
    this.doneOf.set(work, done);
    done.fetched += this.cache.fetched - fetchedBefore;
    const before = done.parts;
    this.settings.onNote(`${document.title}: taking part with ${this.settings.threads} threads`);
    const reading = ready;
    const taker = await WorkTaker.start(this.link, {
      work,
      room: reading.room,
      play: (item) => reading.play(item),
      onDone: () => {
        done.parts += 1;
      },
      isBroken: () => reading.isBroken,
    });
    try {
      await this.stay(work, taker, reading);
    } finally {
      await taker.close(() => reading.close());
    }
    this.settings.onNote(`${document.title}: ${done.parts - before} parts done`);
    return true;
  }

  /** While there is something to do in it, or nothing elsewhere. */
  private async stay(work: string, taker: WorkTaker, ready: ReadyWork): Promise<void> {
    const { signal } = this.settings;
    let overSince: number | null = null;
    while (!signal.aborted) {
      await this.pause();
      this.tellWhetherAway();
      if (ready.isBroken) return this.settings.onNote('a thread ended by itself; beginning anew');
      const others = await this.patiently(this.look());
      const isThere = await this.patiently(this.board.isThere(work));
      if (others === null || isThere === null) return;
      const now = Date.now();
      const idleMs = taker.idleSince === null ? 0 : now - taker.idleSince;
      // a Redis that was emptied gets the work again from its giver
      overSince = isThere ? null : (overSince ?? now);
      if (overSince !== null && (idleMs > 0 || now - overSince > GONE_MS)) return;
      if (idleMs > IDLE_MS && others.length > 1) return;
    }
  }

  private tellWhetherAway(): void {
    if (this.link.isAway === this.wasAway) return;
    this.wasAway = this.link.isAway;
    const state = this.wasAway ? 'is away; waiting for it' : 'is there again';
    this.settings.onNote(`Redis at ${this.link.shown} ${state}`);
  }

  private async prepare(document: WorkDocument): Promise<ReadyWork | null> {
    if (document.program !== reckonerHash()) {
      throw new InputError(
        'it belongs to another version of the program or of Node.js',
        'install the same versions on every machine',
      );
    }
    const { kinds } = this.settings;
    const kind = Object.hasOwn(kinds, document.kind) ? kinds[document.kind] : undefined;
    if (kind === undefined) throw new InputError(`"${document.kind}" is no work it knows`, 'update it');
    const { threads, cache, runsDeskFiles } = this.settings;
    const fetch = (pieces: readonly Piece[]) => this.patiently(this.fetch(pieces));
    return kind.prepare(document, { threads, cache, runsDeskFiles, fetch });
  }

  private async fetch(pieces: readonly Piece[]): Promise<SharedArrayBuffer | null> {
    const block = new SharedArrayBuffer(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
    let at = 0;
    for (const piece of pieces) {
      const bytes = await this.cache.get(this.link.client, piece);
      if (bytes === null || bytes.length !== piece.bytes) return null;
      new Uint8Array(block, at).set(bytes);
      at += bytes.length;
    }
    return block;
  }

  private async refuse(work: string, title: string, why: string): Promise<false> {
    this.refusedAt.set(work, Date.now());
    this.tellOnce(`${title}: not taking part: ${why}`);
    await this.patiently(this.board.refuse(work, this.id, `${hostname()}: ${why}`));
    return false;
  }

  private tellOnce(note: string): void {
    if (this.told.has(note)) return;
    this.told.add(note);
    this.settings.onNote(note);
  }
}
