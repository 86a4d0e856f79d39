import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../examples/support/command-line.ts';

/** A folder of packages that is its own, with the packages of this one in it. */
let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'quorum-compiled-'));
  for (const name of ['bin', 'src', 'package.json'])
    cpSync(join(ROOT, name), join(clone, name), { recursive: true });
  mkdirSync(join(clone, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (!name.startsWith('.'))
      symlinkSync(join(ROOT, 'node_modules', name), join(clone, 'node_modules', name));
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

const cache = () => join(clone, 'node_modules/.cache/quorum');

function help(more: Record<string, string> = {}): string {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const args = [join(clone, 'bin/quorum.js'), 'stop', '--help'];
  const ran = spawnSync(process.execPath, args, { cwd: clone, env: { ...env, ...more }, timeout: 60_000 });
  expect([ran.status, ran.signal, ran.stderr.toString()]).toEqual([0, null, '']);
  return ran.stdout.toString();
}

/** Every file that is kept, with its content. */
const kept = () =>
  new Map(
    readdirSync(cache(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')]),
  );

describe('what was compiled', () => {
  it('is kept beside the packages, used again, and not used for a source that changed', () => {
    const first = help();
    const before = kept();
    expect(before.size).toBeGreaterThan(20);
    expect(help()).toBe(first);
    expect(kept()).toEqual(before);
    const source = join(clone, 'src/apps/cli/commands/stop.ts');
    const text = readFileSync(source, 'utf8');
    // as long as it was
    const [was, is] = ['End what runs, cleanly', 'End what runs, quickly'];
    expect([text, first].map((one) => one.split(was).length)).toEqual([2, 2]);
    writeFileSync(source, text.replace(was, is));
    expect(help()).toBe(first.replace(was, is));
  });

  it('is not kept where nothing can be written', () => {
    const path = join(clone, 'node_modules/.cache');
    // root may write into any folder, but not into a file
    writeFileSync(path, '');
    expect(help()).toContain('Usage:');
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('is not kept when Node was told not to', () => {
    expect(help({ NODE_DISABLE_COMPILE_CACHE: '1' })).toContain('Usage:');
    expect(kept().size).toBe(0);
  });
});
