import WebSocket from 'ws';
import type { Chance } from '#base';
import { backoffMs, type FeedClock } from './feed-clock.ts';

export interface SocketOptions {
  readonly url: string;
  readonly clock: FeedClock;
  readonly chance: Chance;
  /** Without any message for so long, the connection is given up although the socket is open. */
  readonly silentMs: number;
  /** The connection is renewed at this age; the venue ends it at 24 h. */
  readonly ageMostMs: number;
  readonly connectMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMostMs: number;
  /** Sent first on every connection. */
  readonly greeting: () => string;
  readonly onOpen: () => void;
  readonly onMessage: (data: unknown) => void;
  readonly onDown: (reason: string) => void;
}

/** The largest message that is read. */
const PAYLOAD_MOST = 4 * 1024 * 1024;

/**
 * A WebSocket that comes back: after a drop, a refused handshake, silence with the socket open, or old age, with exponential
 * back-off and jitter. Says when it is up and when it is down; what was missed meanwhile is its user's to fetch.
 */
export class ReconnectingSocket {
  private readonly options: SocketOptions;
  private socket: WebSocket | null = null;
  private stopped = true;
  private attempt = 0;
  private up = false;
  private lastMessage = 0;
  private openedAt = 0;
  private cancelTimer: () => void = () => {};
  /** Connections opened and messages that could not be read. */
  connections = 0;
  unreadable = 0;

  constructor(options: SocketOptions) {
    this.options = options;
  }

  get isUp(): boolean {
    return this.up;
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    const { socket } = this;
    this.socket = null;
    this.up = false;
    socket?.removeAllListeners();
    socket?.on('error', () => {});
    socket?.terminate();
  }

  private connect(): void {
    const { clock, url, connectMs } = this.options;
    this.cancelTimer();
    const socket = new WebSocket(url, {
      maxPayload: PAYLOAD_MOST,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.socket = socket;
    this.cancelTimer = clock.later(connectMs, () => this.down(socket, 'no connection in time'));
    socket.on('open', () => {
      if (this.socket !== socket) return;
      this.cancelTimer();
      this.connections += 1;
      this.up = true;
      this.openedAt = clock.now();
      this.lastMessage = this.openedAt;
      socket.send(this.options.greeting());
      this.watch(socket);
      this.options.onOpen();
    });
    socket.on('message', (raw) => {
      if (this.socket !== socket) return;
      this.lastMessage = clock.now();
      const message = parsedMessage(raw as Buffer);
      if (message === undefined) {
        this.unreadable += 1;
        return;
      }
      this.attempt = 0;
      this.options.onMessage(message);
    });
    socket.on('error', (cause) => this.down(socket, cause.message));
    socket.on('close', (code) => this.down(socket, `closed (${code})`));
  }

  /** Looks again when silence or age could have become too long. */
  private watch(socket: WebSocket): void {
    const { clock, silentMs, ageMostMs } = this.options;
    const now = clock.now();
    if (now - this.lastMessage >= silentMs) {
      this.down(socket, `silent for ${silentMs} ms`);
      return;
    }
    if (now - this.openedAt >= ageMostMs) {
      this.down(socket, 'renewed at its age limit');
      return;
    }
    const pause = Math.min(this.lastMessage + silentMs, this.openedAt + ageMostMs) - now;
    this.cancelTimer = clock.later(Math.max(1, pause), () => {
      if (this.socket === socket) this.watch(socket);
    });
  }

  private down(socket: WebSocket, reason: string): void {
    if (this.socket !== socket) return;
    this.cancelTimer();
    this.socket = null;
    socket.removeAllListeners();
    // a socket that is cut off while connecting still reports an error
    socket.on('error', () => {});
    socket.terminate();
    const wasUp = this.up;
    this.up = false;
    if (wasUp || this.attempt === 0) this.options.onDown(reason);
    if (this.stopped) return;
    const { clock, chance, backoffBaseMs, backoffMostMs } = this.options;
    const pause = backoffMs(this.attempt, backoffBaseMs, backoffMostMs, chance.uniform());
    this.attempt += 1;
    this.cancelTimer = clock.later(pause, () => {
      if (!this.stopped) this.connect();
    });
  }
}

function parsedMessage(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return undefined;
  }
}
