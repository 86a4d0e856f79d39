import { statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JournalFile } from '#adapters';
import type { Portfolios } from '../../src/apps/server/context.ts';
import { CURRENT_MS, openConsoleStore, openIdentity } from '../../src/apps/server/identity/index.ts';
import { JournalTail } from '../../src/apps/server/live/journal-tail.ts';
import { WAITING_MOST } from '../../src/apps/server/live/live-client.ts';
import {
  CLIENTS_MOST,
  CLIENTS_OF_ONE,
  CLOSE,
  LiveHub,
  type LiveLimits,
} from '../../src/apps/server/live/live-hub.ts';
import { MessageRing, RingMessage } from '../../src/apps/server/live/message-ring.ts';
import { Listener, SlowSocket, SOMEBODY, until, WrittenJournal } from './live-kit.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function hubOver(journal: WrittenJournal, limits: LiveLimits = {}) {
  const store = openConsoleStore(':memory:');
  const identity = openIdentity(store);
  // nobody is in the store: this hub is asked about people only where a test says so
  identity.isCurrent = () => true;
  const portfolios = {
    folder: () => dirname(journal.path),
    ask: async () => null,
  } as unknown as Portfolios;
  const troubles: string[] = [];
  const onTrouble = (what: string, error: Error) => void troubles.push(`${what}: ${error.message}`);
  const hub = new LiveHub({ portfolios, identity, now: Date.now, onTrouble, ...limits });
  closing.push(async () => {
    await hub.close();
    store.close();
  });
  return { hub, identity, troubles };
}

const join = (hub: LiveHub, listener: Listener, resume = true) => {
  const socket = new SlowSocket(listener.hear);
  const after = resume ? listener.last : null;
  hub.connect(socket.asWebSocket, SOMEBODY, { portfolio: 'p', after, run: resume ? listener.run : null });
  return socket;
};

/** Takes all that waits for a client before it looks whether something holds. */
const taking = (socket: SlowSocket, holds: () => boolean) => () => {
  socket.take(1e9);
  return holds();
};

describe('the ring of messages', () => {
  it('puts a client behind exactly what it has seen, or says that it cannot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 210 }),
        (steps, most, after) => {
          const ring = new MessageRing(most);
          const all: number[] = [];
          for (const step of steps) {
            const seq = (all.at(-1) ?? 0) + step;
            all.push(seq);
            ring.push(new RingMessage(seq, () => Buffer.alloc(0)));
          }
          const kept = all.slice(-most);
          const forgotten = all.at(-most - 1) ?? 0;
          const standing = ring.behind(after);
          if (after < forgotten || after > (all.at(-1) ?? 0)) {
            expect(standing).toBeNull();
            return;
          }
          const given = [];
          for (let n = standing!.next; n < ring.end; n++) given.push(ring.at(n).seq);
          expect(given).toEqual(kept.filter((seq) => seq > after));
          expect(standing!.seen).toBe(all.filter((seq) => seq <= after).at(-1) ?? 0);
        },
      ),
    );
  });
});

