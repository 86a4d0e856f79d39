// A plan of two legs, all or none: sells the dear stock and buys the cheap one when their ratio is stretched. A leg that
// does not fill in time unwinds the other.
// npx quorum backtest examples/06-two-leg-plan.ts --bars examples/bars/ALFA-15m.csv examples/bars/BETA-15m.csv
import {
  defineDesk,
  fixedUnits,
  HOUR,
  type InstrumentId,
  type Limit,
  proposalPool,
  spreadSource,
  timeExit,
  z,
} from 'quorum';

/** A source knows no positions, so risk says that one spread at a time is enough. */
const oneSpread: Limit = {
  name: 'one-spread',
  check: (_plan, _facts, account) =>
    account.exposures.length === 0
      ? { kind: 'pass' }
      : { kind: 'refuse', objection: { by: 'one-spread', reason: 'a spread is held already' } },
};

export default defineDesk({
  name: 'two-leg-plan',
  summary: 'mean reversion of the ratio of two stocks, in plans of two legs',
  parameters: z
    .strictObject({
      window: z.int().min(20).default(200),
      entry: z.number().positive().default(2),
      legValue: z.number().positive().default(8_000),
      hold: z.number().positive().default(12).describe('hours'),
    })
    .prefault({}),
  build: ({ window, entry, legValue, hold }) => ({
    interval: '15m',
    warmUpBars: window,
    sources: [
      spreadSource({ peer: 'BETA.LOCAL' as InstrumentId, window, entry, legValue, costRate: 0.0002 }),
    ],
    pooling: proposalPool({ ratioMin: 0.2 }),
    // proposals state their own sizes; the sizer would serve single entries
    sizer: fixedUnits(1),
    limits: [oneSpread],
    legFailure: 'unwind',
    exits: [timeExit({ longestMs: {}, otherwiseMs: hold * HOUR })],
    simulation: { cash: 100_000, feeBps: 2, participation: 0.25 },
  }),
});
