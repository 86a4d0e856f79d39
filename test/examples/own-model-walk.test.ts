import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, Clone, read } from './support/clone.ts';
import { quorum } from './support/command-line.ts';

let clone: Clone;
beforeAll(() => {
  clone = new Clone();
});
afterAll(() => clone.remove());

/** Models are named by their bytes, and the program's are among them. */
const withoutIds = (text: string): string => text.replace(/\b[0-9a-f]{12,64}\b/g, 'ID');

/** `npx quorum ... # exit code 4` */
function stepOf(line: string): { words: string[]; code: number } {
  const [command, comment] = line.split(' # ');
  const [npx, program, ...words] = command!.split(' ');
  expect([npx, program], line).toEqual(['npx', 'quorum']);
  return { words, code: comment === undefined ? 0 : Number(comment.match(/^exit code (\d+)$/)?.[1]) };
}

describe('the page about an own model', () => {
  it('leads from bars to paper, and prints what it says', async () => {
    let printed: string | null = null;
    const run = new Set<string>();
    for (const { language, text } of blocksOf(read('docs/own-model.md'))) {
      if (language === 'json') writeFileSync(join(clone.path, 'own.json'), text);
      else if (language === 'sh') {
        printed = '';
        for (const line of text.trim().split('\n')) {
          const { words, code } = stepOf(line);
          const ended = await quorum(words, clone.path);
          expect(ended.code, `${line}\n${ended.stdout}\n${ended.stderr}`).toBe(code);
          printed += withoutIds(`${ended.stdout}\n${ended.stderr}\n`);
          run.add(words[0]!);
        }
      } else if (text.startsWith('npx quorum')) {
        // needs a network, or never ends
        printed = null;
      } else {
        let from = 0;
        for (const line of withoutIds(text.trimEnd()).split('\n')) {
          const at = `\n${printed}`.indexOf(`\n${line}`, from);
          expect(at, `"${line}" is quoted and not printed (here) in:\n${printed}`).toBeGreaterThanOrEqual(0);
          from = at + line.length;
        }
      }
    }
    expect([...run]).toEqual(['data', 'train', 'models', 'backtest', 'why', 'start', 'replay']);
  }, 600_000);
});
