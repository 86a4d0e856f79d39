import { describe, expect, it } from 'vitest';

const sources = import.meta.glob<string>('./**/*.{ts,tsx}', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const files = Object.entries(sources).filter(([path]) => !path.includes('.test.'));

const PACKAGES = /^(react|react-dom\/client|@tanstack\/react-query|lightweight-charts|wouter)$/;
const imports = (text: string) =>
  [
    ...text.matchAll(/^(?:import|export)\b([^;]*?)\bfrom '([^']+)'/gms),
    ...text.matchAll(/()\bimport\('([^']+)'\)/g),
  ].map((found) => ({ typeOnly: /^\s*type\b/.test(found[1]!), from: found[2]! }));

/** Where a relative import leads, seen from `web/src`. */
function reach(file: string, from: string): string {
  return new URL(from, `file:///src/${file.slice(2)}`).pathname;
}

describe('what the console imports', () => {
  it('is itself, five packages, and of the program only the contract', () => {
    expect(files.length).toBeGreaterThan(40);
    const wrong = files.flatMap(([file, text]) =>
      imports(text)
        .filter(({ from, typeOnly }) => {
          if (from.startsWith('.')) return !reach(file, from).startsWith('/src/');
          if (from === '@contract') return !typeOnly;
          return from !== '@contract/paths' && !PACKAGES.test(from);
        })
        .map(({ from }) => `${file} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it('is seen when it is wrong', () => {
    expect(
      imports("import { z } from 'zod';\nimport type { A } from '@contract';\nconst b = import('./b.tsx');"),
    ).toEqual([
      { typeOnly: false, from: 'zod' },
      { typeOnly: true, from: '@contract' },
      { typeOnly: false, from: './b.tsx' },
    ]);
    expect(reach('./pages/a/index.tsx', '../../../../src/base/index.ts')).not.toMatch(/^\/src\/pages/);
  });

  it('holds no markup from text and no evaluation', () => {
    for (const [file, text] of files)
      expect([file, /dangerouslySetInnerHTML|\beval\(|new Function\(/.test(text)]).toEqual([file, false]);
  });
});
