import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { stressOf } from './stress.ts';
import type { StressPosition } from './stress-position.ts';
import { liquidationRatio } from './stress-revaluation.ts';
import { HISTORIC_SCENARIOS, STRESS_SCENARIOS, type StressScenario } from './stress-scenarios.ts';

const btc: StressPosition = {
  instrument: 'BTCUSDT.BINANCE-USDM',
  tags: ['BTC', 'crypto'],
  venue: 'BINANCE-USDM',
  notional: 10_000,
  leverage: 3,
  maintenanceRate: 0.005,
  isolated: true,
};
const account = { equity: { 'BINANCE-USDM': 5_000 } };
const scenario = (id: string) => STRESS_SCENARIOS.find((found) => found.id === id)!;
const fall = (path: readonly number[], tag = 'crypto'): StressScenario => ({
  kind: 'prices',
  id: 'fall',
  title: '',
  date: null,
  shocks: [{ tag, path }],
});
const play = (position: StressPosition, found: StressScenario, equity = 5_000) =>
  stressOf([position], { equity: { [position.venue]: equity } }, [found])[0]!;

describe('liquidation', () => {
  it('of a long with 3x and 0.5 % is at -33.0 %, of a short above', () => {
    expect(liquidationRatio('long', 3, 0.005)).toBeCloseTo(0.670017, 6);
    expect(liquidationRatio('short', 3, 0.005)).toBeCloseTo(4 / 3 / 1.005, 12);
    expect(liquidationRatio('long', 1, 0.005)).toBeNull();
  });

  it('on the day of -39 % costs the margin of 3,333, not 3,900', () => {
    const report = stressOf([btc], account, [scenario('covid-crypto-2020')])[0]!;
    expect(report.loss).toBeCloseTo(3333.33, 2);
    expect(report.positions[0]).toMatchObject({ liquidated: true, maintenanceAfter: 0 });
    expect(report.liquidations).toBe(1);
    const fee = play({ ...btc, liquidationFeeRate: 0.01 }, scenario('covid-crypto-2020'));
    expect(fee.loss).toBeCloseTo(3333.33 + 67, 1);
  });

  it('does not come at -32.9 %, and comes at -33.1 %', () => {
    expect(play(btc, fall([-0.329]))).toMatchObject({ loss: expect.closeTo(3_290, 8), liquidations: 0 });
    expect(play(btc, fall([-0.331]))).toMatchObject({ loss: expect.closeTo(3333.33, 2), liquidations: 1 });
  });

  it('stays when the price comes back', () => {
    expect(play(btc, fall([-0.39, 0])).loss).toBeCloseTo(3333.33, 2);
    expect(play(btc, fall([-0.2, 0])).loss).toBeCloseTo(0, 10);
  });

  it('of an isolated position never costs more than margin and fee', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.99, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (move, leverage, long) => {
          const position = { ...btc, leverage, notional: long ? 1_000 : -1_000 };
          expect(play(position, fall([move])).loss).toBeLessThanOrEqual(1_000 / leverage + 1e-9);
        },
      ),
    );
  });
});

describe('cross margin', () => {
  const cross = { ...btc, isolated: false };

  it('stands on the whole equity of its venue', () => {
    expect(play(cross, fall([-0.39]))).toMatchObject({ loss: expect.closeTo(3_900, 8), liquidations: 0 });
    expect(play(cross, fall([-0.39]), 3_920)).toMatchObject({ liquidations: 1, venueBears: 0 });
  });

  it("loses its equity and no more; the rest is the venue's", () => {
    const report = play(cross, fall([-0.6]));
    expect(report).toMatchObject({ loss: expect.closeTo(5_000, 8), venueBears: expect.closeTo(1_000, 8) });
    expect(report.equityAfter).toBeCloseTo(0, 8);
  });

  it('is helped by a hedge at the same venue and not by one elsewhere', () => {
    const hedge = { ...cross, instrument: 'ETH', notional: -10_000 };
    const together = stressOf([cross, hedge], account, [fall([-0.6])])[0]!;
    expect(together).toMatchObject({ loss: 0, liquidations: 0 });
    const elsewhere = stressOf(
      [cross, { ...hedge, venue: 'OTHER' }],
      { equity: { ...account.equity, OTHER: 5_000 } },
      [fall([-0.6])],
    )[0]!;
    expect(elsewhere).toMatchObject({ liquidations: 1, loss: expect.closeTo(-1_000, 8) });
  });

  it('does not stand on what isolated margins tie up', () => {
    const both = [cross, { ...btc, instrument: 'X', tags: [] }];
    const report = stressOf(both, account, [fall([-0.17])])[0]!;
    // 5,000 - 3,333 leaves 1,667 for a loss of 1,700
    expect(report.positions.map((position) => position.liquidated)).toEqual([true, false]);
  });

  it('what is paid in full is never liquidated', () => {
    const share = { ...btc, leverage: 1, maintenanceRate: 0, isolated: false };
    expect(play(share, fall([-0.99]), 10_000)).toMatchObject({
      liquidations: 0,
      loss: expect.closeTo(9_900, 8),
    });
  });
});

