import { describe, expect, it } from 'vitest';
import { captureState, DAY, HOUR, restoreState } from '#base';
import { ShadowRecord } from './shadow.ts';
import { StrategyMonitor } from './strategy-monitor.ts';
import { TradeRecord } from './track-record.ts';
import { deviation, expectancyOf, expectedResult, sharpePerTrade } from './trade-statistics.ts';

const repeat = <T>(n: number, item: T): T[] => Array.from({ length: n }, () => item);
/** `wins` wins of `win` and `losses` losses of `loss`, spread evenly so that no long losing run appears. */
function mixed(wins: number, losses: number, win = 1, loss = 1): number[] {
  const out: number[] = [];
  for (let i = 0, w = 0; i < wins + losses; i++) {
    const due = Math.floor(((i + 1) * wins) / (wins + losses)) > w;
    if (due) w += 1;
    out.push(due ? win : -loss);
  }
  return out;
}

describe('expectancy', () => {
  it('is 27.60 for 68 % wins of 50 against losses of 20', () => {
    expect(expectedResult(0.68, 50, 20)).toBeCloseTo(27.6, 12);
    const figures = expectancyOf(mixed(68, 32, 50, 20));
    expect(figures).toMatchObject({ n: 100, winRate: 0.68, meanWin: 50, meanLoss: 20 });
    expect(figures.expectancy).toBeCloseTo(27.6, 12);
  });

  it('counts a result of 0 as a loss that does not change the mean loss', () => {
    const figures = expectancyOf([10, 0, -4, 0]);
    expect(figures).toMatchObject({ winRate: 0.25, meanWin: 10, meanLoss: 4 });
    expect(figures.expectancy).toBeCloseTo(0.25 * 10 - 0.75 * 4, 12);
  });

  it('without losses or wins', () => {
    expect(expectancyOf([1, 2])).toMatchObject({ winRate: 1, meanLoss: 0, expectancy: 1.5 });
    expect(expectancyOf([-1, -2]).expectancy).toBe(-1.5);
    expect(expectancyOf([])).toEqual({ n: 0, winRate: 0, meanWin: 0, meanLoss: 0, expectancy: 0 });
  });
});

it('Sharpe of the ten results of R is 0.302532 per trade', () => {
  expect(sharpePerTrade([1, -0.5, 0.8, -1, 1.2, 0.4, -0.3, 0.9, -0.7, 0.6])).toBeCloseTo(0.302532, 6);
  expect(sharpePerTrade([1, 1])).toBe(Number.POSITIVE_INFINITY);
  expect(sharpePerTrade([0, 0])).toBe(0);
  expect(deviation([1])).toBeNaN();
});

describe('trade record', () => {
  const filled = (nets: readonly number[]) => {
    const record = new TradeRecord();
    for (const net of nets) record.closed(net);
    return record;
  };

  it('uses the last 100 and falls back to what exists', () => {
    const record = filled([...repeat(100, -5), ...repeat(100, 5)]);
    expect(record.record(1)).toMatchObject({ n: 100, winRate: 1, expectancy: 5, edgeReturned: false });
    expect(record.expectancy(30).n).toBe(30);
    expect(record.expectancy(500)).toMatchObject({ n: 200, expectancy: 0 });
    expect(filled([1, 2]).record(0.5)).toMatchObject({ n: 2, monitorMultiplier: 0.5 });
  });

  it('keeps 500', () => {
    expect(filled(repeat(700, 1)).expectancy(500).n).toBe(500);
  });

  it('collapses below 0 from the 30th trade on; at 0 there is no edge but no collapse', () => {
    expect([filled(repeat(29, -1)).collapsed, filled(repeat(30, -1)).collapsed]).toEqual([false, true]);
    const even = filled(mixed(15, 15));
    expect([even.collapsed, even.withoutEdge]).toEqual([false, true]);
    expect(filled(mixed(14, 15)).withoutEdge).toBe(false);
    expect(filled(mixed(16, 15)).withoutEdge).toBe(false);
  });

  it('after a resume counts only what comes then', () => {
    const record = filled(repeat(60, -1));
    record.resume();
    expect(record.record(1)).toMatchObject({ n: 0, edgeReturned: true });
    for (const net of repeat(29, -1)) record.closed(net);
    expect(record.record(1)).toMatchObject({ n: 29, edgeReturned: true });
    expect(record.collapsed).toBe(false);
    record.closed(-1);
    expect(record.record(1)).toMatchObject({ n: 30, edgeReturned: false });
    expect([record.collapsed, record.withoutEdge]).toEqual([true, true]);
  });

  it('goes on after capture and restore', () => {
    const record = filled(mixed(20, 30));
    record.resume();
    record.closed(3);
    const copy = new TradeRecord();
    restoreState(copy, JSON.parse(JSON.stringify(captureState(record))));
    for (const r of [record, copy]) r.closed(4);
    expect(copy.record(1)).toEqual(record.record(1));
    expect(copy.expectancy()).toMatchObject({ n: 2, expectancy: 3.5 });
  });

  it('takes no result that is not a number', () => {
    expect(() => new TradeRecord().closed(Number.NaN)).toThrow();
  });
});

