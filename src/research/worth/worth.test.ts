import { describe, expect, it } from 'vitest';
import type { DeskParts } from '#engine';
import { gate, single } from '#ensemble';
import type { InstrumentId } from '#market';
import { portfolioLimits, type Sized, type Sizer, type SizingContext, sigmaExits, sigmaSizer } from '#risk';
import { source } from '#signals';
import { ablationsOf } from './ablations.ts';
import { compareRuns, type Played } from './compare.ts';
import { matchTrades, type PlayedTrade } from './match-trades.ts';
import { undoing } from './removals.ts';

const speaks = (name: string) =>
  source({
    name,
    features: { mean: 'sma:3' },
    signal: () => ({ kind: 'score', source: name, value: 1, horizonMs: 1 }),
  });
const objects = (name: string) =>
  gate({ name, features: { fast: 'sma:5' }, check: () => ({ by: name, reason: 'always' }) });

const PARTS: DeskParts = {
  interval: '1h',
  warmUpBars: 1,
  sources: [speaks('a'), speaks('b')],
  pooling: single({ source: 'a' }),
  gates: [objects('twice'), objects('twice')],
  sizer: sigmaSizer({ sampleRamp: 100 }),
  limits: portfolioLimits(),
  exits: sigmaExits(),
  opposite: 'reverse',
  entriesPerSlice: 2,
  review: { topic: 'plan', timeoutMs: 1 },
  monitor: {},
  stamps: ['own'],
};
const NOTHING = { sizeCuts: [], exits: [] };

const trade = (openedAt: number, change: Partial<PlayedTrade> = {}): PlayedTrade => ({
  instrument: 'A.X' as InstrumentId,
  direction: 1,
  openedAt,
  closedAt: openedAt + 10,
  lots: 5,
  net: 1,
  exitReason: 'exit:time',
  ...change,
});

const played = (daily: number[], trades: PlayedTrade[] = []): Played => ({
  cash: 1_000,
  daily,
  maxDrawdown: 0.1,
  trades,
  commandsHash: '',
});
const OPTIONS = { seed: 'test', confidence: 0.9, paths: 500 };

describe('the parts of a desk that can be taken out', () => {
  it('have an id each, also where two bear one name', () => {
    const ids = ablationsOf(PARTS, NOTHING).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining(['source:a', 'alone:b', 'gate:twice', 'gate:twice#2', 'exit:opposite-signal']),
    );
    expect(ids).toEqual(
      expect.arrayContaining(['review:plan', 'selection:best-ideas', 'multiplier:sample-ramp', 'limit:heat']),
    );
    expect(ids).not.toContain('breaker:breaker');
  });

  it('leave every other part as it is, and the desk is stamped', () => {
    for (const { id, kind, parts } of ablationsOf(PARTS, NOTHING)) {
      expect(parts.stamps?.[0]).toBe('own');
      expect(parts.stamps?.[1]).toMatch(/^study: /);
      const lists = ['sources', 'gates', 'limits', 'exits'] as const;
      for (const list of lists) {
        const changed = (parts[list] ?? []).filter((part, i) => part !== PARTS[list]![i]).length;
        const own = { source: 'sources', alone: 'sources', gate: 'gates', limit: 'limits', exit: 'exits' }[
          kind as 'source'
        ];
        expect(changed, `${id} ${list}`).toBe(own === list && id !== 'exit:opposite-signal' ? 1 : 0);
        // what a part wants to read is still read, so that warm-up and frames stay
        const names = (all: typeof parts) => (all[list] ?? []).map((part) => part.name);
        expect(names(parts)).toEqual(names(PARTS));
      }
      expect(parts.sources.map((s) => s.features)).toEqual(PARTS.sources.map((s) => s.features));
    }
  });

  it('name the protective orders that shall not be reached', () => {
    const deaf = ablationsOf(PARTS, NOTHING).filter(({ deafTo }) => deafTo.length > 0);
    expect(deaf.map(({ id, deafTo }) => [id, ...deafTo])).toEqual([
      ['exit:stop-loss', 'stop-loss'],
      ['exit:take-profit', 'take-profit'],
    ]);
    const bare = ablationsOf({ ...PARTS, exits: [] }, { sizeCuts: [], exits: ['take-profit'] });
    expect(bare.filter(({ kind }) => kind === 'exit').map(({ id }) => id)).toEqual([
      'exit:take-profit',
      'exit:opposite-signal',
    ]);
  });

  it('include factors that only a run has shown, undone by division', () => {
    const ids = ablationsOf(PARTS, { sizeCuts: ['own:CHOP', 'own:RANGE', 'regime:CHOP'], exits: [] });
    expect(ids.filter(({ name }) => name === 'own')).toHaveLength(1);
    const sized: Sized = {
      kind: 'sized',
      quantity: 6,
      stopDistance: null,
      targetDistance: null,
      leverage: 1,
      riskFraction: 0.03,
      cuts: [
        { by: 'own:CHOP', factor: 0.5 },
        { by: 'other', factor: 0.25 },
      ],
    };
    const sizer: Sizer = { name: 's', features: {}, size: () => sized };
    const grown = undoing(sizer, 'own').size({} as SizingContext, {});
    expect(grown).toEqual({
      ...sized,
      quantity: 12,
      riskFraction: 0.06,
      cuts: [{ by: 'other', factor: 0.25 }],
    });
  });
});