describe('scenarios', () => {
  it('a loss without equity is the whole of it', () => {
    const account = { equity: { A: -50, B: 10 } };
    const defaulted = { kind: 'default', id: 'd', title: '', venue: 'B' } as const;
    const [report] = stressOf([], account, [defaulted], { lossShareMax: 0.01 });
    expect(report!.lossShare).toBe(1);
    expect(report!.breaches.length).toBeGreaterThan(0);
  });

  it('the history is that of the sheet', () => {
    const end = (id: string, tag: string) => {
      const found = scenario(id);
      return found.kind === 'prices'
        ? found.shocks.find((shock) => shock.tag === tag)!.path.at(-1)!
        : Number.NaN;
    };
    expect(end('covid-crypto-2020', 'BTC')).toBe(-0.39);
    expect(end('covid-crypto-2020', 'ETH')).toBe(-0.43);
    expect(end('deleveraging-2021', 'crypto')).toBe(-0.3);
    expect(end('luna-2022', 'alt')).toBeCloseTo(-0.4, 12);
    expect(end('ftx-2022', 'crypto')).toBe(-0.25);
    expect(end('franc-2015', 'EURCHF')).toBe(-0.2);
    expect(end('ihsg-halts-2020', 'IDX')).toBeCloseTo(0.95 ** 4 - 1, 12);
    expect(end('ihsg-2025', 'IDX')).toBe(-0.08);
    expect(new Set(STRESS_SCENARIOS.map((found) => found.id)).size).toBe(STRESS_SCENARIOS.length);
  });

  it('touch only what they name', () => {
    const bank = {
      ...btc,
      instrument: 'BBCA.IDX',
      tags: ['IDX'],
      venue: 'IDX',
      leverage: 1,
      maintenanceRate: 0,
    };
    const losses = stressOf([bank], { equity: { IDX: 10_000 } }, HISTORIC_SCENARIOS).map((r) =>
      Math.round(r.loss),
    );
    expect(losses).toEqual([0, 0, 0, 0, 0, 1_855, 800]);
  });

  it('correlations at 0.95 make two longs fall together and lose three deviations', () => {
    const pair = ['A', 'B'].map((instrument) => ({
      ...btc,
      instrument,
      notional: 1_000,
      leverage: 1,
      deviationDaily: 0.02,
    }));
    const report = stressOf(pair, account, [scenario('correlations')])[0]!;
    expect(report.loss).toBeCloseTo(3 * 20 * Math.sqrt(2 + 2 * 0.95), 8);
    expect(report.positions[0]!.loss).toBeCloseTo(report.positions[1]!.loss, 8);
  });

  it('a dry book costs five half spreads and the impact on a fifth of the volume', () => {
    const known = { ...btc, deviationDaily: 0.04, halfSpread: 0.0001, volumeDaily: 1_250_000 };
    // impact 0.5 * 0.04 * sqrt(10,000 / 250,000) = 0.004
    expect(play(known, scenario('dry-book')).loss).toBeCloseTo(10_000 * (0.0005 + 0.004), 8);
    expect(play(btc, scenario('dry-book'))).toMatchObject({ loss: 0, unmeasured: [btc.instrument] });
  });

  it('an outage moves every price against us', () => {
    const short = { ...btc, notional: -10_000, deviationDaily: 0.04 };
    const move = 3 * 0.04 * Math.sqrt(1 / 48);
    expect(play(short, scenario('outage')).loss).toBeCloseTo(10_000 * move, 8);
    expect(play({ ...short, notional: 10_000 }, scenario('outage')).loss).toBeCloseTo(10_000 * move, 8);
    expect(play(btc, scenario('outage')).unmeasured).toEqual([btc.instrument]);
  });

  it('funding is paid by longs, by nobody without it, and can liquidate', () => {
    const funded = { ...btc, funded: true };
    expect(play(funded, scenario('funding-paid-by-longs')).loss).toBeCloseTo(90, 8);
    expect(play(funded, scenario('funding-paid-by-shorts')).loss).toBeCloseTo(-90, 8);
    expect(play(btc, scenario('funding-paid-by-longs')).loss).toBe(0);
    expect(play({ ...funded, leverage: 100 }, scenario('funding-paid-by-longs'))).toMatchObject({
      liquidations: 1,
      loss: expect.closeTo(100, 8),
    });
  });

  it('a default takes the venue that holds most, or the one named', () => {
    const equity = { 'BINANCE-USDM': 5_000, OTHER: 6_000 };
    const loss = (venue: string | null) =>
      stressOf([btc], { equity }, [{ kind: 'default', id: 'd', title: '', venue }])[0]!;
    expect(loss(null)).toMatchObject({ loss: 6_000, equityAfter: 5_000, marginAfter: 50 });
    expect(loss('BINANCE-USDM')).toMatchObject({ loss: 5_000, marginAfter: 0 });
  });
});

describe('limits', () => {
  it('name what broke, with figures', () => {
    const limits = { lossShareMax: 0.5, liquidationsMax: 0, marginShareMax: 0.5 };
    const report = stressOf([btc], account, [scenario('covid-crypto-2020')], limits)[0]!;
    expect(report.breaches).toEqual([
      { limit: 'lossShareMax', measured: expect.closeTo(2 / 3, 8), allowed: 0.5 },
      { limit: 'liquidationsMax', measured: 1, allowed: 0 },
    ]);
    expect(stressOf([btc], account, [scenario('covid-crypto-2020')])[0]!.breaches).toEqual([]);
  });

  it('refuse positions that cannot be judged', () => {
    const bad: Partial<StressPosition>[] = [
      { leverage: 0 },
      { notional: Number.NaN },
      { maintenanceRate: 1 },
      { venue: 'NOWHERE' },
    ];
    for (const change of bad)
      expect(() => stressOf([{ ...btc, ...change }], account, [])).toThrow(InputError);
  });

  it('without positions nothing happens, except at the venue that is gone', () => {
    const losses = stressOf([], account, STRESS_SCENARIOS).map((report) => report.loss);
    expect(losses.filter((loss) => loss !== 0)).toEqual([5_000]);
  });
});
