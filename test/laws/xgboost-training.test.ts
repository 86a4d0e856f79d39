import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { type BoostingData, type BoostingOptions, trainBoosted } from '#research';
import { type BoostedModel, BoostedScorer, parseBoostedModel, writeBoostedModel } from '#signals';
import { XGBOOST } from '../support/xgboost-oracle.ts';

const ROWS = 1_500;
const ROUNDS = 12;
const folder = mkdtempSync(join(tmpdir(), 'quorum-xgboost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly model: string;
  readonly predictions: readonly number[];
  readonly others: readonly number[];
}

type Columns = BoostingData & { readonly columns: readonly Float32Array[] };

interface Request {
  readonly data: Columns;
  readonly parameters: object;
  readonly rounds: number;
  /** File of the model that it is to load. */
  readonly model: string;
}

/** All in one process: starting it takes longer than the work. */
function xgboost(requests: readonly Request[]): Answer[] {
  const script = fileURLToPath(new URL('../support/xgboost-training.py', import.meta.url));
  const input = requests.map(({ data, ...rest }) => ({
    // JSON has no NaN: it becomes null
    columns: data.columns.map((column) => [...column]),
    labels: [...data.labels],
    weights: data.weights ? [...data.weights] : null,
    ...rest,
  }));
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', [script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
  });
  if (status !== 0) throw new Error(`XGBoost failed: ${stderr}`);
  return JSON.parse(stdout) as Answer[];
}

/** At most 200 different values a column, so that both sides see the same bins. */
function madeUp(missing: number, weighted: boolean): { data: Columns; score: Float32Array } {
  const chance = new Chance(`training beside XGBoost ${missing}`);
  const columns = Array.from({ length: 6 }, (_, k) =>
    Float32Array.from({ length: ROWS }, () => {
      const value =
        k === 4 ? chance.below(2) : k === 5 ? Math.floor(chance.normal() ** 2 * 8) : chance.below(200) / 7;
      return chance.happens(missing) ? Number.NaN : value;
    }),
  );
  const score = Float32Array.from({ length: ROWS }, (_, row) => {
    const [a, b, c, , e] = columns.map((column) => column[row]! || 0);
    return Math.sin(a!) + 0.1 * b! - 0.1 * e! * c!;
  });
  const labels = score.map((s) => (chance.uniform() < 1 / (1 + Math.exp(-s)) ? 1 : 0));
  const weights = score.map(() => 0.2 + 3 * chance.uniform());
  return { data: { columns, labels, ...(weighted && { weights }) }, score };
}

function predictionsOf(model: BoostedModel, { columns }: Columns): number[] {
  const scorer = new BoostedScorer(model);
  const out = new Float64Array(scorer.outputs);
  return Array.from({ length: ROWS }, (_, row) => {
    const values = Float32Array.from(columns, (column) => column[row]!);
    scorer.predictions(values, out);
    return [...out];
  }).flat();
}

const apart = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!) / Math.max(1, Math.abs(b[i]!))), 0);

interface Kind {
  readonly missing?: number;
  readonly weighted?: boolean;
  readonly labels?: (score: Float32Array) => Float32Array;
  readonly options: Omit<BoostingOptions, 'rounds'>;
  readonly parameters: object;
}

