import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureWebBuilt } from '../../src/apps/server/web-build.ts';

const MOST_BYTES = 300_000;
/** What Zod leaves in a bundle that holds it, minified or not. */
const OF_ZOD = /_zod\b|\$?ZodError/;

describe('what the console loads', () => {
  let root: string;

  beforeAll(async () => {
    const web = await ensureWebBuilt(() => undefined);
    expect(web.trouble).toBeNull();
    root = web.root!;
  });

  const assets = () => readdirSync(join(root, 'assets'));
  const read = (name: string) => readFileSync(join(root, name), 'utf8');

  /** Scripts that a script cannot begin without, itself among them. */
  function withImports(name: string, known = new Set<string>()): Set<string> {
    if (known.has(name)) return known;
    known.add(name);
    const text = read(name);
    for (const [, path] of text.matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g))
      withImports(join('assets', path!), known);
    return known;
  }

  /** What index.html names, and what that needs. */
  function atFirst(): Set<string> {
    const html = read('index.html');
    const named = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path!);
    const files = new Set(['index.html', ...named]);
    for (const path of named) if (path.endsWith('.js')) for (const each of withImports(path)) files.add(each);
    return files;
  }

  const gzipped = (files: Iterable<string>) =>
    [...files].reduce((sum, name) => sum + gzipSync(readFileSync(join(root, name))).length, 0);

  it('is at most 300 kB before the first paint, the first screen included', () => {
    const first = atFirst();
    expect([...first].some((name) => /^assets\/index-.*\.js$/.test(name))).toBe(true);
    expect([...first].some((name) => name.endsWith('.css'))).toBe(true);
    const alone = gzipped(first);
    for (const page of ['log-in', 'overview']) {
      const chunk = assets().find((name) => name.startsWith(`${page}-`) && name.endsWith('.js'))!;
      for (const name of withImports(join('assets', chunk))) first.add(name);
    }
    const all = gzipped(first);
    process.stdout.write(
      `the console loads ${kB(alone)} kB (gzip) before the first paint, ${kB(all)} kB with log in and first screen\n`,
    );
    expect(all).toBeLessThanOrEqual(MOST_BYTES);
    // the chart is none of it
    expect([...first].filter((name) => /price-chart|market|research/.test(basename(name)))).toEqual([]);
  });

  it('holds no schema library', () => {
    const scripts = assets().filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(10);
    expect(scripts.filter((name) => OF_ZOD.test(read(join('assets', name))))).toEqual([]);
    const zod = readFileSync(new URL('../../node_modules/zod/v4/core/core.js', import.meta.url), 'utf8');
    expect(zod).toMatch(OF_ZOD);
  });
});

const kB = (bytes: number) => (bytes / 1_000).toFixed(1);
