import type { LiveMessage } from '@contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveFeed } from './live.ts';

/** A socket that says what the test says. */
class Socket {
  static last: Socket;
  readonly url: string;
  closed = false;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(url: string) {
    this.url = url;
    Socket.last = this;
  }

  close(): void {
    this.closed = true;
  }

  say(type: string, seq: number | null, prev: number | null, data: object = {}): void {
    this.onmessage?.({ data: JSON.stringify({ type, seq, prev, portfolio: 'p', data }) });
  }

  hello(seq: number, run = 'r'): void {
    this.say('hello', null, null, { run, seq, serverTime: 0 });
  }
}

let feed: LiveFeed;
let heard: LiveMessage[];
let gaps: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', Socket);
  vi.stubGlobal('location', { protocol: 'http:', host: 'here' });
  feed = new LiveFeed();
  heard = [];
  gaps = 0;
  feed.onGap = () => {
    gaps += 1;
  };
  feed.on('order', (message) => heard.push(message));
  feed.open('p');
});

afterEach(() => {
  feed.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const state = () => {
  vi.advanceTimersByTime(300);
  return feed.store.get();
};

describe('the live feed', () => {
  it('follows messages that follow on each other', () => {
    Socket.last.hello(10);
    Socket.last.say('order', 12, 10);
    Socket.last.say('order', 12, 12);
    Socket.last.say('order', 20, 12);
    expect(heard).toHaveLength(3);
    expect(gaps).toBe(0);
    expect(state()).toMatchObject({ state: 'open', seq: 20, run: 'r', gaps: 0, duplicates: 0, received: 4 });
  });

  it('has everything asked for again after a gap', () => {
    Socket.last.hello(10);
    Socket.last.say('order', 20, 15);
    expect(gaps).toBe(1);
    expect(state()).toMatchObject({ seq: 20, gaps: 1 });
    expect(heard).toHaveLength(1);
  });

  it('tells nobody what was seen before', () => {
    Socket.last.hello(10);
    Socket.last.say('order', 12, 10);
    Socket.last.say('order', 12, 10);
    expect(heard).toHaveLength(1);
    expect(state()).toMatchObject({ seq: 12, duplicates: 1, gaps: 0 });
  });

  it('asks to go on after the last message it saw', () => {
    Socket.last.hello(10);
    Socket.last.say('order', 12, 10);
    const first = Socket.last;
    first.onclose?.();
    expect(feed.store.get().state).toBe('lost');
    vi.advanceTimersByTime(1_000);
    expect(Socket.last).not.toBe(first);
    expect(Socket.last.url).toBe('ws://here/ws/live-feed?portfolio=p&after=12&run=r');
    Socket.last.hello(12);
    Socket.last.say('order', 14, 12);
    expect(state()).toMatchObject({ state: 'open', seq: 14, gaps: 0, reconnects: 1 });
  });

  it('counts a new run as a gap', () => {
    Socket.last.hello(10);
    Socket.last.onclose?.();
    vi.advanceTimersByTime(1_000);
    Socket.last.hello(3, 'another');
    expect(gaps).toBe(1);
    expect(state()).toMatchObject({ run: 'another', seq: 3, gaps: 1 });
  });

  it('begins again where the server says after a reset', () => {
    Socket.last.hello(10);
    Socket.last.say('reset', null, null, { run: 'r', seq: 9_000, why: 'too far behind' });
    Socket.last.say('order', 9_003, 9_000);
    expect(gaps).toBe(1);
    expect(state()).toMatchObject({ seq: 9_003, resets: 1, gaps: 0 });
  });

  it('waits longer after every failure, but not for ever', () => {
    let tries = 0;
    const waits: number[] = [];
    for (; tries < 9; tries++) {
      const before = Socket.last;
      before.onclose?.();
      const { retryAt } = feed.store.get();
      waits.push(retryAt! - Date.now());
      vi.advanceTimersByTime(20_000);
      expect(Socket.last).not.toBe(before);
    }
    expect(waits[0]).toBeLessThan(700);
    expect(waits[8]).toBeGreaterThan(10_000);
    expect(Math.max(...waits)).toBeLessThan(19_000);
  });

  it('takes silence for a loss', () => {
    Socket.last.hello(10);
    const first = Socket.last;
    vi.advanceTimersByTime(44_000);
    expect(feed.store.get().state).toBe('open');
    vi.advanceTimersByTime(2_000);
    expect(first.closed).toBe(true);
  });

  it('is lost at once when the network goes', () => {
    Socket.last.hello(10);
    feed.suspect();
    expect(feed.store.get().state).toBe('lost');
  });

  it('is deaf to what is no message', () => {
    Socket.last.hello(10);
    Socket.last.onmessage?.({ data: '{' });
    expect(state().received).toBe(1);
  });
});
