import { describe, expect, it } from 'vitest';
import { Chance, sha256 } from '#base';
import { type RegisteredTrial, trialDays } from '../passport/trial.ts';
import { independentNoise } from '../statistics/noise-study.ts';
import { countTrials, type TrialsAsked } from './count-trials.ts';

const CONFIG = 'S1_RX68_BTC_15M';
const DATA = sha256('bars');
const FIRST = 19_000;
const daysFrom = (first: number, count: number) => Int32Array.from({ length: count }, (_, i) => first + i);
const noise = independentNoise({ trials: 40, periods: 60 })(new Chance('count'));
const known = new Map<string, Int32Array>();

function trial(n: number, change: Partial<RegisteredTrial> & { edge?: number; from?: number } = {}) {
  const { edge = 0, from = FIRST, ...rest } = change;
  const days = trialDays(daysFrom(from, 60));
  known.set(days.hash, daysFrom(from, 60));
  return {
    position: n,
    hash: sha256(`trial ${n}`),
    kind: 'train',
    file: null,
    study: sha256('search'),
    desk: { name: 's1-momentum', source: sha256('built-in s1-momentum') },
    deskHash: sha256(`desk ${n}`),
    parameters: { config: CONFIG, rsi: n },
    removed: null,
    tapeHash: DATA,
    instruments: ['BTCUSDT.BINANCE-USDM'],
    intervalMs: 900_000,
    days,
    cash: 10_000,
    feeBps: 3.8,
    slippageBps: 1,
    seed: String(n),
    answersHash: null,
    codeHash: sha256('code'),
    figures: {},
    stamps: [],
    returns: noise[n]!.map((value) => value + edge),
    ...rest,
  } satisfies RegisteredTrial;
}

const RUN = trial(0, { edge: 0.35 });
const asked = (change: Partial<TrialsAsked> = {}): TrialsAsked => ({
  config: CONFIG,
  dataHash: DATA,
  evidence: [{ runs: [RUN.hash], passport: null }],
  ...change,
});
const count = (all: readonly RegisteredTrial[], change: Partial<TrialsAsked> = {}) =>
  countTrials(asked(change), all, ({ days }) => known.get(days.hash)!);

describe('trials that are counted for a model', () => {
  it('of one alone leave its own skill, and no choice', () => {
    const { dsr, pbo, ...rest } = count([RUN]);
    expect(rest).toEqual({ fault: null, trials: 1, effective: 1, elsewhere: 0 });
    expect(dsr.value).toBeGreaterThan(0.95);
    expect(pbo).toEqual({ value: null, note: 'nothing was chosen', passes: true });
  });

  it('are all of the config, whichever search, seed, costs, code or data made them', () => {
    const others = [
      trial(1, { study: sha256('another search') }),
      trial(2, { seed: 'another' }),
      trial(3, { feeBps: 0, slippageBps: 0, cash: 1 }),
      trial(4, { tapeHash: sha256('other bars') }),
      trial(5, { codeHash: sha256('newer'), stamps: ['failed'] }),
      trial(6, { from: FIRST + 20 }),
    ];
    const alone = count([RUN]);
    const all = count([RUN, ...others]);
    expect(all).toMatchObject({ fault: null, trials: 7, elsewhere: 0 });
    expect(all.effective).toBeGreaterThan(1);
    expect(all.dsr.value).toBeLessThan(alone.dsr.value!);
    expect(all.pbo.value).not.toBeNull();
    // whatever order they came in
    expect(count([...others.toReversed(), RUN])).toEqual(all);
  });

  it('are none of other configs, of other studies, nor of days that were not judged', () => {
    const others = [
      trial(1, { parameters: { config: 'S1_RX68_ETH_15M' } }),
      trial(2, { parameters: null }),
      trial(3, { kind: 'sweep' }),
      trial(4, { from: FIRST + 60 }),
    ];
    expect(count([RUN, ...others])).toEqual({ ...count([RUN]), elsewhere: 1 });
  });

  it('take the worst of several runs', () => {
    const poor = trial(7, { edge: -0.1 });
    const evidence = [RUN, poor].map(({ hash }) => ({ runs: [hash], passport: null }));
    const of = (one: (typeof evidence)[number]) => count([RUN, poor], { evidence: [one] }).dsr.value!;
    expect(count([RUN, poor], { evidence }).dsr.value).toBe(Math.min(of(evidence[0]!), of(evidence[1]!)));
    expect(of(evidence[0]!)).not.toBe(of(evidence[1]!));
  });

  it.each<[string, RegisteredTrial[], Partial<TrialsAsked>, string]>([
    ['no run', [RUN], { evidence: [{ runs: [], passport: null }] }, 'not on record'],
    ['a run that is not there', [trial(1)], {}, `its run ${RUN.hash.slice(0, 12)} is no training of`],
    ['a run of another config', [RUN], { config: 'S1_RX68_ETH_15M' }, 'is no training of S1_RX68_ETH_15M'],
    ['a run that is no training', [{ ...RUN, kind: 'backtest' }], {}, 'is no training'],
    ['a run of other data', [RUN], { dataHash: sha256('others') }, 'is of other data'],
    [
      'a search of which trials are missing',
      [RUN, trial(1)],
      { evidence: [{ runs: [RUN.hash], passport: { trials: { all: 4, complete: 3 } } }] },
      '2 trials of S1_RX68_BTC_15M are on record, its search alone made 3',
    ],
  ])('are not known with %s', (_, all, change, why) => {
    const found = count(all, change);
    expect(found.fault).toContain(why);
    expect([found.dsr.value, found.pbo.value, found.pbo.passes]).toEqual([null, null, undefined]);
  });
});