describe('shadow record', () => {
  it('reports the returned edge once, and again after it was lost', () => {
    const shadow = new ShadowRecord();
    expect(repeat(29, 1).map((net) => shadow.closed(net))).toEqual(repeat(29, 'nothing'));
    expect(shadow.edge).toBe(false);
    expect(shadow.closed(1)).toBe('edge-returned');
    expect(shadow.closed(1)).toBe('nothing');
    expect(shadow.closed(-100)).toBe('nothing');
    expect(shadow.edge).toBe(false);
    const words = repeat(30, 1).map((net) => shadow.closed(net));
    expect(words.filter((word) => word === 'edge-returned')).toHaveLength(1);
  });

  it('needs an expectancy above 0', () => {
    const shadow = new ShadowRecord({ autoResume: true });
    expect(mixed(15, 15).map((net) => shadow.closed(net))).toEqual(repeat(30, 'nothing'));
  });

  it('resumes when a person allows it', () => {
    const shadow = new ShadowRecord();
    for (const net of repeat(30, 1)) shadow.closed(net);
    expect(shadow.allow()).toBe('resume');
    expect([shadow.edge, shadow.expectancy.n]).toEqual([false, 0]);
    const early = new ShadowRecord();
    expect(early.allow()).toBe('nothing');
    expect(
      repeat(30, 1)
        .map((net) => early.closed(net))
        .at(-1),
    ).toBe('resume');
  });

  it('resumes by itself with autoResume, and empties its window', () => {
    const shadow = new ShadowRecord({ autoResume: true });
    expect(
      repeat(60, 1)
        .map((net) => shadow.closed(net))
        .filter((word) => word === 'resume'),
    ).toHaveLength(2);
  });

  it('survives a restart', () => {
    const shadow = new ShadowRecord();
    for (const net of repeat(29, 1)) shadow.closed(net);
    const copy = new ShadowRecord();
    restoreState(copy, JSON.parse(JSON.stringify(captureState(shadow))));
    expect(copy.closed(1)).toBe('edge-returned');
  });
});

