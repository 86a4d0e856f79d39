import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decidePromotion, type PromotionCase } from './decide.ts';
import { bindingProfile, type FigureName, PROFILES, type PromotionProfile, usualProfile } from './profile.ts';

const { s1, fleet, sigma } = PROFILES as Record<'s1' | 'fleet' | 'sigma', PromotionProfile>;
const figures: Record<FigureName, number> = {
  profitFactor: 1.5,
  winRate: 0.62,
  maxDrawdown: 0.05,
  trades: 100,
  sharpe: 1.2,
  expectancy: 12,
  dsr: 0.95,
  pbo: 0.2,
  parityBpPerBar: 0.9,
  paperDays: 90,
  paperUptime: 0.95,
};
const measured = (change: Partial<Record<FigureName, number | null>> = {}) =>
  Object.fromEntries(Object.entries({ ...figures, ...change }).map(([name, value]) => [name, { value }]));
const good: PromotionCase = {
  to: 'paper',
  profile: fleet,
  stage: 'research',
  interval: '5m',
  figures: measured(),
  stamps: [],
  isRegistered: true,
  exception: null,
};
const verdict = (given: Partial<PromotionCase>, name: string) =>
  decidePromotion({ ...good, ...given }).criteria.find((one) => one.name === name)?.verdict;
const signed = { name: 'Ada', reason: 'a market maker has no trials' };

describe('a promotion', () => {
  it.each([
    ['s1', s1],
    ['fleet', fleet],
    ['sigma', sigma],
  ] as const)('by %s lets a good desk to paper, and from there live', (_, profile) => {
    expect(decidePromotion({ ...good, profile }).promoted).toBe(true);
    expect(decidePromotion({ ...good, profile, to: 'live', stage: 'paper' }).promoted).toBe(true);
  });

  it.each([
    // strict and inclusive bars of the sheets
    [s1, 'profitFactor', 1.1, 'not met'],
    [s1, 'profitFactor', 1.1001, 'met'],
    [s1, 'winRate', 0.55, 'not met'],
    [s1, 'maxDrawdown', 0.15, 'met'],
    [s1, 'maxDrawdown', 0.1501, 'not met'],
    [s1, 'trades', 99, 'not met'],
    [fleet, 'winRate', 0.45, 'met'],
    [fleet, 'winRate', 0.4499, 'not met'],
    [fleet, 'sharpe', 1, 'met'],
    [fleet, 'sharpe', 0.999, 'not met'],
    [sigma, 'winRate', 0.6, 'met'],
    [sigma, 'sharpe', 1, 'not met'],
    [sigma, 'expectancy', 10, 'not met'],
    [sigma, 'maxDrawdown', 0.1, 'not met'],
    [fleet, 'dsr', 0.9499, 'not met'],
    [fleet, 'pbo', 0.2001, 'not met'],
    [fleet, 'dsr', null, 'unknown'],
    [fleet, 'pbo', null, 'unknown'],
    [fleet, 'sharpe', Number.NaN, 'unknown'],
    [fleet, 'sharpe', Number.POSITIVE_INFINITY, 'unknown'],
  ] as const)('by %j: %s of %s is %s', (profile, name, value, expected) => {
    const given = { profile, figures: measured({ [name]: value }) };
    expect(verdict(given, name)).toBe(expected);
    expect(decidePromotion({ ...good, ...given }).promoted).toBe(expected === 'met');
  });

  it.each([
    ['parityBpPerBar', 1, 'not met'],
    ['parityBpPerBar', 0.999, 'met'],
    ['paperDays', 89.9, 'not met'],
    ['paperUptime', 0.949, 'not met'],
    ['parityBpPerBar', null, 'unknown'],
  ] as const)('to live by S1: %s of %s is %s; to paper nobody asks', (name, value, expected) => {
    const given = { profile: s1, figures: measured({ [name]: value }) };
    expect(verdict({ ...given, to: 'live', stage: 'paper' }, name)).toBe(expected);
    expect(verdict(given, name)).toBeUndefined();
  });

  it('knows no band of an interval that the profile does not name', () => {
    expect(verdict({ profile: s1, interval: '1h' }, 'maxDrawdown')).toBe('unknown');
  });

  it('goes one stage at a time', () => {
    expect(verdict({ to: 'live', stage: 'research' }, 'stage')).toBe('not met');
    expect(verdict({ to: 'paper', stage: 'paper' }, 'stage')).toBe('not met');
    expect(verdict({ to: 'paper', stage: 'live' }, 'stage')).toBe('not met');
  });

  it('is refused to what is not on record and to what had a part switched off', () => {
    expect(decidePromotion({ ...good, isRegistered: false }).promoted).toBe(false);
    const found = decidePromotion({ ...good, stamps: ['expectancy ignored'] });
    expect(found.promoted).toBe(false);
    expect(found.criteria.find(({ verdict: is }) => is === 'not met')).toMatchObject({
      note: 'expectancy ignored',
    });
  });

  it('takes a figure without a number where that is good: no loss, nothing chosen', () => {
    const noLoss = { ...measured(), profitFactor: { value: null, passes: true } };
    expect(verdict({ profile: s1, figures: noLoss }, 'profitFactor')).toBe('met');
  });

  it('law: a signature excuses DSR and PBO, and nothing else', () => {
    const change = fc.record({
      figure: fc.constantFrom(...(Object.keys(figures) as FigureName[])),
      profile: fc.constantFrom(s1, fleet, sigma),
      to: fc.constantFrom('paper' as const, 'live' as const),
    });
    fc.assert(
      fc.property(change, ({ figure, profile, to }) => {
        const given: PromotionCase = {
          ...good,
          to,
          stage: to === 'paper' ? 'research' : 'paper',
          profile,
          figures: measured({ [figure]: null }),
        };
        const isAsked = decidePromotion(given).criteria.some(({ name }) => name === figure);
        const excusable = figure === 'dsr' || figure === 'pbo';
        expect(decidePromotion(given).promoted).toBe(!isAsked);
        const found = decidePromotion({ ...given, exception: signed });
        expect(found.promoted).toBe(!isAsked || excusable);
        expect(found.exception).toEqual(isAsked && excusable ? signed : null);
      }),
    );
  });

  it('law: a signature does not stand for a stage, a record or a stamp', () => {
    for (const change of [{ isRegistered: false }, { stamps: ['x'] }, { stage: 'live' as const }])
      expect(decidePromotion({ ...good, ...change, exception: signed }).promoted).toBe(false);
  });

  it('an exception that was not needed is not noted', () => {
    expect(decidePromotion({ ...good, exception: signed }).exception).toBeNull();
  });
});

