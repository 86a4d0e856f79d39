import type { WebSocket } from 'ws';
import type { Identified } from '../identity/index.ts';
import type { LiveStream } from './live-stream.ts';

/** Bytes that may wait for a client; what comes then is read again once it has taken these. */
export const WAITING_MOST = 1024 * 1024;
const WAITING_LOW = 256 * 1024;

/** What is the same for all portfolios, such as the progress of jobs: the newest of each name. */
export interface Announcements {
  /** How many there were. */
  readonly count: number;
  /** Those behind the first `after`, oldest first. */
  since(after: number): readonly { readonly type: 'job'; readonly data: unknown }[];
}

/**
 * One live client. It has no queue: it stands at a place of the stream, and gets what is behind that place as long as it
 * takes it. So a slow client costs a number and never more than {@link WAITING_MOST} and one message.
 */
export class LiveClient {
  readonly who: Identified;
  readonly stream: LiveStream;
  /** False since the last ping until the answer. */
  isAlive = true;
  private readonly socket: WebSocket;
  private readonly announcements: Announcements;
  private readonly now: () => number;
  private wanted: { readonly after: number | null; readonly run: string | null };
  /** Number of the next message; null before the greeting. */
  private next: number | null = null;
  private generation = -1;
  private snapshots = 0;
  private announced: number;
  private waits = false;

  constructor(options: {
    socket: WebSocket;
    who: Identified;
    stream: LiveStream;
    announcements: Announcements;
    after: number | null;
    run: string | null;
    now: () => number;
  }) {
    this.socket = options.socket;
    this.who = options.who;
    this.stream = options.stream;
    this.announcements = options.announcements;
    this.announced = options.announcements.count;
    this.wanted = { after: options.after, run: options.run };
    this.now = options.now;
  }

  /** Sends what the client has not got and can take. */
  pump(): void {
    const { socket, stream } = this;
    if (socket.readyState !== socket.OPEN || this.waits || stream.run === null) return;
    if (this.next === null) this.greet(stream.run);
    else if (this.generation !== stream.generation) this.reset(stream.run, 'the journal began anew');
    let next = this.next!;
    if (next < stream.ring.begin) next = this.reset(stream.run, 'too slow');
    while (next < stream.ring.end && this.hasRoom()) {
      socket.send(stream.ring.at(next).bytes, { binary: false });
      next += 1;
    }
    this.next = next;
    if (next === stream.ring.end) this.sendUnsequenced();
    if (!this.hasRoom()) this.waitForRoom();
  }

  ping(): void {
    this.isAlive = false;
    this.socket.ping();
  }

  close(code: number, why: string): void {
    this.socket.close(code, why);
    // one that does not answer a goodbye is cut off
    setTimeout(() => this.socket.terminate(), 2_000).unref();
  }

  terminate(): void {
    this.socket.terminate();
  }

  private greet(run: string): void {
    const { standing, why } = this.stream.place(this.wanted.after, this.wanted.run);
    const hello = { run, seq: standing.seen, serverTime: this.now() };
    this.socket.send(this.stream.unsequenced('hello', hello), { binary: false });
    this.next = standing.next;
    this.generation = this.stream.generation;
    if (why !== null) this.reset(run, why);
  }

  /** The client has to fetch everything; it goes on with what happens from now on. */
  private reset(run: string, why: string): number {
    const { next, seen } = this.stream.ring.now();
    this.socket.send(this.stream.unsequenced('reset', { run, seq: seen, why }), { binary: false });
    this.next = next;
    this.generation = this.stream.generation;
    return next;
  }

  private sendUnsequenced(): void {
    const { snapshot } = this.stream;
    if (snapshot !== null && snapshot.count !== this.snapshots && this.hasRoom()) {
      this.socket.send(snapshot.bytes, { binary: false });
      this.snapshots = snapshot.count;
    }
    if (this.announced === this.announcements.count || !this.hasRoom()) return;
    for (const { type, data } of this.announcements.since(this.announced))
      this.socket.send(this.stream.unsequenced(type, data), { binary: false });
    this.announced = this.announcements.count;
  }

  private hasRoom(): boolean {
    return this.socket.bufferedAmount < WAITING_MOST;
  }

  /** Goes on once the client has taken most of what waits for it. */
  private waitForRoom(): void {
    this.waits = true;
    const look = () => {
      if (this.socket.readyState !== this.socket.OPEN) return;
      if (this.socket.bufferedAmount > WAITING_LOW) {
        setTimeout(look, 20).unref();
        return;
      }
      this.waits = false;
      this.pump();
    };
    setTimeout(look, 20).unref();
  }
}