describe('trades of two runs', () => {
  it('meet by instrument, direction and entry', () => {
    const short = trade(1, { direction: -1 });
    const other = trade(1, { instrument: 'B.X' as InstrumentId });
    const late = trade(2, { closedAt: 99 });
    const large = trade(3, { lots: 9 });
    const found = matchTrades(
      [trade(1), short, trade(2), trade(3), trade(4), trade(4)],
      [trade(1), other, late, large, trade(4)],
    );
    expect(found.caused).toEqual([short, trade(4)]);
    expect(found.prevented).toEqual([other]);
    expect(found.changed).toEqual([{ with: trade(2), without: late }]);
    expect(found.resized).toEqual([{ with: trade(3), without: large }]);
    expect(found.same).toBe(2);
  });
});

describe('the comparison of two runs', () => {
  it('is nothing at all for equal runs', () => {
    const run = played([1_010, 990, 1_020, 1_015], [trade(1)]);
    const worth = compareRuns(run, { ...run, trades: [trade(1)] }, OPTIONS);
    expect(worth).toMatchObject({ verdict: 'idle', return: 0, sharpe: 0, maxDrawdown: 0, trades: 0 });
    expect(worth.daily).toMatchObject({ estimate: 0, low: 0, high: 0 });
  });

  it('speaks for a part that adds to every day, and against it the other way round', () => {
    const grow = (rates: number[]) => {
      let equity = 1_000;
      return rates.map((rate) => {
        equity *= 1 + rate;
        return equity;
      });
    };
    const base = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 0.01 : -0.003));
    const better = played(grow(base.map((rate, i) => rate + 0.002 + (i % 5) * 1e-4)));
    const worse = played(grow(base));
    const good = compareRuns(better, worse, OPTIONS);
    expect(good.verdict).toBe('helps');
    expect(good.daily!.estimate).toBeCloseTo(0.0022, 12);
    expect(good.sharpe).toBeGreaterThan(0);
    const bad = compareRuns(worse, better, OPTIONS);
    expect(bad.verdict).toBe('harms');
    expect(bad.daily!.high).toBeLessThan(0);
  });

  it('has no interval for an account that came to nothing', () => {
    const worth = compareRuns(played([1_000, 1_001, 1_002]), played([500, 0, 0]), OPTIONS);
    expect(worth).toMatchObject({ daily: null, dailySharpe: null, verdict: 'unproven' });
    expect(worth.return).toBeCloseTo(1.002, 12);
  });
});
