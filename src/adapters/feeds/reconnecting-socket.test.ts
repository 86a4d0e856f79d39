import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { Chance } from '#base';
import { type FeedClock, systemClock } from './feed-clock.ts';
import { ReconnectingSocket } from './reconnecting-socket.ts';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((done) => server.once('listening', done));
});
afterEach(() => new Promise<void>((done) => server.close(() => done())));

describe('a socket that reconnects', () => {
  it('lets go of the time to connect once it is connected', async () => {
    // every timer that is set, and whether it was taken back
    const timers: { readonly ms: number; call: () => void; isOff: boolean }[] = [];
    const clock: FeedClock = {
      ...systemClock,
      later: (ms, call) => {
        const timer = { ms, call, isOff: false };
        timers.push(timer);
        return () => {
          timer.isOff = true;
        };
      },
    };
    const downs: string[] = [];
    const { port } = server.address() as AddressInfo;
    const opened = Promise.withResolvers<void>();
    const socket = new ReconnectingSocket({
      url: `ws://127.0.0.1:${port}`,
      clock,
      chance: new Chance('test'),
      connectMs: 15_000,
      silentMs: 20_000,
      ageMostMs: 80_000,
      backoffBaseMs: 100,
      backoffMostMs: 1_000,
      greeting: () => '{}',
      onOpen: () => opened.resolve(),
      onMessage: () => {},
      onDown: (reason) => downs.push(reason),
    });
    socket.start();
    await opened.promise;
    for (const timer of timers) if (!timer.isOff && timer.ms === 15_000) timer.call();
    expect(downs).toEqual([]);
    expect(socket.isUp).toBe(true);
    socket.stop();
    expect(timers.every((timer) => timer.isOff)).toBe(true);
  });
});
