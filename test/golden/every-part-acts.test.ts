import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticSeries } from '#adapters';
import { type Counts, type Event, tally } from '#engine';
import { runDesk } from '../support/run-desk.ts';

/**
 * The named fixture `every-part-acts`: the Sigma desk on the seeded synthetic tape of eight pairs, once as it ships
 * and then with one group of thresholds tightened at a time, so that parts which seldom act do. What is counted here
 * is what `summary.json` counts.
 */
const VARIANTS: Record<string, readonly string[]> = {
  shipped: [],
  'small asset limit': ['assetMax=0.05'],
  'small group and sector limits': free('groupMax=0.06', 'sectorMax=0.07'),
  'small sector limit': free('sectorMax=0.06'),
  'small heat limit': free('heatMax=0.004'),
  'strict gates': ['adxMin=60', 'stretchMin=3', 'volumeShareMin=0.9', 'volatilityMax=0.3'],
  'no leverage allowed': ['leverageMax=5'],
  'small day loss': ['dayLossMax=0.0005', 'ignoreExpectancy=true', 'monitor=false', 'breaker=false'],
  'large risk': free(
    'explorationRisk=0.02',
    'riskMax=0.02',
    'assetMax=1',
    'groupMax=1',
    'sectorMax=1',
    'heatMax=1',
  ),
};

/** Many entries at once and nothing that pauses the desk. */
function free(...more: string[]): string[] {
  return ['entriesPerSlice=8', 'ignoreExpectancy=true', 'monitor=false', 'breaker=false', ...more];
}

const seen = {
  sources: new Map<string, number>(),
  gates: new Map<string, number>(),
  refusals: new Map<string, number>(),
  reductions: new Map<string, number>(),
  exits: new Map<string, number>(),
  breaker: new Map<string, number>(),
  regimes: new Map<string, number>(),
  layers: new Map<string, number>(),
  cuts: new Map<string, number>(),
};

function remember(counts: Counts): void {
  const pairs = [
    [seen.sources, counts.signalsBySource],
    [seen.gates, counts.objectionsByGate],
    [seen.refusals, counts.refusalsByLimit],
    [seen.reductions, counts.reductionsByLimit],
    [seen.exits, counts.exitsByKind],
    [seen.breaker, counts.breakerStates],
    [seen.regimes, counts.regimes],
    [seen.layers, counts.safetyByLayer],
    [seen.cuts, counts.sizeCuts],
  ] as const;
  for (const [into, from] of pairs) for (const name of from.keys()) tally(into, name);
}

describe('fixture every-part-acts', () => {
  beforeAll(async () => {
    const series = [...syntheticSeries('acting', 8_000, Date.UTC(2024, 0, 1))];
    for (const assignments of Object.values(VARIANTS)) {
      const { engine } = await runDesk('sigma', assignments, series);
      remember(engine.counts);
      expect([...engine.real.ledger.trialBalance().values()]).toEqual([0]);
      const killed: Event = {
        kind: 'operator-acted',
        at: engine.at,
        eventTime: engine.at,
        by: 'test',
        reason: 'the fixture ends with the kill switch',
        act: { action: 'kill' },
      };
      engine.step(killed);
      remember(engine.counts);
    }
  }, 120_000);

  it.each(['sigma-v1', 'sigma-v2'])('source %s', (name) => expect(seen.sources.has(name)).toBe(true));
  it.each(['entry-threshold', 'max-volatility', 'thin-volume', 'trend-or-stretch'])('gate %s', (name) =>
    expect(seen.gates.has(name)).toBe(true),
  );
  it.each(['single-asset', 'correlated-group', 'sector', 'heat'])('limit %s', (name) =>
    expect(seen.refusals.has(name) || seen.reductions.has(name)).toBe(true),
  );
  it.each([
    'exit:time',
    'exit:trailing',
    'exit:regime-change',
    'exit:rebalance',
    'exit:thesis',
    'stop-loss',
    'take-profit',
  ])('%s', (name) => expect([...seen.exits.keys()]).toContain(name));
  it.each(['CLOSED', 'ALERT', 'THROTTLE', 'HALT', 'SHUTDOWN'])('breaker state %s', (name) =>
    expect([...seen.breaker.keys()]).toContain(name),
  );
  it.each(['TREND_UP', 'TREND_DOWN', 'RANGE', 'CHOP', 'VOLATILE'])('regime %s', (name) =>
    expect([...seen.regimes.keys()]).toContain(name),
  );
  it.each(['leverage', 'daily-loss'])('safety layer %s', (name) =>
    expect([...seen.layers.keys()]).toContain(name),
  );
  it('multipliers of regime, volatility and monitor', () => {
    expect([...seen.cuts.keys()]).toEqual(
      expect.arrayContaining(['volatility', 'strategy-monitor', 'regime:RANGE']),
    );
  });
});
