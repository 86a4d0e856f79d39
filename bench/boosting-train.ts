// Our gradient boosting beside XGBoost's `hist` on the same rows: CPU time from rows in memory to the model, peak memory,
// how well both rank rows held out, whether each reads the other's file, and how our cost grows. Every run is a process of
// its own, in turns. XGBoost is Debian's python3-xgboost, run with /usr/bin/python3; without it our own figures are printed.
// npm run bench:train [-- ROWS,... THREADS,... ROUNDS quick]
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chance } from '#base';
import { areaUnderCurve } from '#research';
import { BoostedScorer, parseBoostedModel } from '#signals';
import { median } from './support/measure.ts';

const numbers = (text: string | undefined, otherwise: readonly number[]) =>
  text === undefined ? otherwise : text.split(',').map(Number);
const sizes = numbers(process.argv[2], [100_000, 1_000_000]);
const threadCounts = numbers(process.argv[3], [1, 2]);
const rounds = Number(process.argv[4] ?? 3);
const quick = process.argv[5] === 'quick';

const PYTHON = '/usr/bin/python3';
const FEATURES = 32;
const TREES = 200;
const HELD_OUT = 50_000;
/** What growth is measured with. */
const GROWTH = {
  trees: 50,
  rows: [125_000, 250_000, 500_000, 1_000_000],
  rowsFeatures: 32,
  features: [8, 16, 32, 64],
  featuresRows: 250_000,
};