describe('the live feed', () => {
  it('misses nothing and tells nothing twice: slow clients, reconnects, a journal that grows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            write: fc.integer({ min: 0, max: 60 }),
            who: fc.nat({ max: 2 }),
            act: fc.constantFrom('take', 'leave', 'leave', 'wait'),
            bytes: fc.integer({ min: 1, max: 6_000 }),
          }),
          { minLength: 5, maxLength: 25 },
        ),
        async (steps) => {
          const journal = new WrittenJournal();
          const { hub, troubles } = hubOver(journal);
          const listeners = [new Listener(), new Listener(), new Listener()];
          const sockets = listeners.map((listener) => join(hub, listener, false));
          await until(() => sockets.every((socket) => socket.bufferedAmount > 0), 'a greeting');
          for (const socket of sockets) socket.take(1e9);
          for (const { write, who, act, bytes } of steps) {
            journal.write(write);
            if (act === 'wait') await sleep(20);
            sockets[who]!.take(bytes);
            if (act !== 'leave') continue;
            // what was under way is lost with the connection
            sockets[who]!.terminate();
            sockets[who] = join(hub, listeners[who]!);
          }
          for (const [i, listener] of listeners.entries()) {
            const all = () => {
              sockets[i]!.take(1e9);
              return listener.seqs.length >= journal.seen.length;
            };
            await until(all, 'everything');
            expect(listener.seqs).toEqual(journal.seen);
            expect(listener.faults).toEqual([]);
            expect(listener.resets).toEqual([]);
          }
          expect(troubles).toEqual([]);
          await closing.pop()!();
          journal.remove();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('never keeps more than its share for a client that takes nothing, and lets it begin anew', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    const { hub } = hubOver(journal);
    const [slow, quick] = [new Listener(), new Listener()];
    const [stuck, flowing] = [join(hub, slow), join(hub, quick)];
    await until(() => stuck.bufferedAmount > 0 && flowing.bufferedAmount > 0, 'a greeting');
    for (let i = 0; i < 40; i++) {
      journal.write(1_000);
      const wanted = journal.seen.length;
      await until(
        taking(flowing, () => quick.seqs.length === wanted),
        'the quick one',
      );
    }
    expect(quick.faults).toEqual([]);
    expect(quick.resets).toEqual([]);
    expect(stuck.mostBuffered).toBeGreaterThan(WAITING_MOST / 2);
    expect(stuck.mostBuffered).toBeLessThan(WAITING_MOST + 1_000);
    await until(
      taking(stuck, () => slow.last === journal.seen.at(-1)),
      'the slow one',
    );
    expect(slow.resets).toEqual(['too slow']);
    expect(slow.faults).toEqual([]);
  });

  it('goes on where a client was, and asks it to begin anew when that is too long ago or another run', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    journal.write(300);
    const { hub } = hubOver(journal, { behindMost: 50 });
    const listener = new Listener();
    let socket = join(hub, listener);
    await until(
      taking(socket, () => listener.last !== null),
      'a greeting',
    );
    expect(listener.last).toBe(journal.seen.at(-1));
    socket.terminate();
    journal.write(30);
    socket = join(hub, listener);
    await until(
      taking(socket, () => listener.last === journal.seen.at(-1)),
      'the rest',
    );
    expect(listener.resets).toEqual([]);
    expect(listener.faults).toEqual([]);
    socket.terminate();
    journal.write(300);
    await sleep(250);
    socket = join(hub, listener);
    await until(
      taking(socket, () => listener.resets.length > 0),
      'a reset',
    );
    expect(listener.resets).toEqual(['too far behind']);
    socket.terminate();
    listener.run = 'another';
    socket = join(hub, listener);
    await until(
      taking(socket, () => listener.resets.length > 1),
      'a reset',
    );
    expect(listener.resets[1]).toBe('another run');
  });

  it('notices a journal that begins anew', async () => {
    const journal = new WrittenJournal('run-1');
    closing.push(() => journal.remove());
    journal.write(30);
    const { hub } = hubOver(journal);
    const listener = new Listener();
    const socket = join(hub, listener);
    await until(
      taking(socket, () => listener.run === 'run-1'),
      'a greeting',
    );
    journal.again('run-2');
    journal.write(9);
    await until(
      taking(socket, () => listener.run === 'run-2'),
      'the new run',
    );
    journal.write(9);
    await until(
      taking(socket, () => listener.last === journal.seen.at(-1)),
      'what happens in it',
    );
    expect(listener.resets).toEqual(['the journal began anew']);
    expect(listener.faults).toEqual([]);
  });

  it('ends the connection of a session that ended, and of nobody else', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    const { hub, identity } = hubOver(journal);
    const [one, other] = [new SlowSocket(() => {}), new SlowSocket(() => {})];
    const asked = { portfolio: 'p', after: null, run: null };
    hub.connect(one.asWebSocket, SOMEBODY, asked);
    hub.connect(other.asWebSocket, { ...SOMEBODY, credential: 'other' }, asked);
    identity.endings.tell(SOMEBODY.id, SOMEBODY.credential);
    expect(one.closed?.code).toBe(CLOSE.unauthenticated);
    expect(other.closed).toBeNull();
    expect(hub.size).toBe(1);
  });

  it('drops clients that do not answer a ping, and takes no more than its most', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    const { hub } = hubOver(journal, { heartbeatMs: 20 });
    const asked = { portfolio: 'p', after: null, run: null };
    const sockets = Array.from({ length: CLIENTS_MOST + 1 }, (_, i) => {
      const socket = new SlowSocket(new Listener().hear);
      hub.connect(socket.asWebSocket, { ...SOMEBODY, id: `u${i % 2}` }, asked);
      return socket;
    });
    expect(hub.size).toBe(CLIENTS_MOST);
    expect(sockets.at(-1)!.closed?.code).toBe(CLOSE.full);
    const [alive, ...silent] = sockets.slice(0, -1);
    const ping = alive!.ping.bind(alive);
    alive!.ping = () => {
      ping();
      alive!.emit('pong');
    };
    await until(() => hub.size === 1, 'the silent ones to go');
    expect(silent.every((socket) => socket.readyState !== 1)).toBe(true);
    expect(alive!.readyState).toBe(1);
  });
});

