// Packs the program, installs the tarball in an empty folder and lives there as a user would: own desk, own bars, types.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'quorum-pack-'));
const home = join(work, 'home');
const started = Date.now();

/** The environment of a new shell: nothing of this npm run is handed down. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_)|NODE_OPTIONS$|INIT_CWD$)/i.test(name)),
);
environment.PATH = (process.env.PATH ?? '')
  .split(':')
  .filter((dir) => !dir.includes('node_modules'))
  .join(':');

function run(cwd: string, command: string, args: readonly string[], code = 0): string {
  const done = spawnSync(command, args, { cwd, env: environment, encoding: 'utf8', maxBuffer: 1 << 28 });
  const text = `${done.stdout}${done.stderr}`;
  assert.equal(done.status, code, `${command} ${args.join(' ')} ended with ${done.status}\n${text}`);
  return done.stdout;
}

function step(text: string): void {
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}\n`);
}

/** A seeded walk of hourly bars that keeps falling back and recovering, so that the desk trades. */
function walk(rows: number): string {
  const lines = ['time,open,high,low,close,volume'];
  let price = 100;
  let chance = 12345;
  for (let i = 0; i < rows; i++) {
    chance = (Math.imul(chance, 1664525) + 1013904223) >>> 0;
    const open = price;
    price = open * (1 + 0.0004 + 0.004 * Math.sin(i / 6) + (chance / 2 ** 32 - 0.5) * 0.01);
    const high = Math.max(open, price) * 1.001;
    const low = Math.min(open, price) * 0.999;
    lines.push(`${1_699_999_200_000 + i * 3_600_000},${open},${high},${low},${price},1000`);
  }
  return `${lines.join('\n')}\n`;
}

function pack(): string {
  const [packed] = JSON.parse(run(root, 'npm', ['pack', '--json', '--pack-destination', work])) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = packed.files.map(({ path }) => path);
  const stray = paths.filter((path) =>
    /^(src|test|examples|bench|scripts|docs)\/|\.test\.|\.csv|test-kit/.test(path),
  );
  assert.deepEqual(stray, [], 'the tarball holds sources, tests or data');
  assert.deepEqual(
    paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')),
    [],
  );
  for (const needed of [
    'bin/quorum.js',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/package.json',
    'dist/web/index.html',
    'LICENSE',
  ]) {
    assert.ok(paths.includes(needed), `the tarball lacks ${needed}`);
  }
  step(`packed ${packed.filename}: ${paths.length} files`);
  return join(work, packed.filename);
}

/** False when the registry cannot be reached and the cache does not have everything. */
function install(tarball: string): boolean {
  mkdirSync(home);
  const args = ['install', tarball, '--prefer-offline', '--no-progress', '--loglevel=error'];
  const done = spawnSync('npm', args, { cwd: home, env: environment, encoding: 'utf8' });
  if (done.status !== 0 && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENOTCACHED|ETIMEDOUT/.test(done.stderr))
    return false;
  assert.equal(done.status, 0, `npm install ended with ${done.status}\n${done.stdout}${done.stderr}`);
  step('installed in an empty folder');
  return true;
}

