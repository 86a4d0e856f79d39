import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { PROGRAM_ROOT, packageVersion } from '../setup/code-hash.ts';

/** A file of a new desk's folder. */
export interface ScaffoldFile {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface ScaffoldRequest {
  readonly name: string;
  /** Absolute folder that will hold the files. */
  readonly dir: string;
  readonly language: 'ts' | 'js';
  /** Daily bars to try the desk on; null when there are none. */
  readonly sample: string | null;
}

const SAMPLE = 'bars/SPX-1d.csv';

/** Every file of a new desk's folder. */
export function scaffold(request: ScaffoldRequest): ScaffoldFile[] {
  const { name, dir, language, sample } = request;
  const files = [
    { path: `desk.${language}`, text: deskText(request) },
    { path: 'package.json', text: json(manifest(name, dir)) },
    { path: 'README.md', text: readme(request) },
    { path: '.gitignore', text: 'node_modules/\nruns/\n.quorum/\n' },
  ];
  if (language === 'ts') files.push({ path: 'tsconfig.json', text: json(typesConfig(dir)) });
  if (sample !== null) files.push({ path: SAMPLE, text: sample });
  return files;
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const slashes = (path: string) => path.split(sep).join('/');

/** An own strategy in at most 25 lines: the page a newcomer changes. */
function deskText({ name, language }: ScaffoldRequest): string {
  return `// Buys a pull-back within a rising trend and leaves when it is over.
import { allIn, defineDesk, single, source, z } from 'quorum';
const pullBack = (oversold${language === 'ts' ? ': number' : ''}) =>
  source({
    name: 'pull-back',
    features: { rsi: 'rsi:4', trend: 'sma:100' },
    signal: (view, { rsi, trend }) => {
      const value = view.close > trend && rsi < oversold ? 1 : rsi > 65 ? -1 : 0;
      return value === 0 ? null : { kind: 'score', source: 'pull-back', value, horizonMs: 5 * view.intervalMs };
    },
  });

export default defineDesk({
  name: '${name}',
  parameters: z.strictObject({ oversold: z.number().min(1).max(50).default(30) }).prefault({}),
  build: ({ oversold }) => ({
    interval: 'tape', // whatever the bars file holds; or '5m', '1h', '1d'
    warmUpBars: 100,
    sources: [pullBack(oversold)],
    pooling: single(),
    sizer: allIn(0.5),
    opposite: 'close',
    shorts: false,
  }),
});
`;
}

function manifest(name: string, dir: string): Record<string, unknown> {
  return {
    name,
    version: '0.0.0',
    private: true,
    type: 'module',
    dependencies: { quorum: dependency(dir) },
  };
}

/** Where the program that runs now lies: the root of a clone or of an installed package. */
const packageRoot = () => resolve(PROGRAM_ROOT, '..');
const MODULES = `${sep}node_modules${sep}`;
const isInstalled = () => packageRoot().includes(MODULES);

/** What `dependencies.quorum` says: the same clone or tarball that runs now, else a range of versions. */
function dependency(dir: string): string {
  const root = packageRoot();
  if (!isInstalled()) return `file:${slashes(relative(dir, root))}`;
  const owner = root.slice(0, root.lastIndexOf(MODULES));
  const spec = ownSpec(join(owner, 'package.json'));
  if (spec?.startsWith('file:')) return `file:${slashes(relative(dir, resolve(owner, spec.slice(5))))}`;
  return spec ?? `^${packageVersion()}`;
}

function ownSpec(path: string): string | null {
  if (!existsSync(path)) return null;
  const { dependencies } = JSON.parse(readFileSync(path, 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return dependencies?.quorum ?? null;
}

/** For editors: the program itself only strips types. A clone has no built declarations, so its sources serve. */
function typesConfig(dir: string): Record<string, unknown> {
  const clone = isInstalled() ? null : slashes(relative(dir, packageRoot()));
  const entry = (path: string) => [`${clone}/src/${path}`];
  return {
    compilerOptions: {
      target: 'es2024',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      ...(clone === null
        ? {}
        : {
            typeRoots: [`${clone}/node_modules/@types`],
            types: ['node'],
            paths: {
              quorum: entry('index.ts'),
              'quorum/features': entry('features/index.ts'),
              'quorum/research': entry('research/index.ts'),
            },
          }),
    },
    include: ['*.ts'],
  };
}

function readme({ name, language, sample }: ScaffoldRequest): string {
  const desk = `desk.${language}`;
  const bars = sample === null ? 'YOURFILE.csv' : SAMPLE;
  return `# ${name}

A trading desk for quorum. \`${desk}\` is the whole strategy: change it.

    npm install
    npx quorum backtest ${desk} --bars ${bars} --out runs/first
    npx quorum why runs/first
    npx quorum replay runs/first

A parameter is set from the command line: \`--set oversold=20\`. \`npx quorum features --list\` shows what a source may read.

Bars are CSV with the header \`time,open,high,low,close,volume\`, time being the open of the bar in epoch milliseconds
UTC. The file name up to the first \`-\` or \`.\` is the instrument. \`npx quorum data check FILE\` says what a file was
understood as, \`npx quorum data import FILE\` converts other formats, and
\`npx quorum data download BTCUSDT --interval 1h --from 2024-01-01\` fetches bars.
${sample === null ? '' : `\n\`${SAMPLE}\` is the S&P 500 index day by day, 2000 to 2020, from the package vega-datasets (BSD 3-Clause).\n`}`;
}
