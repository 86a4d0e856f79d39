import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '#base';
import { isSystemError } from './durable-file.ts';

/**
 * Makes a folder and those above it. Throws {@link InputError} where a file stands in the way or the file system makes no
 * folders, as /proc, where Node's own recursive call never returns.
 */
export function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined)
    throw new InputError(`${path} is a file where a folder is needed`, 'name another place');
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path);
  } catch (error) {
    // another process may have made it just now
    if (isSystemError(error, 'EEXIST') && statSync(path).isDirectory()) return;
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new InputError(`no folder can be made at ${path}`, 'name a place on an ordinary disk');
  }
}
