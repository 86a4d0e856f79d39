import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance } from '#base';
import { deviation, mean } from '#learning';
import { overfittingOf } from '../statistics/backtest-overfitting.ts';
import { groupedNoise, independentNoise } from '../statistics/noise-study.ts';
import { deflatedSharpe, probabilisticSharpe, sharpeVariance } from '../statistics/sharpe-evidence.ts';
import { type FamilyMember, familyEvidence } from './family-evidence.ts';

const DAYS = Int32Array.from({ length: 240 }, (_, i) => 19_000 + i);
const member = (returns: Float64Array, hash: string, days = DAYS): FamilyMember => ({
  hash,
  returns,
  days,
  isCandidate: true,
});
const noise = (trials: number, seed: string, periods = 240) =>
  independentNoise({ trials, periods })(new Chance(seed)).map((returns, i) => member(returns, `t${i}`));
/** A run with a true Sharpe ratio of 0.2 a day. */
const good = member(
  independentNoise({ trials: 1, periods: 240 })(new Chance('good'))[0]!.map((value) => value + 0.2),
  'good',
);

describe('evidence of a family', () => {
  it('of one trial is its PSR: there was no luck to be had', () => {
    const found = familyEvidence(good, []);
    expect(found).toMatchObject({ trials: 1, distinct: 1, effective: 1, variance: 0, luck: 0 });
    expect(found.dsr).toBe(probabilisticSharpe(found.figures!));
    expect(found).toMatchObject({ pbo: null, noPbo: 'nothing was chosen' });
  });

  it('of independent trials is the DSR of the paper, all of them counted', () => {
    const members = [...noise(30, 'thirty'), good];
    const found = familyEvidence(good, members);
    expect(found).toMatchObject({ trials: 31, distinct: 31, effective: 31, shortOverlap: 0 });
    const sharpes = members.map(({ returns }) => familyEvidence(member(returns, 'x'), []).figures!.sharpe);
    expect(found.variance).toBeCloseTo(sharpeVariance(sharpes), 12);
    expect(found.dsr).toBeCloseTo(deflatedSharpe(found.figures!, sharpeVariance(sharpes), 31)!, 12);
    expect(found).toMatchObject({ pboStrategies: 31, pboBlocks: 16, noPbo: null });
    expect(found.pbo).toBe(overfittingOf(members.map(({ returns }) => returns))!.pbo);
  });

  it('takes what can be chosen for a candidate, whatever else had its returns before', () => {
    const [other] = noise(1, 'other');
    const play = { ...other!, hash: 'play', isCandidate: false };
    expect(familyEvidence(good, [play, good])).toMatchObject({ distinct: 2, noPbo: 'nothing was chosen' });
    for (const members of [
      [play, other!, good],
      [other!, play, good],
    ])
      expect(familyEvidence(good, members)).toMatchObject({ trials: 3, distinct: 2, pboStrategies: 2 });
  });

  it('law: the more independent trials stand behind it, the lower the DSR', () => {
    // trials whose Sharpe ratios are 0.08 or -0.08 a day, so that only their number changes
    const equal = ({ returns, hash }: FamilyMember, i: number) => {
      const center = mean(returns);
      const edge = deviation(returns) * (i % 2 === 0 ? 0.08 : -0.08);
      return member(
        returns.map((value) => value - center + edge),
        hash,
      );
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), (seed) => {
        const all = noise(128, `law ${seed}`).map(equal);
        const found = [0, 4, 16, 64, 128].map((n) => familyEvidence(good, [...all.slice(0, n), good]));
        for (let i = 1; i < found.length; i++) {
          expect(found[i]!.trials).toBeGreaterThan(found[i - 1]!.trials);
          expect(found[i]!.luck).toBeGreaterThan(found[i - 1]!.luck);
          expect(found[i]!.dsr).toBeLessThan(found[i - 1]!.dsr!);
        }
      }),
      { numRuns: 12 },
    );
  });

  it('law: copies of trials, whoever made them, change nothing but the count', () => {
    const members = [...noise(12, 'copies'), good];
    const once = familyEvidence(good, members);
    const again = members.flatMap((one, i) => [
      one,
      { ...one, hash: `again ${i}`, returns: one.returns.slice() },
    ]);
    expect(familyEvidence(good, again)).toEqual({ ...once, trials: 26 });
  });

  it('counts correlated trials as few, and trials that never moved as none', () => {
    const groups = groupedNoise({ trials: 40, periods: 240 }, 4, 0.95)(new Chance('groups'));
    const idle = [new Float64Array(240), new Float64Array(240).fill(0.001)];
    const members = [...groups, ...idle].map((returns, i) => member(returns, `g${i}`));
    expect(familyEvidence(good, [...members, good])).toMatchObject({ trials: 43, effective: 5, idle: 2 });
  });

  it('compares on the days that are shared, and takes no two trials of different days for one', () => {
    const later = DAYS.subarray(120);
    const common = noise(6, 'later', 120).map(({ returns }, i) => member(returns, `l${i}`, later));
    const few = noise(3, 'few', 19).map(({ returns }, i) => member(returns, `f${i}`, DAYS.subarray(0, 19)));
    const found = familyEvidence(good, [good, ...common, ...few]);
    expect(found).toMatchObject({ trials: 10, shortOverlap: 3, effective: 1 + 6 + 3 });
    // nothing else covers all days of the run: whether it was the luckiest of many cannot be told
    expect(found).toMatchObject({ pbo: null, noPbo: 'too few trials over all days of the run' });
  });

  it('holds luck against a short run, and against a run whose trials lie mostly elsewhere', () => {
    const days = DAYS.slice(0, 15);
    const cut = ({ returns, hash }: FamilyMember) => member(returns.slice(0, 15), hash, days);
    const brief = familyEvidence(cut(good), [good, ...noise(8, 'brief')].map(cut));
    expect(brief).toMatchObject({ effective: 9, shortOverlap: 0, noPbo: 'too few days' });
    expect(brief.luck).toBeGreaterThan(0.2);
    expect(brief.dsr).toBeLessThan(brief.psr!);
    const before = Int32Array.from({ length: 100 }, (_, i) => DAYS[0]! - 95 + i);
    const aside = noise(8, 'aside', 100).map(({ returns, hash }) => member(returns, hash, before));
    const found = familyEvidence(good, [good, ...aside]);
    expect(found).toMatchObject({ effective: 9, shortOverlap: 8 });
    expect(found.luck).toBeGreaterThan(0.08);
    expect(found.dsr).toBeLessThan(found.psr!);
  });

  it('brings the luck of short trials to the length of the run: how they were cut does not matter', () => {
    // of 64 trials without skill over the whole run, and of as many over a quarter and a twelfth of it
    const whole = familyEvidence(good, [good, ...noise(64, 'whole')]);
    for (const days of [20, 60]) {
      const part = noise(64, `part ${days}`, days).map(({ returns, hash }) =>
        member(returns, hash, DAYS.subarray(100, 100 + days)),
      );
      const found = familyEvidence(good, [good, ...part]);
      expect(found.trials).toBe(65);
      expect(found.luck).toBeGreaterThan(0.7 * whole.luck);
      expect(found.luck).toBeLessThan(1.3 * whole.luck);
    }
  });

  it('looks at a longer trial on the days of the run only', () => {
    const long = Int32Array.from({ length: 400 }, (_, i) => 18_900 + i);
    const cover = noise(8, 'long', 400).map(({ returns }, i) => member(returns, `c${i}`, long));
    const cut = cover.map(({ returns, hash }) => member(returns.slice(100, 340), hash));
    expect(familyEvidence(good, [good, ...cover])).toEqual(familyEvidence(good, [good, ...cut]));
  });

  it('plays of a study that takes parts out count as trials, but are no rivals', () => {
    const plays = noise(9, 'plays').map((one) => ({ ...one, isCandidate: false }));
    const found = familyEvidence(good, [good, ...plays]);
    expect(found).toMatchObject({ trials: 10, effective: 10, pbo: null, noPbo: 'nothing was chosen' });
  });

  it('has no PBO over few days, and fewer blocks over not many', () => {
    const short = (n: number) => {
      const cut = ({ returns, hash }: FamilyMember) => member(returns.slice(0, n), hash, DAYS.slice(0, n));
      return familyEvidence(cut(good), [good, ...noise(5, 'short')].map(cut));
    };
    expect(short(19)).toMatchObject({ pbo: null, noPbo: 'too few days' });
    expect(short(25)).toMatchObject({ pboBlocks: 4, noPbo: null });
    expect(short(79)).toMatchObject({ pboBlocks: 14 });
  });
});
