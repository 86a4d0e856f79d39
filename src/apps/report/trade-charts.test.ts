import { expect, it } from 'vitest';
import { HOUR } from '#base';
import type { TradeFact } from '#research';
import { DOTS_MAX, scatterChart } from './trade-charts.ts';

it('a scatter takes more trades than a function takes arguments, and draws some of them', () => {
  const trade = { openedAt: 0, closedAt: 2 * HOUR, net: 1, notional: 100, quantity: 1, entryPrice: 100 };
  const trades = Array.from({ length: 300_000 }, () => trade as TradeFact);
  const { series, xAxis } = scatterChart(trades, '').option('wide') as {
    series: { data: unknown[] }[];
    xAxis: { name: string };
  };
  expect(xAxis.name).toBe('held, minutes');
  expect(series[0]!.data.length).toBe(DOTS_MAX);
});
