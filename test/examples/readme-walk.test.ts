import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { program } from '../../src/apps/cli/main.ts';
import { blocksOf, Clone, read } from './support/clone.ts';
import { quorum, ROOT, ran } from './support/command-line.ts';

/** One section of the README. */
function sectionOf(section: string): string {
  const readme = read('README.md');
  const from = readme.indexOf(`## ${section}\n`);
  expect(from, `README has a section "${section}"`).toBeGreaterThan(0);
  return readme.slice(from, readme.indexOf('\n## ', from));
}

let clone: string;
let folder: Clone;

beforeAll(() => {
  folder = new Clone();
  clone = folder.path;
});
afterAll(() => folder.remove());

describe('the walk of the README', () => {
  it('leads from a clone to an own strategy of at most 25 lines, backtested on an own CSV', async () => {
    const said: string[] = [];
    for (const { language, text } of blocksOf(sectionOf('From clone to an own strategy'))) {
      if (language === 'ts') {
        const name = text.match(/^\/\/ (\S+\.ts)/)![1]!;
        expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
        writeFileSync(join(clone, name), text);
        continue;
      }
      expect(language).toBe('sh');
      for (const line of text.trim().split('\n')) {
        // done already: the packages are lent by this clone
        if (line === 'npm install') continue;
        const shell = await ran('bash', ['-c', line], clone);
        expect(shell.code, `${line}\n${shell.stderr}`).toBe(0);
        said.push(shell.stdout);
      }
    }
    const all = said.join('\n');
    expect(all).toMatch(/trades\s+\d+/);
    expect(all).toMatch(/same commands: \d+ of \d+/);
    // the non-trade names its objection and what would have let it pass
    expect(all).toMatch(/calm/);
    expect(all).toMatch(/too wild/);
    const svg = readFileSync(join(clone, 'equity.svg'), 'utf8');
    expect(svg).toMatch(/^<svg /);
    // the picture in the README is this very run
    expect(read('docs/images/equity.svg')).toBe(svg);
  });
});

describe('the documents', () => {
  const decisions = readdirSync(join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
  const documents = [
    'README.md',
    'CHANGELOG.md',
    'bench/README.md',
    'docs/guide.md',
    'docs/study.md',
    'docs/own-model.md',
    'docs/tradingview.md',
    'docs/LIFE-OF-A-BAR.md',
    'docs/GLOSSARY.md',
    'docs/security.md',
    ...decisions,
  ];

  it('name files that exist', () => {
    for (const document of documents) {
      const text = read(document);
      for (const [, link] of text.matchAll(/\]\(([^)#]+)\)/g)) {
        expect(existsSync(join(ROOT, dirname(document), link!)), `${document}: ${link}`).toBe(true);
      }
      for (const [, path] of text.matchAll(
        /\b((?:src|test|examples|scripts|docs|bin|bench|schema)\/[\w./-]*[\w/])/g,
      )) {
        expect(existsSync(join(ROOT, path!)), `${document}: ${path}`).toBe(true);
      }
    }
  });

  it('name commands, options and scripts that exist', async () => {
    const whole = await program();
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const document of documents) {
      const text = read(document);
      for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) {
        expect(Object.keys(scripts), `${document}: npm run ${script}`).toContain(script);
      }
      for (const [line, first, second, rest] of text.matchAll(
        /npx quorum ([a-z][a-z-]*)(?: ([a-z][\w-]*))?([^\n`|]*)/g,
      )) {
        const command = whole.commands.find((one) => one.name() === first);
        const known = command?.commands.find((one) => one.name() === second) ?? command;
        expect(known?.name(), `${document}: ${line}`).toBeDefined();
        const options = known!.options.map((option) => option.long);
        for (const [option] of rest!.matchAll(/--[\w-]+/g)) {
          expect([...options, '--help'], `${document}: ${line}`).toContain(option);
        }
      }
    }
  });

  it('give a reason for every runtime dependency', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const rows = [...read('docs/decisions/0001-dependencies.md').matchAll(/^\| `(\S+)` \|/gm)].map(
      ([, name]) => name!,
    );
    expect(rows.sort()).toEqual(Object.keys(dependencies).sort());
  });

  it('show commands in the guide that work, one after the other', async () => {
    for (const { language, text } of blocksOf(read('docs/guide.md'))) {
      if (language !== 'sh') continue;
      for (const line of text.trim().split('\n')) {
        const [npx, program, ...words] = line.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''));
        expect([npx, program]).toEqual(['npx', 'quorum']);
        const run = await quorum(words, clone);
        expect(run.code, `${line}\n${run.stderr}`).toBe(0);
      }
    }
  });
});
