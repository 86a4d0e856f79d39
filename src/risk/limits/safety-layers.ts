import type { Limit } from '../limit.ts';
import { largestUse, ofEquity } from './limit-uses.ts';
import { capVerdict, PASS, refuse, strictest, within } from './verdicts.ts';

/** sigma.md 8. Shares are of equity. */
export interface SafetyConfig {
  /** Instrument ids, symbols or underlyings that may be traded; null is all. */
  readonly allowed: readonly string[] | null;
  readonly leverageMax: number;
  readonly riskMax: number;
  readonly marginMax: number;
  /** Fees kept in reserve, in single fees: one to enter, one to leave. */
  readonly feesReserved: number;
  /** Loss since 00:00 UTC at which entries stop. */
  readonly dayLossMax: number;
}

export const SIGMA_SAFETY: SafetyConfig = {
  allowed: ['BTC', 'ETH', 'SOL', 'XRP', 'BNB', 'ADA', 'DOGE', 'LTC'],
  leverageMax: 20,
  riskMax: 0.02,
  marginMax: 0.4,
  feesReserved: 2,
  dayLossMax: 0.05,
};

/** Loss of a day as a share of the equity it began with. */
export const dayLoss = (equityAtDayStart: number, equity: number): number =>
  (equityAtDayStart - equity) / equityAtDayStart;

/**
 * The five layers in their order. Layers 3 and 4 say how much would fit: the judge takes that as a limit first, and
 * whatever objects to the fitted plan blocks it.
 */
export function safetyLayers(changes: Partial<SafetyConfig> = {}): readonly Limit[] {
  const config = { ...SIGMA_SAFETY, ...changes };
  return [
    symbolLayer(config),
    leverageLayer(config),
    sizeLayer(config),
    balanceLayer(config),
    dayLossLayer(config),
  ];
}

function symbolLayer({ allowed }: SafetyConfig): Limit {
  const by = 'symbol';
  return {
    name: by,
    check: (plan, facts) => {
      for (const leg of plan.legs) {
        const { id, symbol, underlying } = facts.instrumentOf(leg.instrument);
        if (allowed !== null && ![id as string, symbol, underlying].some((name) => allowed.includes(name))) {
          return refuse({ by, reason: `${id} is not in the list` });
        }
      }
      return PASS;
    },
  };
}

function leverageLayer({ leverageMax }: SafetyConfig): Limit {
  const by = 'leverage';
  return {
    name: by,
    check: (plan, facts) => {
      const measured = plan.legs.reduce((max, leg) => Math.max(max, leg.leverage), facts.leverage);
      if (within(measured, leverageMax)) return PASS;
      return refuse({
        by,
        reason: 'leverage is too high',
        measured,
        needed: leverageMax,
        relation: '<=',
        unit: 'x',
      });
    },
    uses: (account) => [
      largestUse(account, leverageMax, null, (e) => (e.margin > 0 ? e.notional / e.margin : 0), 'x'),
    ],
  };
}

function sizeLayer({ riskMax, marginMax }: SafetyConfig): Limit {
  const by = 'position-size';
  return {
    name: by,
    check: (plan, facts, account) => {
      for (const leg of plan.legs) {
        const { minLots, id } = facts.instrumentOf(leg.instrument);
        const needed = Math.max(1, minLots);
        if (!(leg.lots >= needed)) {
          const reason = `size of ${id} is below the venue's minimum`;
          return refuse({ by, reason, measured: leg.lots, needed, relation: '>=', unit: 'lots' });
        }
      }
      const cap = (what: string, amount: number, max: number) =>
        capVerdict(
          { by, reason: `${what} is too large`, unit: 'of equity' },
          0,
          amount / account.equity,
          max,
        );
      return strictest([cap('risk', facts.riskToStop, riskMax), cap('margin', facts.margin, marginMax)]);
    },
    uses: (account) => [
      largestUse(account, riskMax, 'risk', (e) => ofEquity(e.riskToStop, account.equity)),
      largestUse(account, marginMax, 'margin', (e) => ofEquity(e.margin, account.equity)),
    ],
  };
}

function balanceLayer({ feesReserved }: SafetyConfig): Limit {
  const by = 'balance';
  return {
    name: by,
    check: (_plan, facts, account) => {
      const needed = facts.margin + feesReserved * facts.fee;
      const words = { by, reason: 'margin and fees exceed the free balance', unit: 'minor units' };
      return capVerdict(words, 0, needed, account.freeBalance);
    },
    uses: ({ equity, freeBalance }) => [
      {
        of: null,
        used: equity > 0 ? Math.max(0, equity - freeBalance) / equity : Number.POSITIVE_INFINITY,
        max: 1,
        unit: 'of equity',
      },
    ],
  };
}

function dayLossLayer({ dayLossMax }: SafetyConfig): Limit {
  const by = 'daily-loss';
  return {
    name: by,
    check: (_plan, _facts, account) => {
      const measured = dayLoss(account.equityAtDayStart, account.equity);
      if (measured < dayLossMax) return PASS;
      const reason = 'the day has lost too much';
      return refuse({
        by,
        reason,
        measured,
        needed: dayLossMax,
        relation: '<',
        unit: 'of equity at 00:00 UTC',
      });
    },
    uses: ({ equityAtDayStart, equity }) => [
      {
        of: null,
        used: Math.max(0, dayLoss(equityAtDayStart, equity)),
        max: dayLossMax,
        unit: 'of equity at 00:00 UTC',
      },
    ],
  };
}
