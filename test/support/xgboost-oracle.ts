import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PYTHON = '/usr/bin/python3';

/** Version of the XGBoost that Debian's Python has, or null: such tests then skip and say so. */
export const XGBOOST: string | null = (() => {
  const { status, stdout } = spawnSync(PYTHON, ['-c', 'import xgboost; print(xgboost.__version__)'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : null;
})();

if (XGBOOST === null) process.stdout.write('skipped: models beside real XGBoost (Debian: python3-xgboost)\n');

export interface XgboostScores {
  readonly margins: readonly (readonly number[])[];
  readonly predictions: readonly (readonly number[])[];
  /** Rows without infinities: those that `shap` speaks of. */
  readonly finite: readonly number[];
  readonly shap: readonly (readonly number[])[];
}

/** What XGBoost makes of the rows with the model of each file (all of as many features as a row has numbers). */
export function xgboostScores(
  files: readonly string[],
  rows: readonly Float64Array[],
): readonly XgboostScores[] {
  const cell = (x: number) =>
    Number.isNaN(x) ? null : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : x;
  return ask({ score: { files, rows: rows.map((row) => Array.from(row, cell)) } }) as XgboostScores[];
}

/** Trains models of many kinds on five features into a folder; gives their files, JSON and UBJ. */
export function xgboostModels(folder: string, seed: number): readonly string[] {
  return ask({ train: { folder, seed } }) as string[];
}

function ask(request: unknown): unknown {
  const script = fileURLToPath(new URL('xgboost-oracle.py', import.meta.url));
  const { status, stdout, stderr } = spawnSync(PYTHON, [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  if (status !== 0) throw new Error(`XGBoost failed: ${stderr}`);
  return JSON.parse(stdout);
}
