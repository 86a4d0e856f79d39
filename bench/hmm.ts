// Baum-Welch of our Gaussian hidden Markov model beside numpy: the same rows, the same parameters to start from and the
// same number of steps; both must come to the same likelihood. CPU time, medians of rounds in turns. The peer is numpy of
// /usr/bin/python3 (Debian: python3-numpy) twice: its recursions row by row, and as a scan over pieces that walk side by
// side, which is the fastest way we found to write them in numpy. The share is against the faster one.
// npm run bench:hmm [-- ROWS STEPS ROUNDS]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Chance } from '#base';
import { fitHmm, type HmmRows } from '#research';
import type { HmmParameters } from '#signals';
import { cpuSeconds, median } from './support/measure.ts';

const count = Number(process.argv[2] ?? 100_000);
const steps = Number(process.argv[3] ?? 10);
const rounds = Number(process.argv[4] ?? 5);
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('support/numpy-hmm.py', import.meta.url));
/** Our floor is a share of each feature's variance; too small here to matter, as a state of these rows never shrinks. */
const FLOOR = 1e-9;

interface PeerResult {
  readonly seconds: readonly number[];
  readonly logLikelihood: number;
  readonly version: string;
}

/** Returns that stay about 50 rows in each of K states; a second column goes along with the first. */
function madeUp(states: number, dimensions: number): HmmRows {
  const chance = new Chance(`hmm bench ${states} ${dimensions}`);
  const values = new Float64Array(count * dimensions);
  let state = 0;
  for (let t = 0; t < count; t++) {
    if (chance.happens(0.02)) state = chance.below(states);
    const size = 0.004 * 2 ** state;
    const first = 0.001 * (state - 1) + size * chance.normal();
    for (let i = 0; i < dimensions; i++) {
      values[t * dimensions + i] = i === 0 ? first : 0.5 * first + size * chance.normal();
    }
  }
  const features = Array.from({ length: dimensions }, (_, i) => `x${i}`);
  return { values, features };
}

/** Deliberately wrong by a little, so that there is something to learn. */
function beginning(states: number, { features }: HmmRows): HmmParameters {
  const d = features.length;
  const by = <T>(make: (s: number) => T) => Array.from({ length: states }, (_, s) => make(s));
  return {
    kind: 'gaussian-hmm',
    features,
    names: by((s) => `state-${s}`),
    initial: by(() => 1 / states),
    transition: by((i) => by((j) => (i === j ? 0.9 : 0.1 / (states - 1)))),
    means: by((s) => features.map(() => 0.0005 * (s - 1))),
    covariance: 'full',
    covariances: by((s) =>
      Array.from({ length: d * d }, (_, m) => (m % (d + 1) === 0 ? (0.005 * 1.7 ** s) ** 2 : 0)),
    ),
  };
}

function numpy(folder: string, way: string, rows: HmmRows, start: HmmParameters): PeerResult | null {
  const d = rows.features.length;
  const file = join(folder, 'rows.f64');
  const job = join(folder, 'job.json');
  writeFileSync(file, new Uint8Array(rows.values.buffer));
  const covariances = start.covariances.map((row) =>
    Array.from({ length: d }, (_, i) => row.slice(i * d, (i + 1) * d)),
  );
  const { initial, transition, means } = start;
  // a row takes the loop some microseconds: one round of it tells enough
  const turns = way === 'loop' ? 1 : rounds;
  const work = {
    rows: file,
    dimensions: d,
    initial,
    transition,
    means,
    covariances,
    steps,
    way,
    rounds: turns,
  };
  writeFileSync(job, JSON.stringify({ ...work, floor: 1e-15 }));
  // one thread: those of a BLAS would be counted as CPU time and make the peer look slower than it is
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, job], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`numpy failed: ${stderr}`);
  return JSON.parse(stdout) as PeerResult;
}

async function ours(rows: HmmRows, start: HmmParameters) {
  const seconds: number[] = [];
  let logLikelihood = Number.NaN;
  const options = {
    start,
    restarts: 0,
    iterationsMax: steps,
    tolerance: 0,
    covarianceFloor: FLOOR,
    seed: '',
  };
  for (let round = 0; round < rounds + 1; round++) {
    seconds.push(
      await cpuSeconds(() => {
        const fit = fitHmm(rows, { ...options, states: start.names.length });
        if (fit.iterations !== steps)
          throw new Error(`nothing to learn after ${fit.iterations} steps: ask for fewer`);
        logLikelihood = fit.logLikelihood;
      }),
    );
  }
  // the first round warms the compiler up, as Python needs no warming
  return { seconds: median(seconds.slice(1)), logLikelihood };
}

if (spawnSync(PYTHON, ['-c', 'import numpy']).status !== 0) {
  console.log(`skipped: ${PYTHON} has no numpy (Debian: python3-numpy)`);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'quorum-hmm-'));
const row = (cells: readonly string[]) =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(22) : c.padStart(12))).join(' '));
console.log(`${count} rows, ${steps} steps of Baum-Welch, full covariances; CPU milliseconds a step`);
row(['model', 'ours', 'numpy scan', 'numpy loop', 'scan/ours', 'loop/ours', 'likelihoods']);
let least = Infinity;
for (const [states, dimensions] of [
  [2, 1],
  [3, 1],
  [3, 2],
  [4, 3],
] as const) {
  const rows = madeUp(states, dimensions);
  const start = beginning(states, rows);
  const own = await ours(rows, start);
  const scan = numpy(folder, 'scan', rows, start)!;
  const loop = numpy(folder, 'loop', rows, start)!;
  const off = Math.max(...[scan, loop].map((p) => Math.abs(p.logLikelihood / own.logLikelihood - 1)));
  if (!(off < 1e-9))
    throw new Error(`likelihoods ${own.logLikelihood}, ${scan.logLikelihood}, ${loop.logLikelihood}`);
  const ms = [own.seconds, median(scan.seconds), median(loop.seconds)].map((s) => (1000 * s) / steps);
  least = Math.min(least, ms[1]! / ms[0]!, ms[2]! / ms[0]!);
  const figures = [
    ...ms.map((m) => m.toFixed(2)),
    (ms[1]! / ms[0]!).toFixed(1),
    (ms[2]! / ms[0]!).toFixed(1),
  ];
  row([
    `${states} states, ${dimensions} feature${dimensions > 1 ? 's' : ''}`,
    ...figures,
    `to ${off.toExponential(0)}`,
  ]);
}
rmSync(folder, { recursive: true, force: true });
console.log(`least lead over the faster numpy: ${least.toFixed(2)} times (at least 1.5 wanted)`);
if (least < 1.5) process.exitCode = 1;
