// Our scorer beside XGBoost's on models that XGBoost trained: the greatest difference of their predictions, and the CPU
// time of one row, alone and in a block of 2,000. XGBoost is Debian's python3-xgboost, run with /usr/bin/python3.
// npm run bench:score [-- SECONDS]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BoostedExplainer, BoostedScorer, readBoostedModel } from '#signals';
import { cpuSeconds } from './support/measure.ts';

const seconds = Number(process.argv[2] ?? 1.5);
const PYTHON = '/usr/bin/python3';

interface Peer {
  readonly name: string;
  readonly features: number;
  readonly file: string;
  readonly trees: number;
  /** CPU seconds of a row: alone, in a block, explained. */
  readonly single: number;
  readonly batch: number;
  readonly shap: number;
  readonly rows: readonly (readonly (number | null)[])[];
  readonly predictions: readonly (readonly number[])[];
  readonly version: string;
}

function peers(folder: string): Peer[] {
  const script = fileURLToPath(new URL('support/xgboost-score.py', import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const { status, stdout, stderr } = spawnSync(PYTHON, [script, folder, `${seconds}`], {
    env,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`XGBoost failed: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Peer);
}

/** The least CPU time per row of several turns, the compiler warm. */
async function cpuPerRow(work: () => void, rows: number): Promise<number> {
  await cpuSeconds(() => {
    const until = process.cpuUsage().user + 3e5;
    while (process.cpuUsage().user < until) work();
  });
  let least = Infinity;
  for (let turn = 0; turn < 3; turn++) {
    let done = 0;
    const used = await cpuSeconds(() => {
      const until = process.cpuUsage().user + (1e6 * seconds) / 3;
      while (process.cpuUsage().user < until) {
        for (let i = 0; i < 4; i++, done += rows) work();
      }
    });
    least = Math.min(least, used / done);
  }
  return least;
}

async function measure(peer: Peer): Promise<readonly string[]> {
  const model = readBoostedModel(readFileSync(peer.file));
  const scorer = new BoostedScorer(model);
  const count = peer.rows.length;
  const rows = peer.rows.map((row) => Float32Array.from(row, (cell) => cell ?? Number.NaN));
  const block = new Float32Array(count * peer.features);
  rows.forEach((row, i) => {
    block.set(row, i * peer.features);
  });
  const out = new Float64Array(scorer.outputs);
  let worst = 0;
  rows.forEach((row, i) => {
    scorer.predictions(row, out);
    peer.predictions[i]!.forEach((theirs, o) => {
      worst = Math.max(worst, Math.abs(out[o]! - theirs));
    });
  });
  // each call another row: the same one again and again is learned by the processor's branch predictor
  const single = await cpuPerRow(() => {
    for (let i = 0; i < count; i++) scorer.predictions(rows[i]!, out);
  }, count);
  const margins = new Float64Array(count * scorer.outputs);
  const batch = await cpuPerRow(() => {
    for (let i = 0; i < count; i++) scorer.marginsAt(block, i * peer.features, margins, i * scorer.outputs);
  }, count);
  const explainer = new BoostedExplainer(model);
  const parts = new Float64Array(scorer.outputs * (peer.features + 1));
  const shap = await cpuPerRow(() => {
    for (let i = 0; i < 20; i++) explainer.values(rows[i]!, parts);
  }, 20);
  const micro = (time: number) => (1e6 * time).toFixed(2);
  const ratio = (theirs: number, ours: number) => `${(theirs / ours).toFixed(1)} x`;
  return [
    peer.name,
    `${peer.trees} x ${peer.features}`,
    worst.toExponential(1),
    micro(single),
    micro(peer.single),
    ratio(peer.single, single),
    micro(batch),
    micro(peer.batch),
    ratio(peer.batch, batch),
    micro(shap),
    micro(peer.shap),
    ratio(peer.shap, shap),
  ];
}

if (spawnSync(PYTHON, ['-c', 'import xgboost']).status !== 0) {
  console.log(`skipped: ${PYTHON} has no xgboost (Debian: python3-xgboost)`);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'boosting-score-'));
  const found = peers(folder);
  console.log(`CPU microseconds a row on one thread; XGBoost ${found[0]!.version} called from Python`);
  const print = (cells: readonly string[]) =>
    console.log(
      cells.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(i === 1 ? 10 : 9))).join(' '),
    );
  print([
    'model',
    'trees x f',
    'greatest',
    'single',
    'xgboost',
    'faster',
    'block',
    'xgboost',
    'faster',
    'shap',
    'xgboost',
    'faster',
  ]);
  for (const peer of found) print(await measure(peer));
  rmSync(folder, { recursive: true, force: true });
}
