import type { LiveMessage, LiveType } from '@contract';
import { useEffect, useEffectEvent } from 'react';
import { createStore, useStore } from './store.ts';

type Of<T extends LiveType> = Extract<LiveMessage, { readonly type: T }>;
type Told = (message: LiveMessage) => void;

export interface LiveState {
  readonly state: 'off' | 'connecting' | 'open' | 'lost';
  /** When something was last heard; null before the first. */
  readonly heardAt: number | null;
  readonly retryAt: number | null;
  readonly received: number;
  /** Messages whose `prev` was not the last `seq`: something was missed and everything was asked for again. */
  readonly gaps: number;
  readonly duplicates: number;
  readonly resets: number;
  readonly reconnects: number;
  /** Journal position up to which this client knows everything. */
  readonly seq: number | null;
  readonly run: string | null;
}

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 15_000;
/** A connection that is silent for so long counts as lost: the server sends a status every second or so. */
const SILENCE_MS = 45_000;
const TELL_MS = 250;

const nothing: LiveState = {
  state: 'off',
  heardAt: null,
  retryAt: null,
  received: 0,
  gaps: 0,
  duplicates: 0,
  resets: 0,
  reconnects: 0,
  seq: null,
  run: null,
};

/**
 * One connection to the live feed, kept for as long as the console is open. It resumes after the last message it saw,
 * checks that each message follows on the one before, and has everything asked for again (`onGap`) when one does not.
 */
export class LiveFeed {
  readonly store = createStore<LiveState>(nothing);
  onGap: () => void = () => {};
  private now: LiveState = nothing;
  private socket: WebSocket | null = null;
  private portfolio: string | null = null;
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private silence: ReturnType<typeof setTimeout> | null = null;
  private telling: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners = new Map<string, Set<Told>>();

  /** Listens to one type of message, or to `*`. Gives back how to stop. */
  on(type: LiveType | '*', told: Told): () => void {
    const set = this.listeners.get(type) ?? new Set<Told>();
    this.listeners.set(type, set);
    set.add(told);
    return () => set.delete(told);
  }

  open(portfolio: string): void {
    if (this.portfolio === portfolio && this.now.state !== 'off') return;
    this.close();
    this.portfolio = portfolio;
    this.change({ ...nothing, state: 'connecting' }, true);
    this.connect();
  }

  close(): void {
    this.portfolio = null;
    this.drop();
    this.change(nothing, true);
  }

  /** Tries at once, as after the network came back. */
  hurry(): void {
    if (this.portfolio === null || this.now.state === 'open') return;
    this.failures = 0;
    this.drop();
    this.connect();
  }

  /** The network is gone: an open socket may not have noticed yet. */
  suspect(): void {
    if (this.portfolio !== null && this.now.state !== 'lost') this.lose();
  }

  private drop(): void {
    if (this.retry !== null) clearTimeout(this.retry);
    if (this.silence !== null) clearTimeout(this.silence);
    this.retry = null;
    this.silence = null;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private connect(): void {
    const query = new URLSearchParams({ portfolio: this.portfolio! });
    if (this.now.seq !== null && this.now.run !== null) {
      query.set('after', String(this.now.seq));
      query.set('run', this.now.run);
    }
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live-feed?${query}`);
    this.socket = socket;
    this.listenForSilence();
    socket.onmessage = (event) => this.hear(String(event.data));
    socket.onclose = () => this.lose();
  }

  private lose(): void {
    this.drop();
    this.failures += 1;
    const wait = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** (this.failures - 1));
    const spread = wait * (0.75 + Math.random() / 2);
    this.change({ state: 'lost', retryAt: Date.now() + spread }, true);
    this.retry = setTimeout(() => this.connect(), spread);
  }

  private listenForSilence(): void {
    if (this.silence !== null) clearTimeout(this.silence);
    this.silence = setTimeout(() => this.lose(), SILENCE_MS);
  }

  private hear(text: string): void {
    let message: LiveMessage;
    try {
      message = JSON.parse(text) as LiveMessage;
    } catch {
      return;
    }
    this.listenForSilence();
    const heard = { heardAt: Date.now(), received: this.now.received + 1 };
    if (message.type === 'hello') this.greet(message, heard);
    else if (message.type === 'reset') {
      const { run, seq } = message.data;
      this.change({ ...heard, run, seq, resets: this.now.resets + 1 });
      this.onGap();
    } else if (message.seq === null) this.change(heard);
    else if (!this.follow(message.seq, message.prev, heard)) return;
    for (const tell of this.listeners.get(message.type) ?? []) tell(message);
    for (const tell of this.listeners.get('*') ?? []) tell(message);
  }

  private greet(message: Of<'hello'>, heard: Pick<LiveState, 'heardAt' | 'received'>): void {
    const { run, seq } = message.data;
    const before = this.now;
    const first = before.run === null;
    const resumed = before.run === run && before.seq === seq;
    this.failures = 0;
    this.change(
      {
        ...heard,
        state: 'open',
        retryAt: null,
        run,
        seq,
        reconnects: before.reconnects + (first ? 0 : 1),
        gaps: before.gaps + (first || resumed ? 0 : 1),
      },
      true,
    );
    if (!first) this.onGap();
  }

  /** False: the message was seen before. */
  private follow(seq: number, prev: number | null, heard: Pick<LiveState, 'heardAt' | 'received'>): boolean {
    const last = this.now.seq;
    if (last !== null && seq <= last && prev !== last) {
      this.change({ ...heard, duplicates: this.now.duplicates + 1 });
      return false;
    }
    const missed = last !== null && prev !== last;
    this.change({ ...heard, seq, gaps: this.now.gaps + (missed ? 1 : 0) });
    if (missed) this.onGap();
    return true;
  }

  /** The store is told a few times a second: counts change with every message. */
  private change(next: Partial<LiveState>, atOnce = false): void {
    this.now = { ...this.now, ...next };
    if (atOnce) {
      if (this.telling !== null) clearTimeout(this.telling);
      this.telling = null;
      this.store.set(this.now);
      return;
    }
    this.telling ??= setTimeout(() => {
      this.telling = null;
      this.store.set(this.now);
    }, TELL_MS);
  }
}

export const live = new LiveFeed();

export function useLiveState(): LiveState {
  return useStore(live.store);
}

/** Hands every message of a type to `told` while the component is on the screen. */
export function useLive<T extends LiveType>(type: T, told: (message: Of<T>) => void): void {
  const tell = useEffectEvent(told);
  useEffect(() => live.on(type, (message) => tell(message as Of<T>)), [type]);
}
