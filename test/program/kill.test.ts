import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readJsonlLog } from '#adapters';
import { Chance } from '#base';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { Child, quorum, sizeOf } from './child.ts';
import { decisionsIn, tradesIn } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Starts, kills with -9 somewhere, and again, then lets it come to its end. */
async function killedAgainAndAgain(
  args: readonly string[],
  dataDir: string,
  portfolio: string,
  step: number,
): Promise<void> {
  const chance = new Chance(`kill/${portfolio}`);
  const journal = join(root, dataDir, portfolio, 'journal');
  for (let kills = 0; kills < 5; kills++) {
    const child = new Child([...args, '--data-dir', dataDir], { cwd: root });
    const target = sizeOf(journal) + 1 + chance.below(step);
    await child.until(() => sizeOf(journal) >= target, `${target} bytes of journal`);
    child.kill('SIGKILL');
    expect((await child.ended).signal).toBe('SIGKILL');
  }
  const last = await quorum([...args, '--data-dir', dataDir], root);
  expect(last.code, last.stderr).toBe(0);
  expect(last.stdout).toContain('continued');
}

describe('kill -9', () => {
  for (const [portfolio, options, slices, step] of [
    ['sample', ['--sample'], '700', 60_000],
    ['demo', ['--demo'], '650', 200_000],
  ] as const) {
    it(`at any moment loses nothing and trades nothing twice: ${portfolio}`, async () => {
      const args = [
        'start',
        '--no-console',
        ...options,
        '--speed',
        '0',
        '--slices',
        slices,
        '--snapshot-every',
        '700',
      ];
      const whole = await quorum([...args, '--data-dir', `whole-${portfolio}`], root);
      expect(whole.code, whole.stderr).toBe(0);
      await killedAgainAndAgain(args, `killed-${portfolio}`, portfolio, step);
      const [one, other] = [
        join(root, `whole-${portfolio}`, portfolio),
        join(root, `killed-${portfolio}`, portfolio),
      ];
      const decisions = decisionsIn(one);
      expect(decisions.length).toBeGreaterThan(5);
      expect(decisionsIn(other)).toEqual(decisions);
      expect(tradesIn(other)).toEqual(tradesIn(one));
      expect((await replayPaper(other)).equity).toBe((await replayPaper(one)).equity);
      // the logs behind the journal have every line once
      const lines = (folder: string) =>
        readJsonlLog(join(folder, 'logs', 'ai_trading_log.jsonl')).map((line) => {
          const { position: _, ...rest } = line as Record<string, unknown>;
          return rest;
        });
      expect(lines(other)).toEqual(lines(one));
      expect(lines(one).every((line) => line.mode === (portfolio === 'demo' ? 'SYNTHETIC' : 'REPLAY'))).toBe(
        true,
      );
    });
  }
});
