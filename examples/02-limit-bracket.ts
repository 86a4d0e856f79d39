// A limit order below the market with a bracket: once it fills, a stop and a target rest at the venue and cancel
// each other. An order that nobody takes within 4 bars expires.
// npx quorum backtest examples/02-limit-bracket.ts --bars examples/bars/ALFA-15m.csv
import { defineDesk, fixedFraction, single, stopLossExit, takeProfitExit, thresholdSource, z } from 'quorum';

export default defineDesk({
  name: 'limit-bracket',
  summary: 'buys weakness with a limit order; stop at 2 ATR, target at 1.5 stops',
  parameters: z
    .strictObject({
      oversold: z.number().min(1).max(50).default(30).describe('RSI below which it bids'),
      discount: z.number().min(0).max(0.05).default(0.001).describe('how far below the close, as a fraction'),
      risk: z.number().positive().max(0.05).default(0.002).describe('share of equity lost at the stop'),
    })
    .prefault({}),
  build: ({ oversold, discount, risk }) => ({
    interval: 'tape',
    warmUpBars: 200, // what RSI(14) and ATR(14) need to forget where the bars began; `quorum bias` measures it
    sources: [thresholdSource({ feature: 'rsi:14', long: { below: oversold } })],
    pooling: single(),
    sizer: fixedFraction(risk, {
      stop: { atr: 'atr:14', atrMultiple: 2, costMultiple: 0, targetMultiple: 1.5 },
    }),
    entry: { type: 'limit', offsetRate: discount, bars: 4, postOnly: true },
    // both rest at the venue; the desk itself would only step in if one were missing
    exits: [stopLossExit(), takeProfitExit()],
    shorts: false,
    simulation: { cash: 100_000, feeBps: 2, participation: 0.5 },
  }),
});
