import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { ClockFile, setClockFile } from './clock-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'clock-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'clock');
const T0 = Date.UTC(2025, 4, 13);

describe('the clock of a file', () => {
  it('stands until somebody sets it, and never goes back', async () => {
    setClockFile(path, T0);
    const clock = new ClockFile(path);
    const other = new ClockFile(path);
    await sleep(5);
    expect(clock.now()).toBe(T0);
    setClockFile(path, T0 + 5);
    expect([clock.now(), other.now()]).toEqual([T0 + 5, T0 + 5]);
    setClockFile(path, T0);
    expect(clock.now()).toBe(T0 + 5);
    clock.close();
    other.close();
  });

  it('wakes who waits when it has come so far', async () => {
    setClockFile(path, T0);
    const clock = new ClockFile(path);
    const woken: string[] = [];
    const cancel = clock.later(1_000, () => woken.push('canceled'));
    clock.later(2_000, () => woken.push('later'));
    const waiting = clock.wait(3_000).then(() => woken.push('waited'));
    const stop = new AbortController();
    const ended = clock.wait(1_000, stop.signal).catch((reason: Error) => woken.push(reason.message));
    cancel();
    stop.abort(new Error('ended'));
    await ended;
    setClockFile(path, T0 + 2_000);
    await sleep(20);
    expect(woken).toEqual(['ended', 'later']);
    setClockFile(path, T0 + 3_000);
    await waiting;
    await expect(clock.wait(1, stop.signal)).rejects.toThrow('ended');
    clock.close();
  });

  it('needs an instant to begin with', () => {
    expect(() => new ClockFile(join(folder, 'absent'))).toThrow(InputError);
    const bad = join(folder, 'bad');
    writeFileSync(bad, 'noon');
    expect(() => new ClockFile(bad)).toThrow(/no instant/);
  });
});
