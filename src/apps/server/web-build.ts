import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { PROGRAM_ROOT } from '../setup/code-hash.ts';

/** Where the sources of the pages are in a clone. */
const WEB = resolve(PROGRAM_ROOT, '..', 'web');
const BUILT = join(WEB, 'dist');
/** Kept beside what was built: what it was built from. */
const MARK = '.sources';
const SOURCES = [
  'index.html',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
  'src/**/*',
  'public/**/*',
  '../src/apps/contract/**/*.ts',
];
const BUILD_MS = 120_000;

/** The pages as they are to be served. */
export interface WebFiles {
  /** Null when there are none. */
  readonly root: string | null;
  /** Why they are missing or old; null when all is well. */
  readonly trouble: string | null;
}

/**
 * The folder of the built pages: those of the package, or in a clone those built from its sources, which are built now when
 * they have changed. Never throws: a console without pages still answers.
 */
export async function ensureWebBuilt(say: (line: string) => void): Promise<WebFiles> {
  const packed = join(PROGRAM_ROOT, 'web');
  if (existsSync(join(packed, 'index.html'))) return { root: packed, trouble: null };
  if (!existsSync(join(WEB, 'vite.config.ts')))
    return { root: null, trouble: 'the pages of the console are missing from this package' };
  const wanted = hashOfSources();
  if (builtFrom() === wanted) return { root: BUILT, trouble: null };
  const began = performance.now();
  say('the pages of the console have changed: building them');
  const failure = await build(wanted);
  if (failure === null) {
    say(`the pages of the console are built (${((performance.now() - began) / 1_000).toFixed(1)} s)`);
    return { root: BUILT, trouble: null };
  }
  const old = existsSync(join(BUILT, 'index.html'));
  const trouble = `the pages of the console cannot be built${old ? '; older ones are shown' : ''}: ${failure}`;
  return { root: old ? BUILT : null, trouble };
}

function builtFrom(): string | null {
  const mark = join(BUILT, MARK);
  return existsSync(mark) && existsSync(join(BUILT, 'index.html')) ? readFileSync(mark, 'utf8') : null;
}

/** SHA-256 over the names and contents of all that the pages are built from. */
function hashOfSources(): string {
  const hash = createHash('sha256');
  const files = globSync(SOURCES, { cwd: WEB, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    const contents = readFileSync(path);
    hash.update(`${path.slice(WEB.length)}\n${contents.length}\n`).update(contents);
  }
  return hash.digest('hex');
}

/** Builds aside and puts the result in its place at once. Returns why it failed, or null. */
async function build(wanted: string): Promise<string | null> {
  const aside = join(WEB, `.build-${process.pid}`);
  try {
    const made = join(aside, 'dist');
    mkdirSync(aside, { recursive: true });
    const failure = await runVite(made);
    if (failure !== null) return failure;
    writeFileSync(join(made, MARK), wanted);
    rmSync(BUILT, { recursive: true, force: true });
    renameSync(made, BUILT);
    return null;
  } catch (error) {
    // another start may have put its own result there in between: the same files
    return builtFrom() === wanted ? null : (error as Error).message;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

function runVite(outDir: string): Promise<string | null> {
  let vite: string;
  try {
    vite = join(
      createRequire(join(WEB, 'package.json')).resolve('vite/package.json'),
      '..',
      'bin',
      'vite.js',
    );
  } catch {
    return Promise.resolve('vite is not installed (npm install)');
  }
  return new Promise((done) => {
    const args = [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'];
    const child = spawn(process.execPath, args, {
      cwd: WEB,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_MS,
      env: { ...process.env, NODE_ENV: 'production' },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-2_000);
    });
    child.on('error', (error) => done(error.message));
    child.on('close', (code) =>
      done(code === 0 ? null : said.trim().split('\n')[0] || `vite ended with ${code}`),
    );
  });
}
