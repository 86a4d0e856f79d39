import { committed } from '../account.ts';
import type { Limit } from '../limit.ts';
import { capVerdict } from './verdicts.ts';

/**
 * Notional of everything that some desks hold and have ordered, the plan included, in equities. `of` says which desks are
 * counted together with the plan's own.
 */
export function notionalLimit(config: {
  readonly name: string;
  readonly max: number;
  readonly of: (desk: string) => boolean;
}): Limit {
  const { name, max, of } = config;
  return {
    name,
    check: (plan, facts, account) => {
      let held = 0;
      for (const { desk, notional } of committed(account))
        if (of(desk) || desk === plan.desk) held += notional / account.equity;
      const words = { by: name, reason: 'positions together would be too large', unit: 'of equity' };
      return capVerdict(words, held, facts.notional / account.equity, max);
    },
    uses: (account) => {
      let held = 0;
      for (const { desk, notional } of committed(account)) if (of(desk)) held += notional / account.equity;
      return [{ of: null, used: held, max, unit: 'of equity' }];
    },
  };
}
