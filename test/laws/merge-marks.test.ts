import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Ours, not what was installed or built. */
const FOREIGN = new Set(['node_modules', '.git', 'dist', '.quorum', 'coverage']);
const TEXT = /\.(?:md|ts|tsx|js|json|ya?ml|css|html|csv|py|c|pine|toml)$/;
const MARK = /^(?:<{7} |>{7} |={7}$|\|{7} )/m;

function* texts(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (FOREIGN.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* texts(path);
    else if (TEXT.test(entry.name)) yield path;
  }
}

it('leaves no marks of a merge in any text: neither linter nor compiler reads documents', () => {
  expect(MARK.test(`a\n${'<'.repeat(7)} ours\nb\n`)).toBe(true);
  expect(MARK.test('# A title\n=====\n')).toBe(false);
  const marked = [...texts(root)].filter((path) => MARK.test(readFileSync(path, 'utf8')));
  expect(marked).toEqual([]);
});
