import { DAY, HOUR, InputError } from '#base';
import { S1_CONFIGS, type S1Config, s1Parameters } from '#desks';
import { nearest } from '#features';
import { type ColdPoint, type ColdRules, Space, type WalkLengths } from '#research';

/** One of the sixteen, with what is trained for it. */
export interface TrainConfig {
  readonly config: S1Config;
  readonly rules: ColdRules;
  readonly lengths: WalkLengths;
}

export interface LengthOptions {
  /** Days to train on instead of the sheet's. */
  readonly trainDays: number | null;
  readonly testHours: number;
}

/** The desk's own thresholds: what is trained is what trades. */
function trainConfig(config: S1Config, { trainDays, testHours }: LengthOptions): TrainConfig {
  const desk = s1Parameters.parse({});
  const testMs = testHours * HOUR;
  return {
    config,
    rules: {
      stopAtr: desk.stopAtr,
      targetAtr: desk.targetAtr,
      verticalBars: config.barrierBars,
      probabilityMin: desk.probabilityMin,
      leadMin: desk.leadMin,
      regimeWeight: 0.25,
      modelWeight: 0.6,
      newsWeight: 0.15,
      scoreMin: config.scoreMin,
      risk: desk.riskShare,
      notionalMax: desk.notionalMax,
      participation: 0.1,
    },
    lengths: { trainMs: (trainDays ?? config.trainDays) * DAY, testMs, stepMs: testMs },
  };
}

/** Hours that a window is tested on (sheet S1 RX68, section 9). */
export const TEST_HOURS = 48;

/** What of the windows is not the sheet's: whoever chooses them may choose those that flatter. */
export function windowStamps({ config, lengths }: Pick<TrainConfig, 'config' | 'lengths'>): string[] {
  const { trainMs, testMs } = lengths;
  const isSheets = trainMs === config.trainDays * DAY && testMs === TEST_HOURS * HOUR;
  return isSheets ? [] : ["windows are not the sheet's"];
}

const SHORT = 'S1_RX68_';

/** The configurations that were named, all when none was. `BTC_15M` is short for `S1_RX68_BTC_15M`. Throws {@link InputError}. */
export function chosenConfigs(named: readonly string[], options: LengthOptions): TrainConfig[] {
  const known = S1_CONFIGS.map(({ id }) => id);
  const ids = named.map((name) => {
    const upper = name.toUpperCase().replaceAll('-', '_');
    const id = upper.startsWith(SHORT) ? upper : `${SHORT}${upper}`;
    if (known.includes(id)) return id;
    throw new InputError(
      `there is no configuration ${name}`,
      `the nearest known one is ${nearest(id, known)}; all: ${known.join(', ')}`,
    );
  });
  const chosen = ids.length === 0 ? S1_CONFIGS : S1_CONFIGS.filter(({ id }) => ids.includes(id));
  return chosen.map((config) => trainConfig(config, options));
}

/** What the search may choose (sheet S1 RX68, section 9). */
export const TRAIN_SPACE = new Space({
  rsi: { kind: 'int', low: 7, high: 28 },
  atr: { kind: 'int', low: 7, high: 28 },
  momentum: { kind: 'int', low: 5, high: 60 },
  maxDepth: { kind: 'int', low: 2, high: 6 },
  eta: { kind: 'float', low: 0.01, high: 0.3, log: true },
  minChildWeight: { kind: 'float', low: 1, high: 20, log: true },
  subsample: { kind: 'float', low: 0.5, high: 1 },
  rounds: { kind: 'int', low: 50, high: 600 },
});

/** A point of {@link TRAIN_SPACE} by its names. */
export const coldPoint = (point: Readonly<Record<string, unknown>>): ColdPoint => {
  const number = (name: keyof ColdPoint): number => Number(point[name]);
  return {
    rsi: number('rsi'),
    atr: number('atr'),
    momentum: number('momentum'),
    maxDepth: number('maxDepth'),
    eta: number('eta'),
    minChildWeight: number('minChildWeight'),
    subsample: number('subsample'),
    rounds: number('rounds'),
  };
};
