import { describe, expect, it } from 'vitest';
import { HOUR } from '#base';
import { COLD_COSTS, COLD_RULES, coldDataOf } from '../../../../test/support/cold-path.ts';
import { QUARTER, trendingBars } from '../../../../test/support/trending-market.ts';
import type { ColdCosts, ColdData, ColdFunding, ColdRules } from './cold-data.ts';
import { fundingAfter, isFundingOld } from './cold-funding.ts';
import { isWholeBehind, missingBefore } from './cold-gaps.ts';
import { playWindow } from './cold-play.ts';

const BARS = trendingBars({ days: 6, seed: 'play' });
const DATA = coldDataOf(BARS);
const TEST = { from: 300, to: 492 };
const play = (
  directions: (k: number) => number,
  change: { data?: ColdData; costs?: ColdCosts; rules?: ColdRules } = {},
) =>
  playWindow(
    change.data ?? DATA,
    change.rules ?? COLD_RULES,
    change.costs ?? COLD_COSTS,
    { atr: 14 },
    TEST,
    Int8Array.from({ length: TEST.to - TEST.from }, (_, k) => directions(k)),
  )!;
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('one test window', () => {
  it('is flat and without a ratio where nothing is let through', () => {
    const { equity, nets, sharpe } = play(() => 0);
    expect(equity).toHaveLength(TEST.to - TEST.from + 1);
    expect(new Set(equity)).toEqual(new Set([COLD_COSTS.cash]));
    expect(nets).toEqual([]);
    expect(sharpe).toBeNull();
  });

  it('ends with what its trades earned once all are closed', () => {
    const { equity, nets } = play((k) => (k < 150 && k % 30 === 0 ? (k % 60 === 0 ? 1 : -1) : 0));
    expect(nets).toHaveLength(5);
    expect(equity.at(-1)! - equity[0]!).toBeCloseTo(sum(nets), 0);
  });

  it.each([null, 0.1])(
    'holds for the vertical barrier and no bar longer with a cap of %s',
    (participation) => {
      const rules = { ...COLD_RULES, stopAtr: 40, targetAtr: 60, participation };
      const { equity } = play((k) => (k === 10 ? 1 : 0), { rules });
      // filled at the opening of the eleventh bar: twelve of them are behind it at the close of the twenty-second
      const flat = (from: number, to: number) => new Set(equity.slice(from, to)).size === 1;
      expect(flat(0, 11)).toBe(true);
      expect(flat(24, equity.length)).toBe(true);
      expect(flat(23, equity.length)).toBe(false);
      expect(flat(22, equity.length)).toBe(false);
    },
  );

  it('leaves by time after the vertical barrier, and counts what is open at the last close', () => {
    const late = play((k) => (k === 189 ? 1 : 0));
    expect(late.nets).toEqual([]);
    expect(late.equity.at(-1)).not.toBe(COLD_COSTS.cash);
    // the last bar's signal would be filled behind the window
    expect(play((k) => (k === 191 ? 1 : 0)).equity.at(-1)).toBe(COLD_COSTS.cash);
  });

  it('pays for every fill', () => {
    const signal = (k: number) => (k === 20 ? 1 : 0);
    const dear = play(signal, { costs: { ...COLD_COSTS, feeRate: 3 * COLD_COSTS.feeRate } });
    expect(dear.nets[0]).toBeLessThan(play(signal).nets[0]!);
  });

  it('takes no notice of what comes after it', () => {
    const later = { ...BARS, close: BARS.close.map((close, i) => (i >= TEST.to ? 2 * close : close)) };
    const signal = (k: number) => (k % 20 === 0 ? 1 : 0);
    expect(play(signal, { data: { ...DATA, bars: later } })).toEqual(play(signal));
  });

  it('pays funding on what it holds at the close of the instant, long against short', () => {
    // held from the opening of bar 301 on; due at the close of bar 301
    const due = BARS.time[301]! + QUARTER;
    const funding: ColdFunding = { times: [due], rates: [0.01] };
    const with_ = (side: 1 | -1, own: ColdFunding | null) =>
      play((k) => (k === 0 ? side : 0), { data: { ...DATA, funding: own } });
    for (const side of [1, -1] as const) {
      const [free, paid] = [with_(side, null), with_(side, funding)];
      const cost = free.nets[0]! - paid.nets[0]!;
      expect(Math.sign(cost)).toBe(side);
      expect(free.equity.at(-1)! - paid.equity.at(-1)!).toBeCloseTo(cost, 3);
    }
    // opened at that very instant, or due before the window: nothing is paid
    const early: ColdFunding = { times: [BARS.time[301]!, BARS.time[200]!].sort(), rates: [0.01, 0.01] };
    expect(with_(1, early).nets).toEqual(with_(1, null).nets);
  });
});

describe('funding', () => {
  it('falls due once each, none from before', () => {
    const sum = fundingAfter({ times: [10, 20, 30, 40], rates: [1, 2, Number.NaN, 8] }, 10);
    expect([15, 20, 35, 100].map(sum)).toEqual([0, 2, 0, 8]);
  });

  it('is old after two intervals, and never where none has come', () => {
    const isOld = isFundingOld({ times: [8 * HOUR], rates: [0.1] }, 8 * HOUR);
    expect([0, 8 * HOUR, 24 * HOUR, 24 * HOUR + 1].map(isOld)).toEqual([false, false, false, true]);
  });
});

describe('holes', () => {
  it('are counted up to each bar', () => {
    const missing = missingBefore([0, 10, 20, 50, 60, 80], 6, 10);
    expect([...missing]).toEqual([0, 0, 0, 2, 2, 3]);
    expect([0, 1, 2, 3, 4, 5].map((i) => isWholeBehind(missing, i, 2))).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ]);
  });
});
