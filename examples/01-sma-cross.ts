// Two moving averages: buy when the fast one crosses above the slow one, leave (or turn round) when it crosses below.
// npx quorum backtest examples/01-sma-cross.ts --bars YOURFILE.csv [--set fast=10 --set mode=long-short]
import { crossSource, defineDesk, fixedUnits, single, z } from 'quorum';

export default defineDesk({
  name: 'sma-cross',
  summary: 'SMA(fast)/SMA(slow) cross on closes, a fixed number of units',
  parameters: z
    .strictObject({
      fast: z.int().min(1).default(10),
      slow: z.int().min(2).default(30),
      units: z.number().positive().default(10),
      mode: z.enum(['long-flat', 'long-short']).default('long-flat'),
    })
    .prefault({}),
  build: ({ fast, slow, units, mode }) => ({
    interval: 'tape',
    warmUpBars: slow,
    // a cross is a change of sign against the last difference that was not zero; none on the first defined bar
    sources: [crossSource({ fast: `sma:${fast}`, slow: `sma:${slow}` })],
    pooling: single(),
    sizer: fixedUnits(units),
    opposite: mode === 'long-short' ? 'reverse' : 'close',
    shorts: mode === 'long-short',
    unlimitedCredit: true, // a study of the rule alone: fixed units whatever is left
    simulation: { cash: 1_000_000, feeBps: 5, slippageBps: 0, participation: null },
  }),
});
