import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Reading and compiling its own sources is most of what a short command does, so the result is kept beside the installed
 * packages of `root`, the program's folder: who can write there can change the program itself, and the folder goes when
 * they go. Node looks at each file's content before it takes what was kept, and has a folder for each version and user.
 * Where nothing can be written, nothing is kept. NODE_DISABLE_COMPILE_CACHE=1 turns it off, NODE_COMPILE_CACHE names
 * another folder.
 */
export function keepCompiled(root) {
  let folder = root;
  try {
    for (const name of ['node_modules/', '.cache/', 'quorum/']) {
      folder = new URL(name, folder);
      // one by one: Node making all of them at once never ends on a file system that says "no such folder" to each
      if (!existsSync(folder)) mkdirSync(folder);
    }
    accessSync(folder, constants.W_OK);
  } catch {
    return;
  }
  enableCompileCache(fileURLToPath(folder));
}