function ownDesk(): void {
  assert.match(run(home, 'npx', ['quorum', '--help']), /Usage: quorum/);
  assert.match(run(home, 'npx', ['quorum', '--version']), /^\d+\.\d+\.\d+/);
  run(home, 'npx', ['quorum', 'new', 'my-desk']);
  const desk = readFileSync(join(home, 'my-desk', 'desk.ts'), 'utf8');
  assert.ok(desk.trimEnd().split('\n').length <= 25, 'the new desk has more than 25 lines');
  writeFileSync(join(home, 'WALK-1h.csv'), walk(5_000));
  const args = ['quorum', 'backtest', 'my-desk/desk.ts', '--bars', 'WALK-1h.csv', '--out', 'run', '--json'];
  const summary = JSON.parse(run(home, 'npx', args)) as { desk: string; bars: number; trades: number };
  assert.equal(summary.desk, 'my-desk');
  assert.equal(summary.bars, 5_000);
  assert.ok(summary.trades > 10, `the desk made ${summary.trades} trades`);
  step(`own desk backtested: ${summary.trades} trades`);
  const grid = ['--param', 'oversold=20:35:5', '--workers', '2', '--json'];
  const sweep = run(home, 'npx', ['quorum', 'sweep', 'my-desk/desk.ts', '--bars', 'WALK-1h.csv', ...grid]);
  assert.equal((JSON.parse(sweep) as { done: number }).done, 4);
  step('own desk swept on two threads');
  run(home, 'npx', ['quorum', 'replay', 'run']);
  assert.match(run(home, 'npx', ['quorum', 'why', 'run']), /sources/);
  const list = JSON.parse(run(home, 'npx', ['quorum', 'features', '--list', '--json'])) as {
    features: unknown[];
  };
  assert.ok(list.features.length > 30);
  run(home, 'npx', ['quorum', 'doctor', '--offline']);
  run(home, 'npx', ['quorum', 'backtest', 'no-such-desk', '--bars', 'WALK-1h.csv'], 3);
  step('replay, why, features, doctor, and an error with its code');
}

/** What sends traces is installed by who wants it: without it the program says so, and only when it is asked for them. */
function withoutTraces(): void {
  const env = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  const args = ['quorum', 'start', '--demo', '--no-console', '--slices', '3', '--speed', '0'];
  const asked = spawnSync('npx', args, { cwd: home, env, encoding: 'utf8' });
  assert.equal(asked.status, 3, `${asked.stdout}${asked.stderr}`);
  assert.match(asked.stderr, /npm install @opentelemetry\/exporter-trace-otlp-http/);
  run(home, 'npx', args);
  step('a portfolio without traces, and a word where they are asked for');
}

function javaScriptDesk(): void {
  run(home, 'npx', ['quorum', 'new', 'plain', '--js']);
  const text = run(home, 'npx', ['quorum', 'backtest', 'plain/desk.js', '--bars', 'WALK-1h.csv', '--json']);
  assert.equal((JSON.parse(text) as { desk: string }).desk, 'plain');
  step('JavaScript desk backtested');
}

function types(): void {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run(join(home, 'my-desk'), process.execPath, [compiler, '-p', '.']);
  const file = join(home, 'typed.ts');
  writeFileSync(
    file,
    [
      "import { defineDesk, single, fixedUnits, crossSource, z } from 'quorum';",
      "import { computeFeatures } from 'quorum/features';",
      "import { Backtest } from 'quorum/research';",
      'export const all = [computeFeatures, Backtest];',
      'export default defineDesk({',
      "  name: 'typed', parameters: z.strictObject({ fast: z.int().default(3) }).prefault({}),",
      "  build: ({ fast }) => { const n: number = fast; return { interval: 'tape', warmUpBars: n,",
      "    sources: [crossSource({ fast: 'sma:3', slow: 'sma:9' })], pooling: single(), sizer: fixedUnits(1) }; },",
      '});',
    ].join('\n'),
  );
  // the strictest a user can be: no tsconfig, no @types/node, declarations checked too
  const strict = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext'];
  run(home, process.execPath, [compiler, ...strict, 'typed.ts']);
  writeFileSync(file, readFileSync(file, 'utf8').replace('const n: number', 'const n: string'));
  const wrong = spawnSync(process.execPath, [compiler, ...strict, 'typed.ts'], {
    cwd: home,
    encoding: 'utf8',
  });
  assert.notEqual(wrong.status, 0, 'a wrong type was not found');
  assert.match(wrong.stdout, /typed\.ts\(7,/);
  step("types hold in a user's project");
}

try {
  const tarball = pack();
  if (install(tarball)) {
    ownDesk();
    withoutTraces();
    javaScriptDesk();
    types();
    assert.ok(!existsSync(join(home, 'node_modules', 'quorum', 'src')));
    step('the package works');
  } else step('SKIPPED 1: the registry cannot be reached, so the tarball was packed but not installed');
} finally {
  rmSync(work, { recursive: true, force: true });
}
