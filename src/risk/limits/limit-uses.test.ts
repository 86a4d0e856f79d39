import { describe, expect, it } from 'vitest';
import type { BookId } from '#ledger';
import { type InstrumentId, instrumentIdOf } from '#market';
import type { AccountSummary, Exposure } from '../account.ts';
import type { Limit } from '../limit.ts';
import { platformGuard } from './platform-guard.ts';
import { safetyLayers } from './safety-layers.ts';
import { portfolioLimits } from './sigma-limits.ts';

const exposure = (symbol: string, margin: number, risk: number, direction: 1 | -1 = 1): Exposure => ({
  book: `p/d/c/${symbol}USDT.X` as BookId,
  desk: 'd',
  instrument: instrumentIdOf(`${symbol}USDT.X`),
  underlying: symbol,
  direction,
  lots: 1,
  notional: 5 * margin,
  margin,
  riskToStop: risk,
  unrealised: 0,
});

const account = (exposures: readonly Exposure[], ordered: readonly Exposure[] = []): AccountSummary => ({
  at: 0,
  equity: 1_000,
  equityAtDayStart: 1_040,
  freeBalance: 700,
  exposures,
  ordered,
  ratesFresh: true,
  correlation: (a: InstrumentId, b: InstrumentId) => (a.startsWith('BTC') && b.startsWith('ETH') ? 0.9 : 0),
});

const usesOf = (limits: readonly Limit[], name: string, of: AccountSummary) =>
  limits.find((limit) => limit.name === name)!.uses!(of);

describe('what an account uses of its limits', () => {
  const held = account([exposure('BTC', 200, 10), exposure('ETH', 100, 8), exposure('DOGE', 50, 4)]);

  it('is measured by asset, group and sector as the limits themselves do', () => {
    const limits = portfolioLimits();
    expect(usesOf(limits, 'single-asset', held)).toEqual([
      { of: 'BTC', used: 0.2, max: 0.4, unit: 'of equity' },
      { of: 'ETH', used: 0.1, max: 0.4, unit: 'of equity' },
      { of: 'DOGE', used: 0.05, max: 0.4, unit: 'of equity' },
    ]);
    expect(usesOf(limits, 'correlated-group', held).map(({ of, used }) => [of, used])).toEqual([
      ['BTC+ETH', 0.3],
      ['DOGE', 0.05],
    ]);
    expect(usesOf(limits, 'sector', held).map(({ of }) => of)).toEqual([
      'store_of_value',
      'smart_contract',
      'meme',
    ]);
    expect(usesOf(limits, 'risk-per-plan', held)).toMatchObject([{ of: 'BTCUSDT.X', used: 0.01, max: 0.02 }]);
    const [heat] = usesOf(limits, 'heat', held);
    expect(heat!.used).toBeCloseTo(Math.sqrt(10 ** 2 + 8 ** 2 + 2 * 0.9 * 80 + 4 ** 2) / 1_000, 12);
  });

  it('counts what is ordered with what is held', () => {
    const ordered = account([exposure('BTC', 200, 10)], [exposure('BTC', 100, 5)]);
    expect(usesOf(portfolioLimits(), 'single-asset', ordered)).toMatchObject([{ of: 'BTC', used: 0.3 }]);
  });

  it('is 0 of everything for an account that holds nothing', () => {
    for (const limit of portfolioLimits())
      expect(limit.uses!(account([])), limit.name).toMatchObject([{ of: null, used: 0 }]);
  });

  it('is beyond every cap for an account whose equity is gone', () => {
    for (const equity of [0, -50]) {
      const gone = { ...held, equity, freeBalance: 0 };
      for (const limit of portfolioLimits())
        for (const { used } of limit.uses!(gone)) expect(used, limit.name).toBe(Infinity);
      for (const name of ['position-size', 'balance'])
        for (const { used } of usesOf(safetyLayers(), name, gone)) expect(used, name).toBe(Infinity);
      const platform = { equity, equityAtDayStart: 1_000, margin: 90, perBaseMinor: 1 };
      const uses = platformGuard({ marginMax: 0.5 }).uses!({ ...gone, platform });
      expect(uses.map(({ used }) => used)).toEqual([1 - equity / 1_000, Infinity]);
    }
  });

  it('is told of the safety layers that have a number', () => {
    const layers = safetyLayers();
    expect(usesOf(layers, 'leverage', held)).toEqual([{ of: 'BTCUSDT.X', used: 5, max: 20, unit: 'x' }]);
    expect(usesOf(layers, 'position-size', held).map(({ of, used }) => [of, used])).toEqual([
      ['risk of BTCUSDT.X', 0.01],
      ['margin of BTCUSDT.X', 0.2],
    ]);
    expect(usesOf(layers, 'balance', held)).toMatchObject([{ used: 0.3, max: 1 }]);
    expect(usesOf(layers, 'daily-loss', held)[0]!.used).toBeCloseTo(40 / 1_040, 12);
    expect(layers.find(({ name }) => name === 'symbol')!.uses).toBeUndefined();
  });

  it('is told of the platform when there is one', () => {
    const guard = platformGuard({ marginMax: 0.5 });
    expect(guard.uses!(held)).toEqual([]);
    const platform = { equity: 900, equityAtDayStart: 1_000, margin: 90, perBaseMinor: 1 };
    expect(guard.uses!({ ...held, platform }).map(({ of, used }) => [of, used])).toEqual([
      ['loss today', 0.1],
      ['margin', 0.1],
    ]);
  });
});
