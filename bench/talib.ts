// Batch indicators beside TA-Lib in C on the same random walk, rounds in turns, CPU nanoseconds a bar, medians; values are
// compared. Both write into columns that exist before and are used again, as whoever recomputes has them: fresh memory
// costs either as much as an indicator. TA-Lib is built from the sources in the npm package talib as its own makefile builds it (gcc -O2), in a temporary folder.
// npm run bench:talib [-- BARS ROUNDS NAME,...]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseFeature } from '#features';
import { collectGarbage, geometricMean, median } from './support/measure.ts';
import { randomWalk } from './support/walk.ts';

const bars = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
const only = process.argv[4]?.split(',');
const PACKAGE = 'talib@1.1.6';
/** Those of the package's makefile. */
const FLAGS = ['-pipe', '-fPIC', '-O2', '-fno-strict-aliasing', '-DTA_SINGLE_THREAD', '-march=x86-64'];
/** CPU seconds. */
const SHORTEST_TURN = 0.04;
/** Rounds before those that count: what the compiler does to a kernel takes more than one. */
const WARM = 3;
/** Values at the end whose sum is compared. */
const SUMMED = 1_000;

interface Row {
  readonly request: string;
  /** The functions that give what our kernel gives; the first one's first output is compared with our first column. */
  readonly functions: readonly string[];
  /** The column compared, when it is not the first. */
  readonly column?: number;
  /** Why the values are not compared. */
  readonly differs?: string;
  /** Share by which the values may differ, when TA-Lib's are the rougher ones. */
  readonly within?: number;
}

const all: readonly Row[] = [
  { request: 'sma:20', functions: ['SMA'] },
  { request: 'ema:20', functions: ['EMA'] },
  { request: 'wma:20', functions: ['WMA'] },
  { request: 'dema:20', functions: ['DEMA'] },
  { request: 'tema:20', functions: ['TEMA'] },
  { request: 'trix:15', functions: ['TRIX'] },
  { request: 'rsi:14', functions: ['RSI'] },
  { request: 'macd:12:26:9', functions: ['MACD'] },
  { request: 'roc:10', functions: ['ROC'] },
  { request: 'mom:10', functions: ['MOM'] },
  { request: 'stoch:14:3:3', functions: ['STOCH'] },
  { request: 'stochrsi:14:14:1', functions: ['STOCHRSI'] },
  { request: 'willr:14', functions: ['WILLR'] },
  { request: 'cci:20', functions: ['CCI'] },
  { request: 'ultosc:7:14:28', functions: ['ULTOSC'] },
  { request: 'adx:14', functions: ['ADX', 'PLUS_DI', 'MINUS_DI', 'DX'] },
  { request: 'aroon:14', functions: ['AROON', 'AROONOSC'] },
  { request: 'sar:0.02:0.2', functions: ['SAR'] },
  { request: 'linreg:20', functions: ['LINEARREG', 'LINEARREG_SLOPE'] },
  { request: 'max:20', functions: ['MAX'] },
  { request: 'min:20', functions: ['MIN'] },
  // five columns of ours, three of theirs
  { request: 'bbands:20:2', functions: ['BBANDS', 'PCTB_WIDTH'] },
  { request: 'stddev:20:1', functions: ['STDDEV'], within: 1e-6 },
  { request: 'tr', functions: ['TRANGE'] },
  { request: 'atr:14', functions: ['ATR'] },
  { request: 'natr:14', functions: ['NATR'] },
  { request: 'obv', functions: ['OBV'], differs: 'starts at another level' },
  { request: 'mfi:14', functions: ['MFI'] },
];

