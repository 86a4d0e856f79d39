import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { exampleAnswers, exampleBars } from '../../scripts/make-example-bars.ts';
import { quorum, ROOT } from './support/command-line.ts';

interface Summary {
  readonly fills: number;
  readonly trades: number;
  readonly questions: number;
  readonly notes: readonly string[];
  readonly booksSum: Readonly<Record<string, string>>;
  readonly exitsByKind: Readonly<Record<string, number>>;
  readonly refusalsByLimit: Readonly<Record<string, number>>;
  readonly signalsBySource: Readonly<Record<string, number>>;
  readonly legPlans: Readonly<Record<string, number>>;
}

const folder = mkdtempSync(join(tmpdir(), 'quorum-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = readdirSync(join(ROOT, 'examples')).filter((name) => /^\d\d-.*\.ts$/.test(name));

/** The command in an example's header comment, as words. */
function commandOf(file: string): string[] {
  const line = readFileSync(join(ROOT, 'examples', file), 'utf8').match(/^\/\/ npx quorum (.*)$/m);
  expect(line, `${file} names its command`).not.toBeNull();
  return line![1]!
    .replace(/\[.*\]/, '')
    .trim()
    .split(/\s+/);
}

/** What each example is there to show, seen in its run. */
const shows: Readonly<Record<string, (s: Summary) => void>> = {
  '01-sma-cross.ts': (s) => expect(s.exitsByKind['exit:opposite-signal']).toBe(s.trades),
  '02-limit-bracket.ts': (s) => {
    expect(s.exitsByKind['stop-loss']).toBeGreaterThan(0);
    expect(s.exitsByKind['take-profit']).toBeGreaterThan(0);
    // some limit orders were not taken in time
    expect(s.trades).toBeLessThan(s.signalsBySource.threshold!);
  },
  '03-two-instruments-two-intervals.ts': (s) => expect(s.exitsByKind['exit:time']).toBe(s.trades),
  '04-custom-indicator.ts': (s) => expect(s.exitsByKind.reverse).toBe(s.trades),
  '05-remote-source.ts': (s) => {
    // one question went unanswered, one answer was malformed and one came too late
    expect(s.questions - s.signalsBySource.mood!).toBe(3);
  },
  '06-two-leg-plan.ts': (s) => {
    expect(s.legPlans.complete).toBeGreaterThan(0);
    expect(s.legPlans.unwound).toBeGreaterThan(0);
    expect(s.refusalsByLimit['one-spread']).toBeGreaterThan(0);
  },
};

describe('the examples', () => {
  it('run on files that their script writes', () => {
    const { ALFA, BETA } = exampleBars();
    const read = (name: string) => readFileSync(join(ROOT, 'examples', 'bars', name), 'utf8');
    expect(read('ALFA-15m.csv')).toBe(ALFA);
    expect(read('BETA-15m.csv')).toBe(BETA);
    expect(read('mood.jsonl')).toBe(exampleAnswers());
  });

  it('are numbered, short and all shown here', () => {
    expect(files).toEqual(Object.keys(shows));
    for (const file of files) {
      const lines = readFileSync(join(ROOT, 'examples', file), 'utf8')
        .trimEnd()
        .split('\n');
      expect(lines.length, file).toBeLessThan(60);
    }
  });

  for (const file of files) {
    it(`${file} trades with the command it names, and its journal replays`, async () => {
      const out = join(folder, file);
      const words = commandOf(file).map((word) =>
        word === 'YOURFILE.csv' ? 'examples/bars/ALFA-15m.csv' : word,
      );
      const run = await quorum([...words, '--out', out, '--json']);
      expect(run.stderr).toBe('');
      expect(run.code).toBe(0);
      const summary = JSON.parse(run.stdout) as Summary;
      expect(summary.trades).toBeGreaterThanOrEqual(10);
      expect(summary.notes).toEqual([]);
      expect(new Set(Object.values(summary.booksSum))).toEqual(new Set(['0']));
      shows[file]!(summary);
      const again = await quorum(['replay', out, '--json']);
      expect(again.code, again.stderr).toBe(0);
      expect(JSON.parse(again.stdout)).toMatchObject({ mode: 'decided', difference: null });
    });
  }
});
