// Our TPE beside Optuna's on Branin, Hartmann-6 and Rosenbrock-5: the median best of several seeds and the CPU time of
// one trial. Optuna is Debian's python3-optuna, run with /usr/bin/python3; without it that half is skipped.
// npm run bench:tpe [-- SEEDS TRIALS]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bestOfSeeds, branin, hartmann6, rosenbrock5, type TestProblem } from '#research';
import { cpuSeconds, median } from './support/measure.ts';

const seeds = Number(process.argv[2] ?? 20);
const trials = Number(process.argv[3] ?? 100);
const PYTHON = '/usr/bin/python3';

interface OptunaRow {
  readonly problem: string;
  readonly multivariate: boolean;
  readonly bests: readonly number[];
  readonly seconds: number;
  readonly version: string;
}

function optunaRows(): OptunaRow[] {
  if (spawnSync(PYTHON, ['-c', 'import optuna']).status !== 0) {
    console.log(`skipped: ${PYTHON} has no optuna (Debian: python3-optuna); our own figures follow`);
    return [];
  }
  const script = fileURLToPath(new URL('support/optuna-tpe.py', import.meta.url));
  // one thread: numpy's would be counted as CPU time and make the peer look slower than it is
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const { status, stdout, stderr } = spawnSync(PYTHON, [script, `${seeds}`, `${trials}`], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`optuna failed: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as OptunaRow);
}

/** Ours, whole studies as the peer's: asking, the function, telling. The compiler is warm, as Python needs no warming. */
async function ours(problem: TestProblem, multivariate: boolean) {
  const sampler = { kind: 'tpe', multivariate } as const;
  bestOfSeeds(problem, sampler, 5, trials);
  let bests: number[] = [];
  const seconds = await cpuSeconds(() => {
    bests = bestOfSeeds(problem, sampler, seeds, trials);
  });
  return { bests, seconds };
}

const peers = optunaRows();
console.log(`median best of ${seeds} seeds after ${trials} trials; CPU microseconds a trial`);
if (peers[0] !== undefined)
  console.log(`optuna ${peers[0].version}, whose default is single; our default is joint`);
const row = (cells: readonly string[]) =>
  console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(13) : cell.padStart(11))).join(' '));
row(['problem', 'densities', 'least', 'ours', 'optuna', 'ours us', 'optuna us', 'share']);
for (const problem of [branin, hartmann6, rosenbrock5]) {
  for (const multivariate of [false, true]) {
    const { bests, seconds } = await ours(problem, multivariate);
    const peer = peers.find((one) => one.problem === problem.name && one.multivariate === multivariate);
    const micro = (total: number) => (1e6 * total) / seeds / trials;
    row([
      problem.name,
      multivariate ? 'joint' : 'single',
      problem.least.toFixed(4),
      median(bests).toFixed(4),
      peer === undefined ? '-' : median(peer.bests).toFixed(4),
      micro(seconds).toFixed(1),
      peer === undefined ? '-' : micro(peer.seconds).toFixed(0),
      peer === undefined ? '-' : `${((100 * seconds) / peer.seconds).toFixed(1)} %`,
    ]);
  }
}
