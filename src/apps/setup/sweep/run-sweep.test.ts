import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { PlayedVariant } from '#research';
import { waveCsv } from '../../../../test/cli/run-cli.ts';
import { sweepRequest } from '../../../../test/support/sweep-request.ts';
import { playHere } from './play-variants.ts';
import { runSweep, type SweepSettings } from './run-sweep.ts';
import type { SweepRequest } from './sweep-plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-sweep-'));
const file = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(file('WAVE-1h.csv'), waveCsv(300));

const DESK = fileURLToPath(new URL('../../../../examples/01-sma-cross.ts', import.meta.url));
// the kernel plays them all in one go, and nothing could be interrupted
const request = sweepRequest(DESK, file('WAVE-1h.csv'), {
  engine: 'loop',
  params: ['fast=3:9:3', 'slow=12,20'],
});

const sweep = async (settings: Partial<SweepSettings>, changes: Partial<SweepRequest> = {}) => {
  const played = new Map<number, PlayedVariant>();
  const outcome = await runSweep(
    { ...request, ...changes },
    {
      workers: 1,
      out: null,
      signal: new AbortController().signal,
      onBegin: () => {},
      onProgress: () => {},
      onPlayed: (one) => played.set(one.row.variant, one),
      ...settings,
    },
  );
  return { outcome, played };
};

describe('what a sweep hands over of each variant', () => {
  it('is its row and the equity of each day, the same from one thread and from two', async () => {
    const { outcome, played } = await sweep({});
    expect([...played.keys()]).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { row, daily } of played.values()) {
      expect(outcome.rows[row.variant]).toBe(row);
      expect(daily.start).toBe(1_000_000 * 1e8);
      // 300 hours touch 13 days, and the last close ends the thirteenth
      expect(daily.closes.length).toBe(13);
      expect(daily.closes.at(-1)! / daily.start - 1).toBeCloseTo(row.figures.return!, 12);
    }
    const threads = await sweep({ workers: 2 });
    expect(new Map([...threads.played].sort(([a], [b]) => a - b))).toEqual(played);
  });

  it('is gone on with where it was interrupted, and read when all of it is there', async () => {
    const interrupt = new AbortController();
    const onProgress = (done: number) => done === 2 && interrupt.abort();
    await sweep({ out: file('kept'), signal: interrupt.signal, onProgress });
    expect(readdirSync(file('kept'))).toEqual(['rows.jsonl']);
    const whole = await sweep({ out: file('kept'), workers: 2 });
    expect([whole.outcome.there, whole.played.size]).toEqual([2, 4]);
    // killed when all was written, before what is unfinished was taken away
    writeFileSync(file('kept/rows.jsonl'), 'left');
    const again = await sweep({ out: file('kept') });
    expect(again.played.size).toBe(0);
    expect(again.outcome.rows).toEqual(whole.outcome.rows);
    expect(readdirSync(file('kept')).sort()).toEqual(['sweep.csv', 'sweep.json']);
  });

  it('needs the file of answers only once, at the beginning', async () => {
    const onBegin = () => rmSync(file('answers.jsonl'));
    for (const workers of [1, 2]) {
      writeFileSync(file('answers.jsonl'), '{"topic":"t","prompt":1,"answer":2}\n');
      const { outcome } = await sweep({ workers, onBegin }, { answers: file('answers.jsonl') });
      expect(outcome.finished).toBe(true);
    }
  });

  it('may come from another player, each variant once', async () => {
    const asked: number[][] = [];
    const { outcome } = await sweep({
      player: (one) => {
        asked.push([...one.variants]);
        return playHere(1)(one);
      },
    });
    expect(asked).toEqual([[0, 1, 2, 3, 4, 5]]);
    expect(outcome.finished).toBe(true);
  });
});
