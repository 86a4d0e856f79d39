import { join } from 'node:path';
import type { WebSocket } from 'ws';
import type { LiveMessage } from '../../contract/index.ts';
import type { Status } from '../../runner/status.ts';
import type { Portfolios } from '../context.ts';
import { netOf } from '../data/decimals.ts';
import { CURRENT_MS, endsFor, type Identified, type Identity } from '../identity/index.ts';
import { type Announcements, LiveClient } from './live-client.ts';
import { LiveStream } from './live-stream.ts';

/** Codes with which a live connection ends. */
export const CLOSE = {
  badInput: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  notFound: 4404,
  full: 1013,
  going: 1001,
} as const;

export const CLIENTS_MOST = 500;
/** Of one user, so that nobody takes the places of all others. */
export const CLIENTS_OF_ONE = 300;
const HEARTBEAT_MS = 20_000;
const SNAPSHOT_MS = 500;
const ANNOUNCED_MOST = 200;

/** Narrower ones are for tests. */
export interface LiveLimits {
  readonly behindMost?: number;
  readonly heartbeatMs?: number;
}

export interface HubOptions extends LiveLimits {
  readonly portfolios: Portfolios;
  readonly identity: Identity;
  readonly now: () => number;
  readonly onTrouble: (what: string, error: Error) => void;
}

/** What a client asks for when it connects. */
export interface LiveRequest {
  readonly portfolio: string;
  /** The last message it saw, of which run; null for none. */
  readonly after: number | null;
  readonly run: string | null;
}

/** The live clients of all portfolios. A portfolio is watched from its first client on. */
export class LiveHub {
  private readonly options: HubOptions;
  private readonly streams = new Map<string, LiveStream>();
  private readonly clients = new Set<LiveClient>();
  private readonly announced = new AnnouncedJobs();
  private readonly timers: NodeJS.Timeout[];
  private readonly stopListening: () => void;
  private asking = false;

  constructor(options: HubOptions) {
    this.options = options;
    const { identity, heartbeatMs = HEARTBEAT_MS } = options;
    this.timers = [
      setInterval(() => this.heartbeat(), heartbeatMs).unref(),
      setInterval(() => this.checkWho(), CURRENT_MS).unref(),
      setInterval(() => void this.lookAtStatus(), SNAPSHOT_MS).unref(),
    ];
    this.stopListening = identity.endings.listen((ended) => {
      for (const client of this.clients)
        if (endsFor(ended, client.who)) client.close(CLOSE.unauthenticated, 'the session has ended');
    });
  }

  get size(): number {
    return this.clients.size;
  }

  /** Takes a connection of somebody who may see the portfolio. */
  connect(socket: WebSocket, who: Identified, { portfolio, after, run }: LiveRequest): void {
    if (this.clients.size >= CLIENTS_MOST) {
      socket.close(CLOSE.full, `there are ${CLIENTS_MOST} live clients already`);
      return;
    }
    let own = 0;
    for (const client of this.clients) if (client.who.id === who.id) own += 1;
    if (own >= CLIENTS_OF_ONE) {
      socket.close(CLOSE.full, `you have ${CLIENTS_OF_ONE} live clients already`);
      return;
    }
    const { now } = this.options;
    const stream = this.streamOf(portfolio);
    const announcements = this.announced;
    const client = new LiveClient({ socket, who, stream, announcements, after, run, now });
    this.clients.add(client);
    socket.on('pong', () => (client.isAlive = true));
    socket.on('close', () => this.clients.delete(client));
    socket.on('error', () => client.terminate());
    client.pump();
    void this.lookAtStatus();
  }

  /** Tells every client about something of the server; of one job only the newest counts. */
  announce(message: { readonly type: 'job'; readonly data: unknown }): void {
    this.announced.put(message);
    for (const client of this.clients) client.pump();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.stopListening();
    for (const client of this.clients) client.close(CLOSE.going, 'the server ends');
    await Promise.all([...this.streams.values()].map((stream) => stream.close()));
  }

  private streamOf(portfolio: string): LiveStream {
    const known = this.streams.get(portfolio);
    if (known !== undefined) return known;
    const { portfolios, onTrouble, behindMost } = this.options;
    const stream = new LiveStream({
      portfolio,
      journal: join(portfolios.folder(portfolio), 'journal'),
      onNews: () => this.pumpAll(portfolio),
      onTrouble: (what, error) => onTrouble(`live feed of ${portfolio}, ${what}`, error),
      ...(behindMost === undefined ? {} : { behindMost }),
    });
    this.streams.set(portfolio, stream);
    return stream;
  }

  private pumpAll(portfolio: string): void {
    for (const client of this.clients) if (client.stream.portfolio === portfolio) client.pump();
  }

  private heartbeat(): void {
    for (const client of this.clients) {
      if (client.isAlive) client.ping();
      else client.terminate();
    }
  }

  /** Rights may end in another process, and by time alone. */
  private checkWho(): void {
    const { identity, now } = this.options;
    try {
      for (const client of this.clients)
        if (now() >= (client.who.expiresAt ?? Number.POSITIVE_INFINITY) || !identity.isCurrent(client.who))
          client.close(CLOSE.unauthenticated, 'the session has ended');
    } catch (error) {
      // a file of the console that cannot be read for a moment must not end the server
      this.options.onTrouble('who may still listen', error as Error);
    }
  }

  private async lookAtStatus(): Promise<void> {
    if (this.asking || this.clients.size === 0) return;
    this.asking = true;
    try {
      const watched = new Set([...this.clients].map(({ stream }) => stream));
      await Promise.all([...watched].map((stream) => this.tellStatus(stream)));
    } catch (error) {
      this.options.onTrouble('status', error as Error);
    } finally {
      this.asking = false;
    }
  }

  private async tellStatus(stream: LiveStream): Promise<void> {
    const answer = await this.options.portfolios.ask(stream.portfolio, { ask: 'status' }, 2_000);
    const data = answer?.ok === true ? statusUpdate(answer.status as Status) : stream.withoutLoop();
    if (data !== null && stream.tell(data)) this.pumpAll(stream.portfolio);
  }
}

export type StatusUpdate = Extract<LiveMessage, { type: 'status_update' }>['data'];

function statusUpdate(status: Status): StatusUpdate {
  return {
    is_running: status.running,
    balance: status.cash,
    open_positions: status.positions.length,
    total_pnl: netOf(status),
    equity: status.equity,
    day_change: status.dayChange,
    at: status.at,
    breaker: (status.breaker?.state ?? null) as StatusUpdate['breaker'],
    feed: status.feed,
  };
}

/** Announced jobs, the newest state of each. */
class AnnouncedJobs implements Announcements {
  count = 0;
  private entries: { readonly n: number; readonly type: 'job'; readonly data: unknown }[] = [];

  put({ type, data }: { readonly type: 'job'; readonly data: unknown }): void {
    this.count += 1;
    const { id } = data as { id?: unknown };
    this.entries = this.entries.filter((entry) => (entry.data as { id?: unknown }).id !== id);
    this.entries.push({ n: this.count, type, data });
    if (this.entries.length > ANNOUNCED_MOST) this.entries.shift();
  }

  since(after: number) {
    return this.entries.filter(({ n }) => n > after);
  }
}
