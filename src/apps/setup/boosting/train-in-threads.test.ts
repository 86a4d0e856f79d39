import { describe, expect, it } from 'vitest';
import { Chance, InputError } from '#base';
import { type BoostingData, type BoostingOptions, type BoostingRound, trainBoosted } from '#research';
import { writeBoostedModel } from '#signals';
import { trainBoostedInThreads } from './train-in-threads.ts';

// more than one slice of rows, so that threads do share the first nodes
const ROWS = 40_000;

function madeUp(rows: number, seed: string): BoostingData {
  const chance = new Chance(seed);
  const columns = Array.from({ length: 6 }, (_, k) =>
    Float32Array.from({ length: rows }, () => (chance.happens(k / 50) ? Number.NaN : chance.normal())),
  );
  const labels = Float32Array.from({ length: rows }, (_, row) =>
    chance.uniform() < 1 / (1 + Math.exp(-(columns[0]![row]! || 0) * (columns[5]![row]! || 1))) ? 1 : 0,
  );
  return { columns, labels };
}

const data: BoostingData = { ...madeUp(ROWS, 'train'), validation: madeUp(3_000, 'validation') };

describe('training in threads', () => {
  it.each<[string, BoostingOptions]>([
    ['every row', { objective: 'binary:logistic', rounds: 4 }],
    [
      'what is drawn',
      {
        objective: 'binary:logistic',
        rounds: 4,
        subsample: 0.8,
        colsampleByTree: 0.7,
        colsampleByNode: 0.7,
        monotone: [0, 1, 0, 0, 0, 0],
        earlyStoppingRounds: 2,
        watchTraining: true,
      },
    ],
    ['classes', { objective: 'multi:softprob', classes: 2, rounds: 3, maxDepth: 8 }],
    ['numbers', { objective: 'reg:squarederror', rounds: 3, maxDepth: 4, alpha: 0.5 }],
  ])('gives the model of one thread, bit for bit: %s', async (_, options) => {
    const alone = trainBoosted(data, options);
    for (const threads of [2, 3]) {
      const rounds: BoostingRound[] = [];
      const progress = (round: BoostingRound) => rounds.push(round);
      const together = await trainBoostedInThreads(data, options, { threads, progress });
      expect(writeBoostedModel(together.model)).toBe(writeBoostedModel(alone.model));
      expect(together.history).toEqual(alone.history);
      expect(rounds.map(({ validation }) => validation)).toEqual(alone.history.validation);
    }
  });

  it('says what is wrong with the data, wherever it is found', async () => {
    const options = { objective: 'binary:logistic', rounds: 2 } as const;
    const wrong = { ...data, labels: new Float32Array(3) };
    await expect(trainBoostedInThreads(wrong, options, { threads: 2 })).rejects.toThrow(InputError);
    const columns = [new Float32Array(ROWS), new Float32Array(ROWS).fill(Infinity)];
    const infinite = { columns, labels: new Float32Array(ROWS) };
    await expect(trainBoostedInThreads(infinite, options, { threads: 2 })).rejects.toThrow(
      'Infinity as feature 1',
    );
    await expect(trainBoostedInThreads(data, options, { threads: 0 })).rejects.toThrow(InputError);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const options = { objective: 'binary:logistic', rounds: 100_000 } as const;
    const progress = () => stop.abort(new Error('enough'));
    const training = trainBoostedInThreads(data, options, { threads: 2, signal: stop.signal, progress });
    await expect(training).rejects.toThrow('enough');
  });
});
