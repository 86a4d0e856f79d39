import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// runs that tests make are put on record where nobody works; processes that they start inherit it
const registry = mkdtempSync(join(tmpdir(), 'quorum-tests-'));
process.once('exit', () => rmSync(registry, { recursive: true, force: true }));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^quorum\/(features|research)$/, replacement: at('./src/$1/index.ts') },
      { find: /^@contract\/paths$/, replacement: at('./src/apps/contract/paths.ts') },
      { find: /^quorum$/, replacement: at('./src/index.ts') },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts'],
    // they have a command of their own: see vitest.browser.config.ts
    exclude: ['**/node_modules/**', 'test/browser/**'],
    env: { QUORUM_REGISTRY: join(registry, 'runs.sqlite') },
    pool: 'threads',
    isolate: false,
    // one less than there are cores would be one, on a machine with two
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
