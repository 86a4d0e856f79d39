// Builds dist/ for the packed tarball: JavaScript and type declarations of src/, and the pages of the console. Run by `npm pack` and `npm publish`.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  imports: Record<string, string>;
};

/** The doors of the rooms as they stand in dist/: `./src/base/index.ts` becomes `./base/index.js`. */
function builtDoors(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest.imports).map(([door, path]) => [
      door,
      path.replace(/^\.\/src\//, './').replace(/\.ts$/, '.js'),
    ]),
  );
}

const compiler = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);
rmSync(join(root, 'dist'), { recursive: true, force: true });
const built = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
  cwd: root,
  // what goes to stdout would become part of `npm pack --json`
  stdio: ['ignore', 2, 2],
});
if (built.status !== 0) process.exit(built.status ?? 1);
// rooms import each other as #base, #market, ...: the nearest package.json says where those doors are
writeFileSync(
  join(root, 'dist', 'package.json'),
  `${JSON.stringify({ type: 'module', imports: builtDoors() }, null, 2)}\n`,
);
// users need no @types/node: the few declarations that name Node's Buffer say what it is
for (const file of globSync('dist/**/*.d.ts', { cwd: root })) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (/\bBuffer\b/.test(text)) writeFileSync(path, text.replace(/\bBuffer\b/g, 'Uint8Array'));
}

const vite = join(
  dirname(createRequire(join(root, 'web', 'package.json')).resolve('vite/package.json')),
  'bin',
  'vite.js',
);
const pages = spawnSync(
  process.execPath,
  [vite, 'build', '--outDir', join(root, 'dist', 'web'), '--emptyOutDir', '--logLevel', 'warn'],
  { cwd: join(root, 'web'), stdio: ['ignore', 2, 2], env: { ...process.env, NODE_ENV: 'production' } },
);
if (pages.status !== 0) process.exit(pages.status ?? 1);
