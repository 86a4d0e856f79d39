import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NewTrial, trialHash } from '#adapters';
import { Chance, sha256 } from '#base';
import { scalerHash } from '#features';
import { type FigureName, type Measured, type ModelEvidence, trialDays, type WindowScore } from '#research';
import { type ModelArtefact, modelIdOf } from '#signals';

/** Models and predictions that real XGBoost wrote. */
export const MODEL_FIXTURES = fileURLToPath(new URL('../fixtures/models/', import.meta.url));

const DAY = 86_400_000;
export const NAMES = ['momentum', 'spread', 'volume'];
export const DATA = sha256('bars');

export const fixtureModel = (name: string): unknown =>
  JSON.parse(readFileSync(`${MODEL_FIXTURES}${name}`, 'utf8'));

export function scalerOf(mean: readonly number[] = [0.1, -0.2, 0.3], std: readonly number[] = [1, 2, 0.5]) {
  const scaler = { features: NAMES, mean, std };
  return { ...scaler, hash: scalerHash(scaler) };
}

/** A model of three classes that holds together; `seed` makes another one of it. */
export function artefactOf(seed = 1, change: Partial<ModelArtefact> = {}): ModelArtefact {
  return {
    schemaVersion: 1,
    name: 'S1_RX68_BTC_15M',
    kind: 'boosted-trees',
    features: NAMES,
    classes: ['down', 'none', 'up'],
    model: fixtureModel('multi.json'),
    scaler: null,
    calibration: null,
    threshold: { probabilityMin: 0.55, leadMin: 0.1 },
    training: {
      from: 0,
      to: 30 * DAY,
      rows: 2880,
      seed: String(seed),
      dataHash: DATA,
      codeHash: sha256('code'),
      instrument: 'BTCUSDT.BINANCE-USDM',
      interval: '15m',
      parameters: { eta: 0.1, maxDepth: 3 },
    },
    metrics: { auc: 0.6, logLoss: null },
    stamps: [],
    parent: null,
    ...change,
  };
}

export const GOOD_FIGURES: Readonly<Partial<Record<FigureName, Measured>>> = {
  profitFactor: { value: 1.5 },
  winRate: { value: 0.6 },
  maxDrawdown: { value: 0.2 },
  trades: { value: 100 },
  dsr: { value: 0.96 },
  pbo: { value: 0.1 },
};

/** What lets a model go live, on top of {@link GOOD_FIGURES}. */
export const LIVE_FIGURES: Readonly<Partial<Record<FigureName, Measured>>> = {
  parityBpPerBar: { value: 0.99 },
  paperDays: { value: 90 },
  paperUptime: { value: 0.95 },
};

export const windowsOf = (scores: readonly (number | null)[]): WindowScore[] =>
  scores.map((score, i) => ({ from: i * 2 * DAY, to: (i + 1) * 2 * DAY, score }));

const DAYS = Int32Array.from({ length: 60 }, (_, i) => 19_000 + i);

/** A training's trial of a config, as the record of runs keeps it; without skill unless it has an edge. */
export function trainedTrial(config = 'S1_RX68_BTC_15M', n = 0, edge = n === 0 ? 0.5 : 0): NewTrial {
  const chance = new Chance(`trained ${n}`);
  return {
    record: {
      desk: { name: 's1-momentum', source: sha256('built-in s1-momentum') },
      deskHash: sha256(`${config} ${n}`),
      parameters: { config, rsi: n },
      removed: null,
      tapeHash: DATA,
      instruments: ['BTCUSDT.BINANCE-USDM'],
      intervalMs: 900_000,
      days: trialDays(DAYS),
      cash: 10_000,
      feeBps: 3.8,
      slippageBps: 1,
      seed: '1',
      answersHash: null,
      codeHash: sha256('code'),
      figures: { trades: 100 },
      stamps: [],
    },
    returns: Float64Array.from(DAYS, () => 0.01 * (chance.normal() + edge)),
    days: DAYS,
    kind: 'train',
    file: null,
    study: 'study',
  };
}

/** Hash of the run that {@link evidenceOf} names: that of {@link trainedTrial} of the model's name. */
export const runOf = ({ name }: Pick<ModelArtefact, 'name'>): string => {
  const { record, returns } = trainedTrial(name);
  return trialHash(record, returns);
};

/** Evidence that lets a model through to paper where nobody stands before it. */
export function evidenceOf(artefact: ModelArtefact, change: Partial<ModelEvidence> = {}): ModelEvidence {
  return {
    schemaVersion: 1,
    model: modelIdOf(artefact),
    dataHash: DATA,
    figures: GOOD_FIGURES,
    runs: [runOf(artefact)],
    study: 'study',
    passport: { schemaVersion: 1 },
    verdict: { promoted: true, profile: 's1', criteria: [] },
    windows: windowsOf(Array.from({ length: 12 }, (_, i) => 1 + i / 10)),
    against: [],
    stamps: [],
    ...change,
  };
}