const LOGISTIC = { objective: 'binary:logistic', maxDepth: 4 } as const;
const THEIRS = { objective: 'binary:logistic', max_depth: 4 };
const SQUARED = { objective: 'reg:squarederror', maxDepth: 5 } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  logistic: { options: LOGISTIC, parameters: THEIRS },
  weighted: { weighted: true, options: LOGISTIC, parameters: THEIRS },
  missing: { missing: 0.15, options: LOGISTIC, parameters: THEIRS },
  regularised: {
    options: { ...LOGISTIC, alpha: 3, lambda: 0.5, gamma: 1, minChildWeight: 5, eta: 0.1 },
    parameters: { ...THEIRS, alpha: 3, lambda: 0.5, gamma: 1, min_child_weight: 5, eta: 0.1 },
  },
  positives: {
    options: { ...LOGISTIC, scalePosWeight: 3, baseScore: 0.3 },
    parameters: { ...THEIRS, scale_pos_weight: 3, base_score: 0.3 },
  },
  monotone: {
    labels: (score) => score,
    options: { ...SQUARED, monotone: [0, 1, -1, 0, 0, 0] },
    parameters: { objective: 'reg:squarederror', max_depth: 5, monotone_constraints: '(0,1,-1,0,0,0)' },
  },
  numbers: {
    labels: (score) => score.map((s) => 100 * s),
    options: SQUARED,
    parameters: { objective: 'reg:squarederror', max_depth: 5 },
  },
  classes: {
    missing: 0.1,
    labels: (score) => score.map((s) => (s < 0 ? 0 : s < 1.5 ? 1 : 2)),
    options: { objective: 'multi:softprob', classes: 3, maxDepth: 3 },
    parameters: { objective: 'multi:softprob', num_class: 3, max_depth: 3 },
  },
};

/** What missing values alone part from others. */
function gaps(): Columns {
  const columns = [Float32Array.from({ length: ROWS }, (_, i) => (i % 3 === 0 ? Number.NaN : i))];
  return { columns, labels: columns[0]!.map((x) => (Number.isNaN(x) ? 5 : 0)) };
}

function request(name: string, data: Columns, model: BoostedModel, parameters: object): Request {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, writeBoostedModel(model));
  return { data, parameters, rounds: ROUNDS, model: file };
}

describe.skipIf(XGBOOST === null)(`training beside XGBoost ${XGBOOST}`, () => {
  const apartFrom = (a: ArrayLike<number>, b: ArrayLike<number>) => apart(Array.from(a), Array.from(b));
  const ours = new Map<string, { data: Columns; model: BoostedModel }>();
  const answers = new Map<string, Answer>();

  beforeAll(() => {
    for (const [name, { missing = 0, weighted = false, labels, options }] of Object.entries(KINDS)) {
      const { data: plain, score } = madeUp(missing, weighted);
      const data = labels === undefined ? plain : { ...plain, labels: labels(score) };
      ours.set(name, { data, model: trainBoosted(data, { ...options, rounds: ROUNDS }).model });
    }
    ours.set('gaps', { data: gaps(), model: trainBoosted(gaps(), { ...SQUARED, rounds: ROUNDS }).model });
    const requests = [...ours].map(([name, { data, model }]) =>
      request(name, data, model, KINDS[name]?.parameters ?? {}),
    );
    xgboost(requests).forEach((answer, k) => {
      answers.set([...ours.keys()][k]!, answer);
    });
  });

  it.each(Object.keys(KINDS))('grows the same trees: %s', (name) => {
    const { data, model } = ours.get(name)!;
    const theirs = parseBoostedModel(JSON.parse(answers.get(name)!.model));
    expect(theirs.trees.length).toBe(model.trees.length);
    // later trees may part equal rows by another of two columns that do it equally well: sums differ in their last bits
    const [first, second] = [model, theirs].map(({ trees }) => trees[0]!);
    for (const key of ['left', 'right', 'feature', 'defaultLeft'] as const) {
      expect([...first![key]]).toEqual([...second![key]]);
    }
    for (const key of ['condition', 'gain', 'cover', 'weight'] as const) {
      expect(apartFrom(first![key], second![key])).toBeLessThan(1e-4);
    }
    expect(apart(predictionsOf(model, data), answers.get(name)!.predictions)).toBeLessThan(1e-5);
  });

  it.each([...Object.keys(KINDS), 'gaps'])('reads our file, and we read its: %s', (name) => {
    const { data, model } = ours.get(name)!;
    const { model: text, predictions, others } = answers.get(name)!;
    expect(apart(predictionsOf(model, data), others)).toBeLessThan(1e-6);
    expect(apart(predictionsOf(parseBoostedModel(JSON.parse(text)), data), predictions)).toBeLessThan(1e-6);
  });

  it('parts missing values from all others', () => {
    const { model } = ours.get('gaps')!;
    expect(model.trees[0]!.left.length).toBe(3);
  });
});