const rows = all.filter(({ request }) => only?.includes(request.split(':')[0]!) ?? true);
const columns = randomWalk(bars, 'talib');
const folder = mkdtempSync(join(tmpdir(), 'quorum-talib-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Runs a command in the temporary folder; its output, or null when it is absent or fails. */
function run(command: string, options: readonly string[]): string | null {
  const done = spawnSync(command, options, { cwd: folder, maxBuffer: 1 << 26 });
  return done.status === 0 ? done.stdout.toString() : null;
}

/** Builds the program that times TA-Lib, or says what is missing. */
function build(): string {
  if (run('npm', ['pack', PACKAGE]) === null) return `the package ${PACKAGE} cannot be fetched`;
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  if (run('tar', ['xzf', archive]) === null) return 'tar cannot unpack the package';
  const source = join(folder, 'package', 'src', 'lib');
  const files = ['ta_func', 'ta_common'].flatMap((room) =>
    readdirSync(join(source, 'src', room))
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(source, 'src', room, name)),
  );
  const includes = ['include', 'src/ta_common', 'src/ta_func'].map((path) => `-I${join(source, path)}`);
  const own = fileURLToPath(new URL('support/talib.c', import.meta.url));
  const built = run('gcc', [...FLAGS, '-w', ...includes, '-o', 'talib', own, ...files, '-lm']);
  return built === null ? 'gcc is absent or cannot build it' : '';
}

function writeColumns(): void {
  const { open, high, low, close, volume } = columns;
  const parts = [open, high, low, close, volume].map((column) =>
    Buffer.from(column.buffer, column.byteOffset, bars * 8),
  );
  writeFileSync(join(folder, 'bars'), Buffer.concat(parts));
}

interface Figure {
  readonly ns: number;
  readonly sum: number;
}

function theirs(): Map<string, Figure> {
  const out = run('./talib', [`${bars}`, 'bars']);
  if (out === null) throw new Error('the program that times TA-Lib failed');
  return new Map(
    out
      .trim()
      .split('\n')
      .map((line) => {
        const [name, ns, sum] = line.split(' ');
        return [name!, { ns: Number(ns), sum: Number(sum) }];
      }),
  );
}

const alive: unknown[] = [];
/** Columns that exist, as those of the C program do: fresh memory costs as much as an indicator. */
const OUT = Array.from({ length: 5 }, () => new Float64Array(bars).fill(0));

function ours({ request, column = 0 }: Row): Figure {
  const { definition, parameters } = parseFeature(request);
  const out = OUT.slice(0, definition.outputs.length);
  collectGarbage();
  let done = 0;
  let seconds = 0;
  const before = process.cpuUsage();
  do {
    const kernel = definition.create(parameters);
    alive.push(kernel);
    kernel.run(columns, out, 0, bars);
    done += bars;
    const used = process.cpuUsage(before);
    seconds = (used.user + used.system) / 1e6;
  } while (seconds < SHORTEST_TURN);
  const sum = out[column]!.subarray(bars - SUMMED, bars).reduce((total, value) => total + value, 0);
  return { ns: (seconds * 1e9) / done, sum };
}

function compare(): void {
  const own = rows.map((): number[] => []);
  const peer = new Map<string, number[]>();
  const sums = new Map<string, number>();
  const ownSums: number[] = [];
  for (let round = -WARM; round < rounds; round++) {
    rows.forEach((row, i) => {
      const { ns, sum } = ours(row);
      ownSums[i] = sum;
      if (round >= 0) own[i]!.push(ns);
    });
    if (round < 0) continue;
    for (const [name, { ns, sum }] of theirs()) {
      peer.set(name, [...(peer.get(name) ?? []), ns]);
      sums.set(name, sum);
    }
  }
  console.log(`batch indicators over ${bars} bars, CPU ns a bar, medians of ${rounds} rounds`);
  console.log('                     quorum  TA-Lib   ratio  its functions');
  const ratios: number[] = [];
  let worst = 0;
  rows.forEach((row, i) => {
    const ns = median(own[i]!);
    const their = row.functions.reduce((total, name) => total + median(peer.get(name)!), 0);
    const ratio = ns / their;
    ratios.push(ratio);
    const sum = sums.get(row.functions[0]!)!;
    const apart = Math.abs(ownSums[i]! - sum) / Math.max(1e-9, Math.abs(sum));
    if (row.differs === undefined) worst = Math.max(worst, apart);
    const note =
      row.differs ?? (apart > (row.within ?? 1e-9) ? `VALUES DIFFER by ${apart.toExponential(1)}` : '');
    console.log(
      `${row.request.padEnd(20)} ${ns.toFixed(1).padStart(6)} ${their.toFixed(1).padStart(7)} ${ratio.toFixed(2).padStart(7)}  ${row.functions.join(' + ')} ${note}`,
    );
  });
  console.log(
    `time against TA-Lib: geometric mean ${geometricMean(ratios).toFixed(2)}, most ${Math.max(...ratios).toFixed(2)}; values differ by at most ${worst.toExponential(1)}`,
  );
}

const missing = build();
if (missing !== '') console.log(`TA-Lib is not compared: ${missing}`);
else {
  writeColumns();
  compare();
}
