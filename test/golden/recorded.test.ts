import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance, parseDecimal } from '#base';
import { loadDesk } from '../../src/apps/setup/load-desk.ts';
import { checkJournal, replayRun } from '../../src/apps/setup/replay-run.ts';
import { type BacktestRequest, runBacktest } from '../../src/apps/setup/run-backtest.ts';
import { RECORDED, recordedFiles } from '../support/recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorum-recorded-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function sigmaRun(
  out: string,
  bars: readonly string[],
  funding: readonly string[],
): Promise<Record<string, unknown>> {
  const request: BacktestRequest = {
    desk: await loadDesk('sigma', []),
    bars,
    funding,
    tapes: [],
    from: null,
    to: null,
    cash: null,
    feeBps: null,
    slippageBps: null,
    seed: '1',
    trace: 'decisions',
    out,
  };
  return (await runBacktest(request)).summary;
}

const contents = (dir: string) =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name)).toString('base64')]);

describe.skipIf(RECORDED === null)('Sigma over all recorded pairs, 5m 2023, with funding', () => {
  const first = join(folder, 'first');
  let bars: string[] = [];
  let funding: string[] = [];
  let summary: Record<string, unknown> = {};

  beforeAll(async () => {
    bars = recordedFiles('crypto/binance-perp', /-5m-2023\.csv\.gz$/);
    funding = recordedFiles('crypto/funding', /2023-07\.csv\.gz$/);
    summary = await sigmaRun(first, bars, funding);
  }, 60_000);

  it('trades and considers at least 200 entries', () => {
    expect(summary.trades).toBeGreaterThan(0);
    expect(summary.entriesConsidered).toBeGreaterThanOrEqual(200);
    expect(bars.length).toBeGreaterThanOrEqual(7);
  });

  it('books sum to zero and the account adds up to the last minor unit', () => {
    const minor = (key: string) => parseDecimal(String(summary[key]), 8)!;
    expect(summary.booksSum).toEqual({ USDT: '0' });
    expect(minor('equityEnd')).toBe(
      minor('cashStart') + minor('realised') - minor('fees') - minor('funding') + minor('unrealised'),
    );
    expect(minor('funding')).not.toBe(0);
  });

  it('replays every command', async () => {
    const report = await replayRun(first);
    expect(report.difference).toBeNull();
    expect(report.commands).toBe(summary.commands);
  });

  it('gives the same bytes again, and with its files in another order', async () => {
    const second = join(folder, 'second');
    await sigmaRun(second, [...bars].reverse(), [...funding].reverse());
    expect(contents(second)).toEqual(contents(first));
  });

  it('finds a changed byte anywhere in the journal, and a cut-off tail', () => {
    const dir = join(folder, 'damaged');
    cpSync(first, dir, { recursive: true });
    const path = join(dir, 'journal');
    const whole = readFileSync(path);
    const chance = new Chance('bytes');
    for (let i = 0; i < 200; i++) {
      const damaged = Buffer.from(whole);
      const at = chance.below(whole.length);
      damaged[at] = damaged[at]! ^ (1 << chance.below(8));
      writeFileSync(path, damaged);
      expect(() => checkJournal(dir), `byte ${at}`).toThrow();
    }
    writeFileSync(path, whole.subarray(0, whole.length - 1 - chance.below(whole.length - 1)));
    expect(() => checkJournal(dir)).toThrow();
    writeFileSync(path, whole);
    expect(() => checkJournal(dir)).not.toThrow();
  });
});