describe('the usual profile', () => {
  it.each([
    ['sigma', 'sigma'],
    ['s1-momentum', 's1'],
    ['s1_rx68_btc_15m', 's1'],
    ['s100', 'fleet'],
    ['my-desk', 'fleet'],
  ])('of %s is %s', (desk, expected) => {
    expect(usualProfile(desk).name).toBe(expected);
  });
});

describe('a profile that was named', () => {
  const easy: PromotionProfile = {
    name: 'easy',
    criteria: [{ figure: 'trades', relation: '>=', needed: 1, stages: ['paper', 'live'], source: 'a file' }],
  };

  it.each(['S1_RX68_BTC_15M', 's1_rx68_btc_15m', 's1-momentum', 's1'])(
    'only adds to what S1 asks of %s',
    (name) => {
      for (const named of [easy, fleet, sigma]) {
        const { criteria, name: told } = bindingProfile(name, named);
        expect(criteria).toEqual([...s1.criteria, ...named.criteria]);
        expect(told).toBe(`s1+${named.name}`);
      }
      expect(bindingProfile(name, s1)).toBe(s1);
      const once = bindingProfile(name, easy);
      expect(bindingProfile(name, once)).toBe(once);
    },
  );

  it.each(['S10_BTC', 'sigma', 'my-s1', 'grid'])('is the one that %s is judged by', (name) => {
    expect(bindingProfile(name, easy)).toBe(easy);
  });
});
