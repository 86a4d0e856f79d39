import WebSocket from 'ws';
import type { Chance } from '#base';
import { backoffMs, type FeedClock } from '../../feeds/feed-clock.ts';
import { type SocketMessage, socketMessage } from './shapes.ts';

export interface EdgexSocketOptions {
  /** Called for each connection: the address carries the time. */
  readonly url: () => string;
  readonly headers?: () => Record<string, string>;
  readonly channels: readonly string[];
  readonly clock: FeedClock;
  readonly chance: Chance;
  /** The venue pings often; without any message for so long the connection is given up. */
  readonly silentMs: number;
  readonly connectMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMostMs: number;
  readonly onOpen: () => void;
  readonly onMessage: (message: SocketMessage) => void;
  readonly onDown: (reason: string) => void;
}

const PAYLOAD_MOST = 4 * 1024 * 1024;

/** A connection to edgeX that answers its pings, subscribes again after every drop, and says when it is up or down. */
export class EdgexSocket {
  private readonly options: EdgexSocketOptions;
  private socket: WebSocket | null = null;
  private stopped = true;
  private attempt = 0;
  private up = false;
  private cancelTimer: () => void = () => {};
  /** Messages of unknown shape. */
  malformed = 0;

  constructor(options: EdgexSocketOptions) {
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
    const { clock, connectMs, channels } = this.options;
    this.cancelTimer();
    const socket = new WebSocket(this.options.url(), {
      maxPayload: PAYLOAD_MOST,
      perMessageDeflate: false,
      followRedirects: false,
      headers: this.options.headers?.() ?? {},
    });
    this.socket = socket;
    this.cancelTimer = clock.later(connectMs, () => this.down(socket, 'no connection in time'));
    socket.on('open', () => {
      if (this.socket !== socket) return;
      this.up = true;
      for (const channel of channels) socket.send(JSON.stringify({ type: 'subscribe', channel }));
      this.watch(socket);
      this.options.onOpen();
    });
    socket.on('message', (raw) => {
      if (this.socket !== socket) return;
      this.watch(socket);
      this.receive(socket, raw as Buffer);
    });
    socket.on('error', (cause) => this.down(socket, cause.message));
    socket.on('close', (code) => this.down(socket, `closed (${code})`));
  }

  private receive(socket: WebSocket, raw: Buffer): void {
    const message = readMessage(raw);
    if (message === null) {
      this.malformed += 1;
      return;
    }
    if (message.type === 'ping') {
      socket.send(JSON.stringify({ type: 'pong', time: message.time }));
      return;
    }
    this.attempt = 0;
    this.options.onMessage(message);
  }

  /** Begins to wait for the next message anew. */
  private watch(socket: WebSocket): void {
    const { clock, silentMs } = this.options;
    this.cancelTimer();
    this.cancelTimer = clock.later(silentMs, () => this.down(socket, `silent for ${silentMs} ms`));
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

function readMessage(raw: Buffer): SocketMessage | null {
  let data: unknown;
  try {
    data = JSON.parse(raw.toString('utf8'));
  } catch {
    return null;
  }
  const read = socketMessage.safeParse(data);
  return read.success ? read.data : null;
}
