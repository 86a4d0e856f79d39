import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/**
 * The program's own files below a folder, without tests and declarations: paths below it with forward slashes, sorted,
 * so that they are the same on every system.
 */
export function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test)(?<!\.d)\.(ts|js)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
