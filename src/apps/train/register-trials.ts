import type { NewTrial, RunRegistry } from '#adapters';
import { canonicalJson, DAY, sha256 } from '#base';
import type { ColdData, ColdWindow } from '#research';
import { dailyReturns, drawdownOf, sharpeOf, trialDays } from '#research';
import { trainerHash } from '../setup/code-hash.ts';
import { dayOf } from '../setup/registry/tape-days.ts';
import type { Origin } from './artefact-of.ts';
import type { TrainTrial } from './search.ts';
import { windowStamps } from './train-config.ts';
import { costStamps, type TrainCosts } from './train-costs.ts';

/** The desk that all trainings of S1 belong to. */
const DESK = { name: 's1-momentum', source: sha256('built-in s1-momentum') };

/** Why no model of S1 that was trained without news can go on by itself. */
export const NO_NEWS = 'no sentiment gate';

/** Whether the desk's news gate knew something at every bar of every window's test. Nothing known for hours is no gate. */
export const coversNews = (
  { news }: Pick<ColdData, 'news'>,
  windows: readonly Pick<ColdWindow, 'test'>[],
): boolean =>
  news !== null &&
  windows.every(({ test }) => news.known.subarray(test.from, test.to).every((known) => known === 1));

/** What of a training over these windows is not as the sheet has it: each keeps its model from going on. */
export const trainingStamps = (
  { train, market }: Pick<Origin, 'train' | 'market'>,
  costs: TrainCosts,
  windows: readonly Pick<ColdWindow, 'test'>[],
): string[] => [
  ...(coversNews(market.data, windows) ? [] : [NO_NEWS]),
  ...market.newsStamps,
  ...costStamps(costs),
  ...windowStamps(train),
];

/**
 * Puts trials on record, each over the days its windows traded, so that whoever judges a model later counts every one of them.
 * The same trial again is the same entry.
 */
export function registerTrials(
  registry: RunRegistry,
  origin: Origin,
  costs: TrainCosts,
  windows: readonly ColdWindow[],
  searchHash: string,
  trials: readonly TrainTrial[],
): string[] {
  const { train, market, seed } = origin;
  return registry.register(
    trials.filter(({ windows: own }) => own.length > 0).map((trial) => newTrial(trial)),
    Date.now(),
  );

  function newTrial({ point, windows: played, value }: TrainTrial): NewTrial {
    const { instrument, intervalMs } = market.data;
    const closes: number[] = [1];
    const days: number[] = [];
    // what was not calibrated was not traded; a trial that never was is on record all the same
    const traded = played.filter(({ calibrated }) => calibrated);
    for (const { number, equity } of traded.length > 0 ? traded : played) {
      const { from } = windows[number]!;
      equity.slice(1).forEach((close, i) => {
        closes.push((closes.at(-1)! * close) / equity[i]!);
        days.push(dayOf(from + (i + 1) * DAY));
      });
    }
    const parameters = { config: train.config.id, ...point };
    const numbers = Int32Array.from(days);
    const returns = dailyReturns(1, closes.slice(1));
    return {
      record: {
        desk: DESK,
        deskHash: sha256(canonicalJson({ desk: DESK.name, source: DESK.source, parameters })),
        parameters,
        removed: null,
        tapeHash: market.dataHash,
        instruments: [instrument.id],
        intervalMs,
        days: trialDays(numbers),
        cash: costs.cash,
        feeBps: costs.feeBps,
        slippageBps: costs.slippageBps,
        seed,
        answersHash: null,
        codeHash: trainerHash(),
        figures: {
          trades: played.reduce((sum, { nets }) => sum + nets.length, 0),
          return: closes.at(-1)! - 1,
          sharpe: sharpeOf(returns, 365),
          maxDrawdown: drawdownOf(closes).max,
          windows: traded.length,
          efficiency: null,
        },
        stamps: [
          ...trainingStamps(
            origin,
            costs,
            played.map(({ number }) => windows[number]!),
          ),
          ...(value === null ? ['failed'] : []),
        ],
      },
      returns,
      days: numbers,
      kind: 'train',
      file: null,
      study: searchHash,
    };
  }
}
