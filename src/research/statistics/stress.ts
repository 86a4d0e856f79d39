import { InputError, unreachable } from '#base';
import { impactRate } from '#execution';
import type { StressAccount, StressPosition } from './stress-position.ts';
import { type Outcome, revalue } from './stress-revaluation.ts';
import type { PriceShock, StressScenario } from './stress-scenarios.ts';

/** Shares of the whole equity before the shock; null or absent: no limit. */
export interface StressLimits {
  readonly lossShareMax?: number | null;
  /** Maintenance margin after the shock / equity after it. */
  readonly marginShareMax?: number | null;
  readonly liquidationsMax?: number | null;
}

export interface StressBreach {
  readonly limit: keyof StressLimits;
  readonly measured: number;
  readonly allowed: number;
}

export interface StressReport {
  readonly scenario: string;
  /** Money lost, below 0 for a gain; what the venue bears is not in it. */
  readonly loss: number;
  readonly lossShare: number;
  /** Loss beyond the equity behind a liquidated cross account. */
  readonly venueBears: number;
  readonly equityAfter: number;
  /** Of the positions that are left, at shocked prices. */
  readonly marginAfter: number;
  readonly positions: readonly Outcome[];
  readonly liquidations: number;
  /** Instruments whose part could not be measured, for lack of a deviation, a spread or a volume. */
  readonly unmeasured: readonly string[];
  readonly breaches: readonly StressBreach[];
}

/** Square-root impact, as the simulated venue charges it. */
const IMPACT = 0.5;
const MINUTES_PER_DAY = 1_440;

/**
 * Applies scenarios to positions: loss, margin and liquidation of each, and which limits broke. Positions are held
 * as they are: nobody acts during the shock. Liquidation is judged from the current price with margin notional /
 * leverage; an isolated position loses its margin and the fee, never more.
 */
export function stressOf(
  positions: readonly StressPosition[],
  account: StressAccount,
  scenarios: readonly StressScenario[],
  limits: StressLimits = {},
): StressReport[] {
  for (const position of positions) checked(position, account);
  return scenarios.map((scenario) => stressOne(positions, account, scenario, limits));
}

function stressOne(
  positions: readonly StressPosition[],
  account: StressAccount,
  scenario: StressScenario,
  limits: StressLimits,
): StressReport {
  const found = playScenario(positions, account, scenario);
  const equity = totalOf(account);
  const loss = found.outcomes.reduce((sum, outcome) => sum + outcome.loss, 0) + found.cashLost - found.bears;
  const lossShare = equity > 0 ? loss / equity : loss > 0 ? 1 : 0;
  const marginAfter = found.outcomes.reduce((sum, outcome) => sum + outcome.maintenanceAfter, 0);
  const liquidations = found.outcomes.filter((outcome) => outcome.liquidated).length;
  const equityAfter = equity - loss;
  const measured: Record<keyof StressLimits, number> = {
    lossShareMax: lossShare,
    // without equity nothing carries a margin
    marginShareMax: equityAfter > 0 ? marginAfter / equityAfter : marginAfter > 0 ? 1 : 0,
    liquidationsMax: liquidations,
  };
  return {
    scenario: scenario.id,
    loss,
    lossShare,
    venueBears: found.bears,
    equityAfter,
    marginAfter,
    positions: found.outcomes,
    liquidations,
    unmeasured: found.unmeasured,
    breaches: breachesOf(measured, limits),
  };
}

interface Played {
  readonly outcomes: readonly Outcome[];
  readonly bears: number;
  /** Lost besides the positions. */
  readonly cashLost: number;
  readonly unmeasured: readonly string[];
}

function playScenario(
  positions: readonly StressPosition[],
  account: StressAccount,
  scenario: StressScenario,
): Played {
  switch (scenario.kind) {
    case 'prices':
      return moved(positions, account, (position) => pathFor(position, scenario.shocks));
    case 'correlation': {
      const moves = jointMoves(positions, scenario.correlation, scenario.deviations);
      return moved(positions, account, (_, i) => moves[i]!);
    }
    case 'outage':
      return moved(positions, account, ({ deviationDaily, notional }) =>
        deviationDaily == null
          ? null
          : [
              -Math.sign(notional) *
                Math.min(
                  1,
                  scenario.deviations * deviationDaily * Math.sqrt(scenario.minutes / MINUTES_PER_DAY),
                ),
            ],
      );
    case 'liquidity':
      return closed(positions, scenario.spreadFactor, scenario.volumeFactor);
    case 'funding': {
      const paid = positions.map((p) =>
        p.funded === true ? p.notional * scenario.rate * scenario.payments : 0,
      );
      return { ...revalue(positions, account, [], paid), cashLost: 0, unmeasured: [] };
    }
    case 'default':
      return withoutVenue(positions, account, scenario.venue ?? largestVenue(account));
    default:
      return unreachable(scenario);
  }
}