describe('strategy monitor', () => {
  /** One trade a day unless said otherwise. */
  const report = (nets: readonly number[], everyMs = DAY, config = {}) => {
    const monitor = new StrategyMonitor(config);
    nets.forEach((net, i) => {
      monitor.closed({ closedAt: i * everyMs, net, equity: 1_000 });
    });
    return monitor.current;
  };
  const severityOf = (nets: readonly number[], row: string, everyMs = DAY) =>
    report(nets, everyMs).findings.find((f) => f.row === row)?.severity ?? null;

  it.each([
    [50, null],
    [49, 'minor'],
    [45, 'minor'],
    [44, 'moderate'],
    [40, 'moderate'],
    [39, 'severe'],
    [35, 'severe'],
    [34, 'critical'],
  ])('%d wins of 100: %s', (wins, severity) => {
    expect(severityOf(mixed(wins, 100 - wins), 'win-rate')).toBe(severity);
  });

  it('judges the win rate from 30 trades on', () => {
    expect(severityOf(mixed(10, 19), 'win-rate')).toBeNull();
    expect(severityOf(mixed(10, 20), 'win-rate')).toBe('critical');
  });

  it.each([
    [3, null],
    [4, 'minor'],
    [5, 'minor'],
    [6, 'moderate'],
    [8, 'severe'],
    [9, 'severe'],
    [10, 'critical'],
  ])('%d losses in a row, at any number of trades: %s', (losses, severity) => {
    expect(severityOf([1, ...repeat(losses, -1)], 'consecutive-losses')).toBe(severity);
    expect(severityOf([1, ...repeat(losses, 0)], 'consecutive-losses')).toBe(severity);
    expect(severityOf([...repeat(losses, -1), 1], 'consecutive-losses')).toBeNull();
  });

  it('annualises the Sharpe ratio of daily results with the root of 365', () => {
    // 100 days of +-1 plus a mean m: Sharpe = m / sd * sqrt(365)
    const sharpeOf = (m: number) => {
      const found = new StrategyMonitor({ sharpe: [1e9, null, null, null] });
      mixed(50, 50).forEach((net, i) => {
        found.closed({ closedAt: i * DAY, net: net + m, equity: 1_000 });
      });
      return found.current.findings.find((f) => f.row === 'sharpe')!.measured;
    };
    const sd = Math.sqrt(100 / 99);
    for (const m of [0.1, -0.05]) expect(sharpeOf(m)).toBeCloseTo((m / sd) * Math.sqrt(365), 9);
  });

  it('counts days without a trade as 0 and puts trades of one day together', () => {
    const config = { sharpe: [1e9, null, null, null] } as const;
    const sharpe = (nets: readonly number[], everyMs: number) =>
      report(nets, everyMs, config).findings.find((f) => f.row === 'sharpe')?.measured;
    const sparse = mixed(25, 15).map((net) => net + 0.5);
    const days = sparse.flatMap((net) => [net, 0]).slice(0, -1);
    expect(sharpe(sparse, 2 * DAY)).toBeCloseTo(sharpePerTrade(days) * Math.sqrt(365), 9);
    const halves = sparse
      .map((_, i) => (i % 2 === 0 ? sparse[i]! + sparse[i + 1]! : 0))
      .filter((_, i) => i % 2 === 0);
    expect(sharpe(sparse, DAY / 2)).toBeCloseTo(sharpePerTrade(halves) * Math.sqrt(365), 9);
    expect(sharpe(sparse, HOUR / 10)).toBeUndefined(); // one day has no deviation
  });

  it.each([
    [1.001, null],
    [0.999, 'minor'],
    [0.501, 'minor'],
    [0.499, 'moderate'],
    [0.251, 'moderate'],
    [0.249, 'severe'],
    [0.001, 'severe'],
    [-0.001, 'critical'],
  ])('a Sharpe ratio of %d: %s', (sharpe, severity) => {
    const m = (sharpe / Math.sqrt(365)) * Math.sqrt(100 / 99);
    expect(
      severityOf(
        mixed(50, 50).map((net) => net + m),
        'sharpe',
      ),
    ).toBe(severity);
  });

  it('expectancy: falling, negative, and surely negative', () => {
    const row = (nets: readonly number[]) => severityOf(nets, 'expectancy');
    expect(row([...repeat(100, 2), ...repeat(100, 1)])).toBe('minor');
    expect(row([...repeat(100, 2), ...repeat(100, 1.01)])).toBeNull();
    expect(row([...repeat(29, 2), ...repeat(100, 0.1)])).toBeNull();
    expect(row([...mixed(50, 50, 1, 1.1)])).toBe('severe');
    expect(row([...mixed(50, 50, 1, 2)])).toBe('critical');
    expect(row(mixed(10, 19, 1, 2))).toBeNull();
  });

  it('the worst row decides the action and the multiplier', () => {
    const words = (nets: readonly number[]) => {
      const { severity, action, multiplier } = report(nets);
      return [severity, action, multiplier];
    };
    expect(words(repeat(3, 1))).toEqual([null, 'none', 1]);
    expect(words(repeat(4, -1))).toEqual(['minor', 'monitor', 1]);
    expect(words(repeat(6, -1))).toEqual(['moderate', 'size x0.5', 0.5]);
    expect(words(repeat(8, -1))).toEqual(['severe', 'halt entries', 0]);
    expect(words(repeat(10, -1))).toEqual(['critical', 'emergency halt, close all', 0]);
  });

  it('starts afresh, and survives a restart of the process', () => {
    const monitor = new StrategyMonitor();
    for (let i = 0; i < 9; i++) monitor.closed({ closedAt: i, net: -1, equity: 1 });
    const copy = new StrategyMonitor();
    restoreState(copy, JSON.parse(JSON.stringify(captureState(monitor))));
    expect(copy.current).toEqual(monitor.current);
    expect(copy.closed({ closedAt: 9, net: -1, equity: 1 }).severity).toBe('critical');
    copy.restart();
    expect(copy.current.severity).toBeNull();
    expect(copy.closed({ closedAt: 10, net: -1, equity: 1 }).severity).toBeNull();
  });
});