describe('the places of the hub', () => {
  it('are not all for one user', () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    const { hub } = hubOver(journal);
    const own = Array.from({ length: CLIENTS_OF_ONE + 1 }, () => join(hub, new Listener()));
    expect(own.at(-1)!.closed?.code).toBe(CLOSE.full);
    const other = new SlowSocket(() => {});
    hub.connect(
      other.asWebSocket,
      { ...SOMEBODY, id: 'another' },
      { portfolio: 'p', after: null, run: null },
    );
    expect(other.closed).toBeNull();
    expect(hub.size).toBe(CLIENTS_OF_ONE + 1);
  });

  it('outlive a moment in which nobody can say who may listen', () => {
    vi.useFakeTimers();
    try {
      const journal = new WrittenJournal();
      closing.push(() => journal.remove());
      const { hub, identity } = hubOver(journal);
      const socket = join(hub, new Listener());
      identity.isCurrent = () => {
        throw new Error('disk I/O error');
      };
      expect(() => vi.advanceTimersByTime(CURRENT_MS)).not.toThrow();
      expect(socket.closed).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the tail of a journal', () => {
  const follow = (path: string) => {
    const runs: string[] = [];
    const positions: number[] = [];
    const troubles: Error[] = [];
    const tail = new JournalTail({
      path,
      onBegin: (run) => {
        runs.push(run);
        positions.length = 0;
      },
      onEntry: ({ position }) => positions.push(position),
      onCaughtUp: () => {},
      onTrouble: (error) => troubles.push(error),
    });
    closing.push(() => tail.close());
    return { runs, positions, troubles };
  };

  it('gives out whole blocks only, waits for the rest of one, and goes on behind what a crash cut off', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    journal.write(10);
    const whole = statSync(journal.path).size;
    journal.write(10);
    truncateSync(journal.path, whole + 17);
    const { positions, troubles, runs } = follow(journal.path);
    await until(() => positions.length === 11, 'the whole blocks');
    await sleep(150);
    expect(positions.length).toBe(11);
    const file = JournalFile.open(journal.path, { lock: false, headFile: 'none' });
    file.append('note', '{"note":"x"}');
    file.commit({ durable: false });
    await until(() => positions.length === 12, 'what was written after the crash');
    expect(positions).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(runs).toEqual(['run-1']);
    expect(troubles).toEqual([]);
    file.abandon();
  });

  it('waits for a journal that is not there yet', async () => {
    const journal = new WrittenJournal();
    closing.push(() => journal.remove());
    const path = `${journal.path}-later`;
    const { positions } = follow(path);
    await sleep(120);
    const file = JournalFile.create(path, { lock: false, headFile: 'none' });
    file.append('header', '{"runId":"r"}');
    file.commit({ durable: false });
    await until(() => positions.length === 1, 'its first entry');
    file.close();
  });
});
