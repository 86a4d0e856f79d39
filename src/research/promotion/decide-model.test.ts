import { describe, expect, it } from 'vitest';
import type { CountedTrials } from './count-trials.ts';
import type { Criterion, Measured } from './decide.ts';
import { decideModelPromotion, type ModelPromotionCase } from './decide-model.ts';
import {
  type EvidenceOrigin,
  type HeldEvidence,
  type ModelEvidence,
  type ModelStage,
  NOT_OURS,
  type WindowScore,
} from './model-evidence.ts';
import { type FigureName, PROFILES } from './profile.ts';
import { sheetFigures } from './sheet-figures.ts';
import { contestOf } from './window-contest.ts';

const ME = 'a'.repeat(64);
const OLD = 'b'.repeat(64);
const DATA = 'd'.repeat(64);
const windows = (scores: readonly (number | null)[], first = 0): WindowScore[] =>
  scores.map((score, i) => ({ from: first + i, to: first + i + 1, score }));
const paper: Partial<Record<FigureName, Measured>> = {
  profitFactor: { value: 1.11 },
  winRate: { value: 0.56 },
  maxDrawdown: { value: 0.2 },
  trades: { value: 100 },
  dsr: { value: 0.95 },
  pbo: { value: 0.2 },
};
const live: Partial<Record<FigureName, Measured>> = {
  ...paper,
  parityBpPerBar: { value: 0.99 },
  paperDays: { value: 90 },
  paperUptime: { value: 0.95 },
};
const HERE: EvidenceOrigin = { kind: 'here' };
const ELSEWHERE: EvidenceOrigin = { kind: 'elsewhere', why: 'its runs are not on record here' };
const evidence = (change: Partial<ModelEvidence> = {}, origin: EvidenceOrigin = HERE): HeldEvidence => ({
  evidence: recordOf(change),
  origin,
});
const recordOf = (change: Partial<ModelEvidence>): ModelEvidence => ({
  schemaVersion: 1,
  model: ME,
  dataHash: DATA,
  figures: live,
  runs: ['r'.repeat(64)],
  study: null,
  passport: {},
  verdict: null,
  windows: windows([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
  against: [],
  stamps: [],
  ...change,
});
const counted: CountedTrials = {
  fault: null,
  trials: 12,
  effective: 7,
  elsewhere: 0,
  dsr: { value: 0.99 },
  pbo: { value: 0.01 },
};
const good: ModelPromotionCase = {
  to: 'paper',
  profile: PROFILES.s1!,
  id: ME,
  stage: 'candidate',
  interval: '15m',
  dataHash: DATA,
  stamps: [],
  evidence: [evidence()],
  counted,
  holder: null,
  exception: null,
};
const toLive: ModelPromotionCase = { ...good, to: 'live', stage: 'paper', ownPaperDays: { value: 2 } };
const refusals = (given: ModelPromotionCase): string[] => {
  const { promoted, criteria } = decideModelPromotion(given);
  const failed = criteria.filter(({ verdict }: Criterion) => verdict !== 'met').map(({ name }) => name);
  expect(promoted).toBe(failed.length === 0);
  return failed;
};
const withFigures = (base: ModelPromotionCase, change: Partial<Record<FigureName, Measured>>) => ({
  ...base,
  evidence: [evidence({ figures: { ...live, ...change } })],
});

describe('the contest with the older model', () => {
  const chosen = (scores: readonly number[], first = 0): WindowScore[] =>
    windows(scores, first).map((one) => ({ ...one, chosenOn: true }));
  const ten = new Array<number>(10).fill(0);

  it('counts no window that the new model was chosen on', () => {
    // chosen as the best of many on the first twelve, and no better than the old one behind them
    const newer = [...chosen(new Array<number>(12).fill(5)), ...windows(ten, 12)];
    const older = windows(new Array<number>(22).fill(0));
    expect(contestOf(newer, older)).toEqual({
      windows: 10,
      chosenOn: 12,
      newer: 0,
      older: 0,
      isBetter: false,
    });
    expect(contestOf(newer.slice(0, 21), older)).toMatchObject({ windows: 9, isBetter: null });
    expect(contestOf(chosen(new Array<number>(22).fill(5)), older)).toMatchObject({
      windows: 0,
      newer: null,
    });
  });

  it('is told in the criterion', () => {
    const told = (own: readonly WindowScore[]) =>
      decideModelPromotion({
        ...good,
        holder: OLD,
        evidence: [
          evidence({
            windows: own,
            against: [{ model: OLD, windows: windows(new Array<number>(15).fill(0)) }],
          }),
        ],
      }).criteria.find(({ name }) => name === 'beats the one before it');
    expect(told([...chosen([5, 5, 5, 5, 5]), ...windows(ten, 5)])).toMatchObject({
      verdict: 'not met',
      note: `0.000 against 0.000 of ${OLD.slice(0, 12)} on the last 10 windows; 5 more chose the new one and do not count`,
    });
    expect(told(chosen(new Array<number>(15).fill(5)))).toMatchObject({
      verdict: 'unknown',
      note: '0 windows in common, 10 needed; 15 more chose the new one and do not count',
    });
  });
});

describe('the promotion of a model', () => {
  it('is granted to one that meets everything, to paper and to live', () => {
    expect(refusals(good)).toEqual([]);
    expect(refusals(toLive)).toEqual([]);
  });

  it.each<[FigureName, number | null, boolean, string]>([
    ['profitFactor', 1.1, false, '15m'],
    ['profitFactor', 1.1000001, true, '15m'],
    ['profitFactor', null, false, '15m'],
    ['winRate', 0.55, false, '15m'],
    ['winRate', 0.5500001, true, '15m'],
    ['maxDrawdown', 0.2, true, '15m'],
    ['maxDrawdown', 0.2000001, false, '15m'],
    ['maxDrawdown', 0.15, true, '5m'],
    ['maxDrawdown', 0.1500001, false, '5m'],
    ['maxDrawdown', 0.12, true, '3m'],
    ['maxDrawdown', 0.1200001, false, '3m'],
    ['maxDrawdown', 0.1, true, '1m'],
    ['maxDrawdown', 0.1000001, false, '1m'],
    ['maxDrawdown', 0, false, '1h'],
    ['trades', 100, true, '15m'],
    ['trades', 99, false, '15m'],
    ['parityBpPerBar', 0.9999999, true, '15m'],
    ['parityBpPerBar', 1, false, '15m'],
    ['parityBpPerBar', null, false, '15m'],
    ['paperDays', 90, true, '15m'],
    ['paperDays', 89.999, false, '15m'],
    ['paperUptime', 0.95, true, '15m'],
    ['paperUptime', 0.9499999, false, '15m'],
    ['dsr', 0.95, true, '15m'],
    ['dsr', 0.9499, false, '15m'],
    ['pbo', 0.2, true, '15m'],
    ['pbo', 0.2001, false, '15m'],
  ])('to live with %s = %s: %s on %s', (name, value, passes, interval) => {
    const drawdown = { maxDrawdown: { value: 0 } };
    const given = { ...withFigures(toLive, { ...drawdown, [name]: { value } }), interval };
    expect(refusals(given)).toEqual(passes ? [] : [name]);
  });

  it('takes gains without a loss, whose profit factor has no number', () => {
    const { profitFactor } = sheetFigures({ nets: [10, 20], equity: [100, 130] });
    expect(profitFactor).toMatchObject({ value: null, passes: true });
    expect(refusals(withFigures(good, { profitFactor }))).toEqual([]);
  });

  it('asks for parity and time on paper on the way to live only', () => {
    const without = { ...good, evidence: [evidence({ figures: paper })] };
    expect(refusals(without)).toEqual([]);
    const way = { ...without, to: 'live' as const, stage: 'paper' as const, ownPaperDays: { value: 91 } };
    expect(refusals(way)).toEqual(['parityBpPerBar', 'paperDays', 'paperUptime']);
    const measured = { parityBpPerBar: { value: 0.5 }, paperDays: { value: 91 }, paperUptime: { value: 1 } };
    expect(refusals({ ...way, measured })).toEqual([]);
  });

  it.each<[string, Measured | undefined, boolean]>([
    ['as long as a test window', { value: 2 }, true],
    ['a little less', { value: 1.99, note: '1.99 of 91 days' }, false],
    ['never', { value: 0 }, false],
    ['nobody knows how long', { value: null, note: 'the journal does not say' }, false],
    ['nobody measured it', undefined, false],
  ])('to live asks that this very model was on paper: %s', (_, days, passes) => {
    const { ownPaperDays: __, ...rest } = toLive;
    const given = days === undefined ? rest : { ...rest, ownPaperDays: days };
    expect(refusals(given)).toEqual(passes ? [] : ['on paper itself']);
  });

  it.each<[string, EvidenceOrigin]>([
    ['made here', HERE],
    ['borne out by the record of runs', { kind: 'checked' }],
    ['signed by a trusted key', { kind: 'signed', key: 'f'.repeat(64) }],
  ])('goes by evidence that was %s', (_, origin) => {
    expect(refusals({ ...good, evidence: [evidence({}, origin)] })).toEqual([]);
  });

  it('goes by no figure that somebody else wrote', () => {
    const forged = { ...good, evidence: [evidence({}, ELSEWHERE)] };
    const failed = refusals(forged);
    for (const name of ['evidence', 'passport', 'nothing switched off', 'profitFactor', 'trades'])
      expect(failed).toContain(name);
    const { criteria } = decideModelPromotion(forged);
    expect(criteria.find(({ name }) => name === 'evidence')!.note).toBe(
      'not ours: its runs are not on record here',
    );
    expect(criteria.find(({ name }) => name === 'nothing switched off')!.note).toBe(NOT_OURS);
  });

  it('lets what somebody else wrote neither mend nor spoil what was made here', () => {
    const poor = evidence({ figures: { ...live, trades: { value: 3 } } });
    expect(refusals({ ...good, evidence: [poor, evidence({}, ELSEWHERE)] })).toEqual(['trades']);
    const bad = evidence({ figures: { trades: { value: 3 } }, stamps: ['x'] }, ELSEWHERE);
    expect(refusals({ ...good, evidence: [evidence(), bad] })).toEqual([]);
    const { criteria } = decideModelPromotion({ ...good, evidence: [evidence(), bad] });
    expect(criteria.find(({ name }) => name === 'evidence')!.note).toBe(
      'one record; left out as not ours: 1',
    );
  });

  it.each<[string, Partial<ModelPromotionCase>, string[]]>([
    ['a stamp of its own', { stamps: ['no sentiment gate'] }, ['nothing switched off']],
    ['a stamp of its evidence', { evidence: [evidence({ stamps: ['no news'] })] }, ['nothing switched off']],
    ['no passport', { evidence: [evidence({ passport: null })] }, ['passport']],
    ['no record of runs', { counted: null }, ['registered', 'dsr', 'pbo']],
    [
      'a record that lacks its run',
      { counted: { ...counted, fault: 'its run is no training on record', dsr: { value: null } } },
      ['registered', 'dsr', 'pbo'],
    ],
    ['a wrong stage', { stage: 'retired' as ModelStage }, ['stage']],
    ['a stage left out', { to: 'live' as const, ownPaperDays: { value: 9 } }, ['stage']],
    ['the stage it has', { stage: 'paper' as ModelStage }, ['stage']],
    [
      'a refusal of its trainer',
      { evidence: [evidence({ verdict: { promoted: false, profile: 's1', criteria: [] } })] },
      ["trainer's verdict"],
    ],
  ])('is refused for %s', (_, change, expected) => {
    expect(refusals({ ...good, ...change })).toEqual(expected);
  });

  it.each<[string, HeldEvidence[]]>([
    ['none', []],
    ['that of another model', [evidence({ model: OLD })]],
    ['on other data', [evidence({ dataHash: 'e'.repeat(64) })]],
  ])('is refused with evidence that is %s', (_, given) => {
    const failed = refusals({ ...good, evidence: given });
    expect(failed).toContain('evidence');
    expect(failed).toContain('profitFactor');
  });

  it('lets a later record have the last word on a figure, and a stamp stay', () => {
    const later = evidence({ figures: { trades: { value: 99 } } });
    expect(refusals({ ...good, evidence: [evidence(), later] })).toEqual(['trades']);
    expect(refusals({ ...good, evidence: [later, evidence()] })).toEqual([]);
    const stamped = evidence({ stamps: ['x'] });
    expect(refusals({ ...good, evidence: [stamped, evidence()] })).toEqual(['nothing switched off']);
  });

  describe('counts every trial of its config', () => {
    const of = (given: ModelPromotionCase, name: string) =>
      decideModelPromotion(given).criteria.find((one) => one.name === name)!;
    const chosenAlone: Partial<Record<FigureName, Measured>> = {
      dsr: { value: 0.97 },
      pbo: { value: null, note: 'nothing was chosen', passes: true },
    };

    it('and shows the sheet of its own search beside them', () => {
      const given = { ...withFigures(good, chosenAlone), counted: { ...counted, dsr: { value: 0.0196 } } };
      expect(refusals(given)).toEqual(['dsr']);
      expect(of(given, 'dsr')).toMatchObject({
        figure: 0.0196,
        note: 'counted 0.020, on the sheet 0.970',
      });
      expect(of(given, 'pbo')).toMatchObject({ note: 'counted 0.010, on the sheet nothing was chosen' });
      expect(of(given, 'registered').note).toBe('12 trials of this config, 7 in effect');
      const many = { ...withFigures(good, chosenAlone), counted: { ...counted, pbo: { value: 0.644 } } };
      expect(refusals(many)).toEqual(['pbo']);
    });

    it('and believes a sheet that is worse', () => {
      const given = withFigures(good, { dsr: { value: 0.623 }, pbo: { value: 0.3 } });
      expect(refusals(given)).toEqual(['dsr', 'pbo']);
      expect(of(given, 'dsr').figure).toBe(0.623);
      expect(of(given, 'pbo').figure).toBe(0.3);
    });

    it('so that no later record of the same model makes DSR or PBO better', () => {
      const refused = evidence({ figures: { ...live, dsr: { value: 0.4 }, pbo: { value: 0.644 } } });
      const again = evidence({ figures: { ...live, ...chosenAlone } });
      for (const records of [
        [refused, again],
        [again, refused],
      ]) {
        const given = { ...good, evidence: records };
        expect(refusals(given)).toEqual(['dsr', 'pbo']);
        expect([of(given, 'dsr').figure, of(given, 'pbo').figure]).toEqual([0.4, 0.644]);
      }
      const unknown = evidence({ figures: { ...live, pbo: { value: null, note: 'too few' } } });
      expect(refusals({ ...good, evidence: [unknown, evidence()] })).toEqual(['pbo']);
    });
  });

  describe('lets a refusal of its trainer stand', () => {
    const verdict = (promoted: boolean, ...failed: string[]) => ({
      promoted,
      profile: 's1',
      criteria: failed.map((name) => ({ name, figure: 0, needed: 1, verdict: 'not met' as const })),
    });

    it('whatever a later record says', () => {
      const refused = evidence({ verdict: verdict(false, 'winRate', 'dsr') });
      const later = evidence({ verdict: verdict(true) });
      expect(refusals({ ...good, evidence: [refused, later] })).toEqual(["trainer's verdict"]);
      expect(refusals({ ...good, evidence: [later, refused] })).toEqual(["trainer's verdict"]);
      expect(refusals({ ...good, evidence: [later, evidence()] })).toEqual([]);
    });

    it('but for DSR and PBO, which are counted here and may be signed for', () => {
      const exception = { name: 'Ada', reason: 'a reason that is long enough' };
      const record = evidence({
        figures: { ...live, dsr: { value: 0.4 } },
        verdict: verdict(false, 'dsr', 'pbo'),
      });
      const given = { ...good, evidence: [record] };
      expect(refusals(given)).toEqual(['dsr']);
      expect(decideModelPromotion({ ...given, exception })).toMatchObject({ promoted: true, exception });
      const both = evidence({
        figures: { ...live, dsr: { value: 0.4 } },
        verdict: verdict(false, 'dsr', 'two engines'),
      });
      const refused = decideModelPromotion({ ...given, evidence: [both], exception });
      expect(refused.promoted).toBe(false);
      expect(refused.criteria.find(({ name }) => name === "trainer's verdict")).toMatchObject({
        verdict: 'not met',
        note: 'two engines',
      });
    });

    it('even one that contradicts itself', () => {
      const odd = evidence({ verdict: verdict(true, 'winRate') });
      expect(refusals({ ...good, evidence: [odd] })).toEqual(["trainer's verdict"]);
    });
  });

  it('excuses DSR and PBO by a signature, nothing else', () => {
    const exception = { name: 'Ada', reason: 'a reason that is long enough' };
    const weak = withFigures(good, { dsr: { value: 0.5 } });
    expect(decideModelPromotion({ ...weak, exception })).toMatchObject({ promoted: true, exception });
    const poor = withFigures(good, { trades: { value: 3 } });
    expect(decideModelPromotion({ ...poor, exception })).toMatchObject({ promoted: false, exception: null });
  });

  describe('over one that holds the stage', () => {
    const over = (newer: readonly (number | null)[], older: readonly (number | null)[]) => ({
      ...good,
      holder: OLD,
      evidence: [evidence({ windows: windows(newer), against: [{ model: OLD, windows: windows(older) }] })],
    });
    const ten = (value: number) => Array.from({ length: 10 }, () => value);

    it.each<[string, readonly (number | null)[], readonly (number | null)[], boolean]>([
      ['better', ten(1), ten(0.9), true],
      ['equal', ten(1), ten(1), false],
      ['worse', ten(1), ten(1.1), false],
      ['better only before the last ten', [99, ...ten(1)], [0, ...ten(1.1)], false],
      ['better on average, but only by one window', [...ten(1).slice(1), 12], ten(1), false],
      ['without a trade', [...ten(1).slice(1), null], ten(0.95), false],
      ['on fewer windows than ten', ten(1).slice(1), ten(0.5).slice(1), false],
    ])('asks it to be better: %s', (_, newer, older, passes) => {
      expect(refusals(over(newer, older))).toEqual(passes ? [] : ['beats the one before it']);
    });

    it('asks it to have met that very one', () => {
      expect(refusals({ ...good, holder: OLD })).toEqual(['beats the one before it']);
      expect(refusals({ ...over(ten(1), ten(0)), holder: 'c'.repeat(64) })).toHaveLength(1);
    });
  });
});

describe('a contest over windows', () => {
  it('counts those that both were tested on, the newest of them', () => {
    const found = contestOf(windows([5, 5, 5, 5], 0), windows([1, 1, 1, 1], 2), 2);
    expect(found).toEqual({ windows: 2, chosenOn: 0, newer: 5, older: 1, isBetter: true });
    expect(contestOf(windows([5, 5], 0), windows([1, 1], 1), 2)).toMatchObject({
      windows: 1,
      isBetter: null,
    });
  });

  it('weighs the mean less half the deviation', () => {
    const { newer, older } = contestOf(windows([1, 2, 3]), windows([2, 2, 2]), 3);
    expect(newer).toBeCloseTo(1.5, 12);
    expect(older).toBe(2);
  });
});

describe('figures of the sheet', () => {
  it('are those of its example', () => {
    const { profitFactor, winRate, maxDrawdown, trades } = sheetFigures({
      nets: [120, 80, 95, 60, 110, 70, -50, -90, -40, -60],
      equity: [100, 104, 102, 108, 101, 99, 103, 110],
    });
    expect(profitFactor.value).toBeCloseTo(2.229167, 6);
    expect(winRate.value).toBe(0.6);
    expect(maxDrawdown.value).toBeCloseTo(0.083333, 6);
    expect(trades.value).toBe(10);
  });

  it('take a trade that ended with nothing for a lost one', () => {
    const { winRate, profitFactor } = sheetFigures({ nets: [10, 0, -5, 10], equity: [1] });
    expect(winRate.value).toBe(0.5);
    expect(profitFactor.value).toBe(4);
  });

  it('know nothing of no trade, and nothing good of trades without a gain', () => {
    const { profitFactor, winRate, maxDrawdown } = sheetFigures({ nets: [], equity: [] });
    for (const one of [profitFactor, winRate, maxDrawdown]) expect(one).toMatchObject({ value: null });
    expect(profitFactor.passes).toBeUndefined();
    expect(sheetFigures({ nets: [0, 0], equity: [1] }).profitFactor.passes).toBeUndefined();
  });

  it('are not reckoned from what is no number', () => {
    expect(() => sheetFigures({ nets: [1, Number.NaN], equity: [1] })).toThrow('net result of trade 1');
    expect(() => sheetFigures({ nets: [1], equity: [1, Number.NaN] })).toThrow('equity 1');
  });
});
