// How often the evidence lets luck through, and how often skill: the tables of docs/decisions/0013. Every sweep depends on the
// seed and its number only, so the figures are the same on every machine.
// npm run bench:promotion [-- SWEEPS PLANTED SERIES]
import { Chance } from '#base';
import {
  crossNoise,
  groupedNoise,
  independentNoise,
  intervalOf,
  MEAN,
  planted,
  promotionStudy,
  rateInterval,
  type Statistic,
  type SweepMaker,
  sharpeStatistic,
} from '#research';

const [sweeps = 1_000, plantedSweeps = 200, series = 1_000] = process.argv.slice(2).map(Number);
const SHAPE = { trials: 50, periods: 500 };
/** Sharpe ratio a period of the planted edge. */
const EDGE = 0.25;
const SEED = 'report';

const say = (line = '') => process.stdout.write(`${line}\n`);
const percent = (share: number, digits = 1) => `${(share * 100).toFixed(digits)} %`;

const NOISE: readonly (readonly [name: string, maker: SweepMaker])[] = [
  ['independent trials', independentNoise(SHAPE)],
  ['crowded in 8 groups, correlation 0.9', groupedNoise(SHAPE, 8, 0.9)],
  ['crosses of moving averages on a random walk', crossNoise(SHAPE)],
];

say(
  `DSR >= 0.95 and PBO <= 0.20 over ${sweeps} sweeps of ${SHAPE.trials} trials and ${SHAPE.periods} periods without skill, and`,
);
say(
  `over ${plantedSweeps} with a Sharpe ratio of ${EDGE} a period planted in one trial; 16 blocks, seed ${SEED}`,
);
say();
say('| noise | promoted | upper bound (97.5 %) | DSR alone | PBO alone | power |');
say('|---|---|---|---|---|---|');
for (const [name, maker] of NOISE) {
  const luck = promotionStudy(maker, { sweeps, seed: SEED });
  const skill = promotionStudy(planted(maker, EDGE), { sweeps: plantedSweeps, seed: SEED });
  const cells = [
    percent(luck.promoted.rate),
    percent(luck.promoted.high),
    percent(luck.byDsr.rate),
    percent(luck.byPbo.rate),
    percent(skill.first.rate),
  ];
  say(`| ${name} | ${cells.join(' | ')} |`);
}

/** A series whose values remember the one before; mean and deviation of the noise are 0 and 1. */
function autoregressive(n: number, correlation: number, chance: Chance): Float64Array {
  const out = new Float64Array(n);
  let value = chance.normal() / Math.sqrt(1 - correlation ** 2);
  for (let i = 0; i < n; i++) {
    out[i] = value;
    value = correlation * value + chance.normal();
  }
  return out;
}

const LENGTH = 300;
const METHODS: readonly (readonly [name: string, statistic: Statistic, block: 'auto' | 1])[] = [
  ['studentised blocks, mean', MEAN, 'auto'],
  ['studentised blocks, Sharpe ratio', sharpeStatistic(), 'auto'],
  ['percentiles of blocks, mean', { of: MEAN.of }, 'auto'],
  ['percentiles of single observations, mean', { of: MEAN.of }, 1],
];

say();
say(
  `how often a nominal 90 % interval holds the truth, in ${series} AR(1) series of ${LENGTH} (500 resamples each)`,
);
say();
say('| interval | correlation 0 | 0.3 | 0.5 |');
say('|---|---|---|---|');
for (const [name, statistic, meanBlock] of METHODS) {
  const cells = [0, 0.3, 0.5].map((correlation) => {
    let held = 0;
    for (let k = 0; k < series; k++) {
      const values = autoregressive(LENGTH, correlation, new Chance(`${SEED}/coverage ${correlation} ${k}`));
      // the true mean and with it the true Sharpe ratio is 0
      const found = intervalOf(values, statistic, { seed: `${SEED}/${k}`, paths: 500, meanBlock })!;
      if (found.low <= 0 && found.high >= 0) held += 1;
    }
    const { rate, low, high } = rateInterval(held, series);
    return `${percent(rate)} (${percent(low)} to ${percent(high)})`;
  });
  say(`| ${name} | ${cells.join(' | ')} |`);
}
