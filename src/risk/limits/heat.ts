import type { Objection } from '#ensemble';
import type { InstrumentId } from '#market';
import { type AccountSummary, committed } from '../account.ts';
import { type Limit, type LimitVerdict, legFacts } from '../limit.ts';
import { correlationOf, isCorrelation } from './groups.ts';
import { ofEquity } from './limit-uses.ts';
import { PASS, refuse, within } from './verdicts.ts';

/** Signed risk to the stop over equity. */
export interface Risk {
  readonly instrument: InstrumentId;
  /** Positive for a long, negative for a short. */
  readonly weight: number;
}

type Correlation = (a: InstrumentId, b: InstrumentId) => number;

/** Risks summed per instrument and sorted, so that the order of positions cannot change a bit of the result. */
function netted(risks: readonly Risk[]): readonly Risk[] {
  const sorted = [...risks].sort((a, b) =>
    a.instrument === b.instrument ? a.weight - b.weight : a.instrument < b.instrument ? -1 : 1,
  );
  const sums = new Map<InstrumentId, number>();
  for (const { instrument, weight } of sorted) sums.set(instrument, (sums.get(instrument) ?? 0) + weight);
  return [...sums].map(([instrument, weight]) => ({ instrument, weight }));
}

/** u'Rv over instruments; NaN when a correlation is not within -1..1. */
function product(u: readonly Risk[], v: readonly Risk[], correlation: Correlation): number {
  let sum = 0;
  for (const a of u) {
    for (const b of v) {
      const rho = correlationOf(correlation, a.instrument, b.instrument);
      if (!isCorrelation(rho)) return Number.NaN;
      sum += a.weight * b.weight * rho;
    }
  }
  return sum;
}

/** Portfolio heat sqrt(w'Rw) as a fraction of equity (sigma.md 7); NaN when an input is not usable. */
export function heat(risks: readonly Risk[], correlation: Correlation): number {
  const net = netted(risks);
  return Math.sqrt(Math.max(0, product(net, net, correlation)));
}

/**
 * The largest share s in 0..1 with c + 2*b*s + a*s^2 <= limit^2, or null when there is none. The caller knows
 * that s = 1 is too much. Written so that neither root loses digits when a is small.
 */
function largestShare(a: number, b: number, c: number, limit: number): number | null {
  const room = limit * limit - c;
  const discriminant = b * b + a * room;
  if (room >= 0) {
    const root = Math.sqrt(Math.max(0, discriminant));
    const s = b >= 0 ? room / (b + root) : (root - b) / a;
    return Number.isFinite(s) ? Math.min(1, Math.max(0, s)) : null;
  }
  // too hot without the plan: only a hedge helps, and of a hedge less may be too little
  if (!(b < 0 && a > 0 && discriminant >= 0)) return null;
  const s = (Math.sqrt(discriminant) - b) / a;
  return s <= 1 ? s : null;
}

const weightsOf = (account: AccountSummary): readonly Risk[] =>
  netted(
    committed(account).map((e) => ({
      instrument: e.instrument,
      weight: (e.direction * e.riskToStop) / account.equity,
    })),
  );

/** Heat of what is held and planned, at most `max` of equity (sigma.md 7: 0.06); reduces to the exact fit. */
export function heatLimit(config: { readonly max: number } = { max: 0.06 }): Limit {
  const name = 'heat';
  return {
    name,
    check: (plan, facts, account): LimitVerdict => {
      const rho: Correlation = (x, y) => account.correlation(x, y);
      const held = weightsOf(account);
      const added = netted(
        legFacts(plan, facts).map((leg) => ({
          instrument: leg.instrument,
          weight: (leg.direction * leg.riskToStop) / account.equity,
        })),
      );
      const a = product(added, added, rho);
      const b = product(held, added, rho);
      const c = product(held, held, rho);
      const square = a + 2 * b + c;
      const measured = Math.sqrt(Math.max(0, square));
      const objection: Objection = {
        by: name,
        reason: 'positions together would put too much at risk',
        measured,
        needed: config.max,
        relation: '<=',
        unit: 'of equity',
      };
      if (!Number.isFinite(square))
        return refuse({ ...objection, reason: 'a risk or a correlation is not a usable number' });
      if (within(measured, config.max)) return PASS;
      const share = largestShare(a, b, c, config.max);
      return share === null || share === 0 ? refuse(objection) : { kind: 'reduce', share, objection };
    },
    uses: (account) => [
      {
        of: null,
        used:
          account.equity > 0
            ? heat(weightsOf(account), (x, y) => account.correlation(x, y))
            : ofEquity(committed(account).length, account.equity),
        max: config.max,
        unit: 'of equity',
      },
    ],
  };
}