function moved(
  positions: readonly StressPosition[],
  account: StressAccount,
  pathOf: (position: StressPosition, i: number) => readonly number[] | null,
): Played {
  const paths = positions.map(pathOf);
  const unmeasured = positions.filter((_, i) => paths[i] === null).map((position) => position.instrument);
  return {
    ...revalue(
      positions,
      account,
      paths.map((path) => path ?? []),
      [],
    ),
    cashLost: 0,
    unmeasured,
  };
}

const pathFor = (position: StressPosition, shocks: readonly PriceShock[]): readonly number[] =>
  shocks.find((shock) => position.tags.includes(shock.tag))?.path ?? [];

/**
 * The most likely moves given that the portfolio loses `deviations` of its own deviations, when all pairs have this
 * correlation: each instrument moves by -z cov(instrument, portfolio) / deviation of the portfolio. A fall stops at -1.
 */
function jointMoves(positions: readonly StressPosition[], correlation: number, deviations: number) {
  const risks = positions.map(({ notional, deviationDaily }) => notional * (deviationDaily ?? 0));
  const sum = risks.reduce((a, b) => a + b, 0);
  const squares = risks.reduce((a, b) => a + b * b, 0);
  const variance = correlation * sum * sum + (1 - correlation) * squares;
  return positions.map(({ deviationDaily }, i) => {
    if (deviationDaily == null) return null;
    if (!(variance > 0)) return [0];
    const joint = deviationDaily * (correlation * sum + (1 - correlation) * risks[i]!);
    return [Math.max(-1, (-deviations * joint) / Math.sqrt(variance))];
  });
}

/** Half spread plus square-root impact of closing everything: |notional| (f s + k sigma sqrt(|notional| / (v V))). */
function closed(positions: readonly StressPosition[], spreadFactor: number, volumeFactor: number): Played {
  const unmeasured: string[] = [];
  const outcomes = positions.map((position) => {
    const { notional, halfSpread, deviationDaily, volumeDaily } = position;
    const size = Math.abs(notional);
    const known = halfSpread != null && deviationDaily != null && volumeDaily != null && volumeDaily > 0;
    if (!known) unmeasured.push(position.instrument);
    const share = known
      ? impactRate(spreadFactor * halfSpread, IMPACT, deviationDaily, size / (volumeDaily * volumeFactor))
      : 0;
    return {
      instrument: position.instrument,
      loss: size * Math.min(1, share),
      margin: size / position.leverage,
      maintenanceAfter: 0,
      liquidated: false,
    };
  });
  return { outcomes, bears: 0, cashLost: 0, unmeasured };
}

/** Equity and positions at the venue are gone; the others stand as they were. */
function withoutVenue(positions: readonly StressPosition[], account: StressAccount, venue: string): Played {
  const outcomes = positions.map((position) => {
    const size = Math.abs(position.notional);
    return {
      instrument: position.instrument,
      loss: 0,
      margin: size / position.leverage,
      maintenanceAfter: position.venue === venue ? 0 : size * position.maintenanceRate,
      liquidated: false,
    };
  });
  return { outcomes, bears: 0, cashLost: account.equity[venue] ?? 0, unmeasured: [] };
}

function largestVenue(account: StressAccount): string {
  const [largest] = Object.entries(account.equity).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return largest?.[0] ?? '';
}

const totalOf = (account: StressAccount): number =>
  Object.values(account.equity).reduce((sum, equity) => sum + equity, 0);

function breachesOf(measured: Record<keyof StressLimits, number>, limits: StressLimits): StressBreach[] {
  return (Object.keys(measured) as (keyof StressLimits)[]).flatMap((limit) => {
    const allowed = limits[limit];
    return allowed != null && measured[limit] > allowed
      ? [{ limit, measured: measured[limit], allowed }]
      : [];
  });
}

function checked(position: StressPosition, account: StressAccount): void {
  const { instrument, notional, leverage, maintenanceRate, venue } = position;
  if (!Number.isFinite(notional)) throw new InputError(`${instrument}: no finite notional`, 'give its value');
  if (!(leverage > 0)) throw new InputError(`${instrument}: leverage ${leverage}`, 'give a number above 0');
  if (!(maintenanceRate >= 0 && maintenanceRate < 1))
    throw new InputError(`${instrument}: maintenance rate ${maintenanceRate}`, 'give 0 to below 1');
  if (!Number.isFinite(account.equity[venue]))
    throw new InputError(`no equity is known at ${venue}`, `give it: ${instrument} is held there`);
}
