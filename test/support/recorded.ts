import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of recorded market data, or null: such tests then skip and say so. */
export const RECORDED: string | null = (() => {
  const folder = process.env.QUORUM_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
  return existsSync(join(folder, 'crypto')) ? folder : null;
})();

if (RECORDED === null)
  process.stdout.write('skipped: tests on recorded data (set QUORUM_DATA to a folder that holds crypto/)\n');

/** Recorded files below a folder whose names match, as full paths in order. */
export function recordedFiles(folder: string, pattern: RegExp): string[] {
  const path = join(RECORDED!, folder);
  return readdirSync(path)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(path, name));
}
