import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, Clone, read } from './support/clone.ts';
import { quorum } from './support/command-line.ts';

let clone: Clone;

beforeAll(() => {
  clone = new Clone();
});
afterAll(() => clone.remove());

interface Step {
  readonly line: string;
  readonly words: readonly string[];
  readonly code: number;
}

/** `npx quorum ... # exit code 4` */
function stepOf(line: string): Step {
  const [command, comment] = line.split(' # ');
  const [npx, program, ...words] = command!.split(' ');
  expect([npx, program], line).toEqual(['npx', 'quorum']);
  const code = comment === undefined ? 0 : Number(comment.match(/^exit code (\d+)$/)?.[1]);
  return { line, words, code };
}

/** Replaces the line with `-` by the one with `+`. */
function applyDiff(diff: string, path: string): void {
  const [, was, is] = diff.match(/^-(.*)\n\+(.*)\n$/)!;
  const text = readFileSync(path, 'utf8');
  expect(text.split(was!).length, `${path} has "${was}" once`).toBe(2);
  writeFileSync(path, text.replace(was!, is!));
}

describe('the study of docs/study.md', () => {
  it('does what it says, line by line', async () => {
    let printed = '';
    const run = new Set<string>();
    for (const { language, text } of blocksOf(read('docs/study.md'))) {
      if (language === 'ts') {
        writeFileSync(join(clone.path, text.match(/^\/\/ (\S+\.ts)/)![1]!), text);
      } else if (language === 'diff') {
        applyDiff(text, join(clone.path, 'trend.ts'));
      } else if (language === 'sh') {
        printed = '';
        for (const line of text.trim().split('\n')) {
          const step = stepOf(line);
          const { code, stdout, stderr } = await quorum(step.words, clone.path);
          expect(code, `${line}\n${stdout}\n${stderr}`).toBe(step.code);
          printed += `${stdout}\n${stderr}\n`;
          run.add(step.words[0]!);
        }
      } else {
        expect(language).toBe('');
        // quoted lines stand in the output in their order; a quoted line may leave out the end of a printed one
        let from = 0;
        for (const line of text.trimEnd().split('\n')) {
          const at = `\n${printed}`.indexOf(`\n${line}`, from);
          expect(at, `"${line}" is quoted and not printed (here) in:\n${printed}`).toBeGreaterThanOrEqual(0);
          from = at + line.length;
        }
      }
    }
    expect([...run]).toEqual([
      'data',
      'backtest',
      'bias',
      'sweep',
      'report',
      'optimise',
      'walk-forward',
      'cross-validate',
      'worth',
      'monte-carlo',
      'stress',
      'runs',
      'passport',
      'promote',
    ]);
  }, 600_000);
});
