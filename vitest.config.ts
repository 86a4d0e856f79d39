import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Whatever tests and the processes that they start put into the folder for temporary files goes with this run, also what
// a killed process left behind. Runs that they make are put on record there, and what they compile is kept there: clones
// that come and go would fill up the folder of the packages.
const place = mkdtempSync(join(tmpdir(), 'quorum-tests-'));
// PostgreSQL, which runs under another account, has its folder in it
chmodSync(place, 0o711);
process.once('exit', () => rmSync(place, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

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
    env: {
      TMPDIR: place,
      TEMP: place,
      TMP: place,
      QUORUM_REGISTRY: join(place, 'runs.sqlite'),
      NODE_COMPILE_CACHE: join(place, 'compiled'),
    },
    pool: 'threads',
    isolate: false,
    // one less than there are cores would be one, on a machine with two
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
