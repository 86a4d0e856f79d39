import { describe, expect, it } from 'vitest';
import { progressOf } from '../../../src/apps/server/jobs/job-process.ts';
import { boundedResult, RESULT_MOST } from '../../../src/apps/server/jobs/job-result.ts';
import { foldCut, walkSpans } from '../../../src/apps/validate/walk-cut.ts';
import { runCli } from '../../cli/run-cli.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;

describe('lines of progress', () => {
  it('are told from other lines', () => {
    expect(progressOf('{"progress":0.41,"says":"sweep"}')).toEqual({ progress: 0.41, says: 'sweep' });
    expect(progressOf('{"progress":null,"says":"sweep"}')).toEqual({ progress: null, says: 'sweep' });
    expect(progressOf('{"progress":7,"says":1}')).toEqual({ progress: null, says: '' });
    expect(progressOf('{"progress":')).toBeNull();
    expect(progressOf('error: no')).toBeNull();
  });
});

describe('a result', () => {
  it('loses its largest members when it is too long for a row, and names them', () => {
    const small = { desk: 'x', trades: 3 };
    expect(boundedResult(small)).toBe(small);
    expect(boundedResult({ ...small, rows: 'x'.repeat(RESULT_MOST), more: [1] })).toEqual({
      ...small,
      more: [1],
      leftOut: ['rows'],
    });
    expect(boundedResult(null)).toBeNull();
  });
});

describe('folds', () => {
  it.each([
    [0, 400 * DAY, 5, HOUR],
    [7 * HOUR, 93 * DAY + 3 * HOUR, 8, HOUR],
    [0, 5 * DAY, 6, HOUR],
    [DAY, 5_000 * DAY, 12, DAY],
  ])('of %d to %d make as many tests as were asked for, or a few more', (from, to, folds, intervalMs) => {
    const cut = foldCut(from, to, folds, intervalMs);
    const spans = walkSpans(from, to, cut);
    expect(spans.length).toBeGreaterThanOrEqual(folds);
    expect(cut.trainMs).toBe(4 * cut.testMs);
    for (const { test } of spans) expect(test.to).toBeLessThanOrEqual(to);
  });

  it('are refused where the tape is too short, and beside the spans they replace', async () => {
    expect(() => foldCut(0, 6 * HOUR, 5, HOUR)).toThrow(/too short for 5 tests/);
    const both = await runCli('walk-forward', 'sample', '--folds', '5', '--train', '9d');
    expect([both.code, both.stderr]).toEqual([2, expect.stringMatching(/--folds does not go with/)]);
    const neither = await runCli('walk-forward', 'sample', '--test', '9d');
    expect([neither.code, neither.stderr]).toEqual([2, expect.stringMatching(/--train is missing/)]);
  });
});
