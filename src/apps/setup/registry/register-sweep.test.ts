import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { RunRegistry } from '#adapters';
import { playHere } from '../sweep/play-variants.ts';
import { runSweep } from '../sweep/run-sweep.ts';
import type { SweepRequest } from '../sweep/sweep-plan.ts';
import { sweepRegistration, variantsOnRecord } from './register-sweep.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-registered-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const HOUR = 3_600_000;
const bars = join(dir, 'WAVE-1h.csv');
const rows = Array.from({ length: 400 }, (_, i) => {
  const [open, close] = [i, i + 1].map((k) => 100 + 5 * Math.sin(k / 9));
  return [
    1_688_169_600_000 + i * HOUR,
    open,
    Math.max(open!, close!) + 1,
    Math.min(open!, close!) - 1,
    close,
    9,
  ].join(',');
});
writeFileSync(bars, `time,open,high,low,close,volume\n${rows.join('\n')}\n`);

const request: SweepRequest = {
  desk: fileURLToPath(new URL('../../../../examples/01-sma-cross.ts', import.meta.url)),
  bars: [bars],
  funding: [],
  tapes: [],
  store: null,
  from: null,
  to: null,
  cash: null,
  feeBps: 1,
  slippageBps: null,
  seed: '1',
  params: ['fast=3:12:1'],
  where: null,
  set: ['slow=20'],
  answers: null,
};

async function sweep(registry: RunRegistry, out: string | null, workers: number, stopAfter = Infinity) {
  const stop = new AbortController();
  return runSweep(request, {
    workers,
    out,
    signal: stop.signal,
    onBegin: () => {},
    onProgress: (done) => {
      if (done >= stopAfter) stop.abort();
    },
    player: playHere(workers),
    register: sweepRegistration(registry),
    onRecord: (plan) => variantsOnRecord(registry, plan),
  });
}

const fastOf = (registry: RunRegistry) =>
  registry.trials().trials.map(({ parameters }) => (parameters as { fast: number }).fast);

describe('variants of a sweep on record', () => {
  it('are all of them, by whatever number of threads, and once', async () => {
    const registry = RunRegistry.open(join(dir, 'all.sqlite'));
    await sweep(registry, null, 1);
    expect(fastOf(registry)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await sweep(registry, null, 2);
    expect(registry.verify().entries).toBe(10);
    const { trials } = registry.trials();
    expect(new Set(trials.map(({ study }) => study)).size).toBe(1);
    expect(
      trials.every(({ stamps, returns, days }) => stamps.length === 0 && returns.length === days.count),
    ).toBe(true);
    registry.close();
  });

  it('are those that an interrupted sweep keeps, and the others when it goes on', async () => {
    const registry = RunRegistry.open(join(dir, 'part.sqlite'));
    const out = join(dir, 'part');
    const first = await sweep(registry, out, 1, 4);
    expect(fastOf(registry).sort((a, b) => a - b)).toEqual(
      first.rows.map(({ parameters }) => parameters.fast).sort((a, b) => Number(a) - Number(b)),
    );
    const second = await sweep(registry, out, 1);
    expect(second.finished).toBe(true);
    expect(registry.verify().entries).toBe(10);
    registry.close();
  });

  it('are those too that an earlier start left without a record, or with another one', async () => {
    const out = join(dir, 'unrecorded');
    const stop = new AbortController();
    const quiet = (signal: AbortSignal, onProgress: () => void) =>
      runSweep(request, { workers: 1, out, signal, onBegin: () => {}, onProgress });
    await quiet(stop.signal, () => stop.abort());
    const registry = RunRegistry.open(join(dir, 'late.sqlite'));
    expect((await sweep(registry, out, 1, 2)).there).toBe(0);
    const { there, finished } = await sweep(registry, out, 1);
    expect([there > 0, finished, fastOf(registry).length]).toEqual([true, true, 10]);
    expect((await sweep(registry, out, 1)).there).toBe(10);
    registry.close();
    // finished, and shown again by somebody whose record is another
    const other = RunRegistry.open(join(dir, 'other.sqlite'));
    const again = await sweep(other, out, 1);
    expect([again.there, again.rows.length, other.verify().entries]).toEqual([0, 10, 10]);
    other.close();
  });

  it('leave nothing in the table when they cannot be put on record', async () => {
    const out = join(dir, 'refused');
    const register = () => {
      throw new Error('the disk is full');
    };
    const settings = {
      workers: 1,
      out,
      signal: new AbortController().signal,
      onBegin: () => {},
      onProgress: () => {},
    };
    await expect(runSweep(request, { ...settings, register })).rejects.toThrow('full');
    const after = await runSweep(request, { ...settings, onBegin: (there) => expect(there).toBe(0) });
    expect(after.there).toBe(0);
  });
});
