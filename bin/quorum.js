#!/usr/bin/env node
// Starts the program: the TypeScript sources in a clone, the built files in an installed package.
// Under an older host it starts itself again with the Node that was installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as modules from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serveOwnEntries } from './own-entries.js';
import { tuneCompiler } from './tune-compiler.js';

const NEEDED = 24;
const root = new URL('../', import.meta.url);
const major = Number(process.versions.node.split('.')[0]);

function pinnedNode() {
  const require = modules.createRequire(import.meta.url);
  const os = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const manifest = require.resolve(`node-${os}-${process.arch}/package.json`);
    const binary = new URL(
      process.platform === 'win32' ? 'bin/node.exe' : 'bin/node',
      pathToFileURL(manifest),
    );
    return existsSync(binary) ? fileURLToPath(binary) : null;
  } catch {
    return null;
  }
}

function startAgain() {
  const node = pinnedNode();
  if (node === null) {
    process.stderr.write(
      `quorum needs Node ${NEEDED} or newer and this is ${process.versions.node}.\n` +
        'Install Node 24, or run "npm install" without --omit=optional so that the pinned Node comes along.\n',
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    // so that a program whose launcher was killed ends as well
    env: { ...process.env, QUORUM_LAUNCHER: String(process.pid) },
  });
  // a terminal sends Ctrl-C to the child as well; anyone else sends it to this process only
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  const passedOn = process.platform === 'win32' ? ['SIGTERM', 'SIGHUP'] : ['SIGTERM', 'SIGHUP', 'SIGUSR2'];
  for (const signal of passedOn) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

if (major < NEEDED) startAgain();
else {
  tuneCompiler();
  // after that, since code compiled with other settings is of no use; loaded here, since an older Node cannot load it
  const { keepCompiled } = await import('./keep-compiled.js');
  keepCompiled(root);
  const built = !existsSync(new URL('src/index.ts', root));
  const base = new URL(built ? 'dist/' : 'src/', root);
  serveOwnEntries(base, built ? '.js' : '.ts');
  const { main } = await import(new URL(built ? 'apps/cli/main.js' : 'apps/cli/main.ts', base).href);
  process.exitCode = await main(process.argv.slice(2));
}