const folder = mkdtempSync(join(tmpdir(), 'quorum-boosting-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const hasPeer = spawnSync(PYTHON, ['-c', 'import xgboost']).status === 0;

interface Run {
  /** CPU, all threads. */
  readonly seconds: number;
  readonly peakMiB: number;
  readonly version?: string;
}

/** Rows of normal values, whose label depends on a line, a product, a wave and chance. */
function writeRows(rows: number, features: number): void {
  const chance = new Chance(`boosting ${rows} x ${features}`);
  const values = openSync(join(folder, 'values'), 'w');
  const labels = openSync(join(folder, 'labels'), 'w');
  const block = 10_000;
  const some = new Float32Array(block * features);
  const label = new Float32Array(block);
  for (let from = 0; from < rows; from += block) {
    const length = Math.min(block, rows - from);
    for (let i = 0; i < length * features; i++) some[i] = chance.normal();
    for (let row = 0; row < length; row++) {
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => some[row * features + k]!) as [
        number,
        number,
        number,
        number,
      ];
      label[row] = chance.uniform() < 1 / (1 + Math.exp(-a - b * c - Math.sin(3 * d))) ? 1 : 0;
    }
    writeSync(values, some.subarray(0, length * features));
    writeSync(labels, label.subarray(0, length));
  }
  closeSync(values);
  closeSync(labels);
}

function run(command: string, script: string, options: readonly (string | number)[]): Run {
  const path = fileURLToPath(new URL(`support/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(command, [path, folder, ...options.map(String)], {
    encoding: 'utf8',
    // XGBoost's threads then wait without using the processor, as ours do: by default they turn in circles, at times for
    // several times the work
    env: { ...process.env, OMP_WAIT_POLICY: 'passive' },
  });
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`);
  return JSON.parse(stdout) as Run;
}

const ours = (...options: number[]) => run(process.execPath, 'boosting-run.ts', options);
const theirs = (...options: (number | string)[]) => run(PYTHON, 'xgboost-train.py', options);

const floats = (name: string) => {
  const bytes = readFileSync(join(folder, name));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
};

/** Our scorer's predictions for the held-out rows. */
function predictionsOf(file: string, rows: number): Float32Array {
  const scorer = new BoostedScorer(parseBoostedModel(JSON.parse(readFileSync(join(folder, file), 'utf8'))));
  const values = floats('values');
  const out = new Float64Array(1);
  return Float32Array.from({ length: HELD_OUT }, (_, i) => {
    const at = (rows + i) * FEATURES;
    scorer.predictions(values.subarray(at, at + FEATURES), out);
    return out[0]!;
  });
}

const farthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

const line = (cells: readonly (string | number)[]) =>
  console.log(cells.map((cell, i) => String(cell).padStart(i === 0 ? 14 : 12)).join(''));

function compare(rows: number): void {
  writeRows(rows + HELD_OUT, FEATURES);
  const auc: string[] = [];
  for (const threads of threadCounts) {
    const options = [rows, HELD_OUT, FEATURES, TREES, threads];
    const [own, peer]: [Run[], Run[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      own.push(ours(...options));
      if (hasPeer) peer.push(theirs(...options));
    }
    const seconds = (runs: readonly Run[]) => median(runs.map((one) => one.seconds));
    const peak = (runs: readonly Run[]) => median(runs.map(({ peakMiB }) => peakMiB)).toFixed(0);
    const ratio = hasPeer ? median(own.map((one, k) => one.seconds / peer[k]!.seconds)).toFixed(2) : '-';
    line([
      ...[rows, threads, seconds(own).toFixed(2), hasPeer ? seconds(peer).toFixed(2) : '-', ratio],
      ...[peak(own), hasPeer ? peak(peer) : '-'],
    ]);
  }
  const labels = floats('labels').subarray(rows, rows + HELD_OUT);
  const area = (predictions: Float32Array) => areaUnderCurve(predictions, labels, null);
  const mine = predictionsOf('ours.json', rows);
  if (hasPeer) {
    theirs(rows, HELD_OUT, FEATURES, TREES, 1, 'load');
    const read = farthest(mine, floats('ours-by-xgboost'));
    const peers = floats('theirs-by-xgboost');
    const written = farthest(predictionsOf('theirs.json', rows), peers);
    auc.push(
      `XGBoost ${area(peers).toFixed(5)}, apart ${Math.abs(area(mine) - area(peers)).toFixed(5)}`,
      `our file in XGBoost within ${read.toExponential(1)}, its file here within ${written.toExponential(1)}`,
    );
  }
  console.log(`    held-out AUC: ours ${area(mine).toFixed(5)}${auc.map((text) => `; ${text}`).join('')}`);
}

/** The slope of the logarithms: 1 where twice as much takes twice as long. */
function exponentOf(sizes: readonly number[], seconds: readonly number[]): number {
  const [x, y] = [sizes, seconds].map((values) => values.map(Math.log));
  const centre = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [centre(x!), centre(y!)];
  const slope = x!.reduce((sum, value, i) => sum + (value - mx) * (y![i]! - my), 0);
  return slope / x!.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

function growth(
  name: string,
  sizes: readonly number[],
  shapeOf: (size: number) => readonly [number, number],
): void {
  const [own, peer]: [number[], number[]] = [[], []];
  for (const size of sizes) {
    const [rows, features] = shapeOf(size);
    writeRows(rows, features);
    const options = [rows, 0, features, GROWTH.trees, 1];
    const least = (one: () => Run) => Math.min(...Array.from({ length: 2 }, () => one().seconds));
    own.push(least(() => ours(...options)));
    if (hasPeer) peer.push(least(() => theirs(...options)));
  }
  const told = (seconds: readonly number[]) =>
    `${seconds.map((value) => value.toFixed(2)).join(', ')} s, exponent ${exponentOf(sizes, seconds).toFixed(2)}`;
  console.log(`${name} ${sizes.join(', ')}: ours ${told(own)}${hasPeer ? `; XGBoost ${told(peer)}` : ''}`);
}

if (!hasPeer)
  console.log(`skipped: ${PYTHON} has no xgboost (Debian: python3-xgboost); our own figures follow`);
console.log(
  `${TREES} trees of depth 6 on ${FEATURES} features; CPU seconds, medians of ${rounds} rounds in turns; MiB at most`,
);
line(['rows', 'threads', 'ours', 'XGBoost', 'ratio', 'our MiB', 'its MiB']);
for (const rows of sizes) compare(rows);
if (!quick) {
  const { trees, rows, rowsFeatures, features, featuresRows } = GROWTH;
  console.log(`how the CPU time of ${trees} trees grows, one thread, the better of two runs`);
  growth(`rows (${rowsFeatures} features)`, rows, (size) => [size, rowsFeatures]);
  growth(`features (${featuresRows} rows)`, features, (size) => [featuresRows, size]);
}
