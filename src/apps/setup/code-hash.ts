import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the running program's own code: `src` in a clone, `dist` in a package. */
export const PROGRAM_ROOT = fileURLToPath(new URL('../../', import.meta.url));

let known: string | null = null;

/** SHA-256 over the program's decision-making code: two journals with one hash were decided by the same rules. */
export function codeHash(): string {
  if (known !== null) return known;
  const hash = createHash('sha256');
  const rooms = [
    'base',
    'market',
    'ledger',
    'features',
    'signals',
    'ensemble',
    'risk',
    'execution',
    'learning',
  ];
  for (const room of [...rooms, 'engine', 'desks', 'research']) {
    const folder = join(PROGRAM_ROOT, room);
    if (!existsSync(folder)) continue;
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((f) => f.isFile() && /(?<!\.test)(?<!\.d)\.(ts|js)$/.test(f.name))
      .map((f) => join(f.parentPath, f.name))
      .sort();
    for (const file of files)
      hash.update(relative(PROGRAM_ROOT, file)).update('\0').update(readFileSync(file));
  }
  known = hash.digest('hex');
  return known;
}

/** Version of the package the program belongs to. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PROGRAM_ROOT, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
