import { type DeskDefinition, defineDesk } from '#engine';
import { single } from '#ensemble';
import { fixedFraction, riskPerPlanLimit, singleAssetLimit, stopLossExit, takeProfitExit } from '#risk';
import { breakoutSource } from '#signals';
import { type SampleParameters, sampleParameters } from './sample-parameters.ts';

/**
 * Long or flat on daily bars: buys a close above the highest high of the last bars, with a stop and a target resting
 * at the venue, and leaves on a close below their lowest low. It exists to show the whole program on recorded prices.
 */
export const sample: DeskDefinition<SampleParameters> = defineDesk({
  name: 'sample',
  summary:
    'Donchian breakout with a bracket, long or flat on daily bars: shows the program on recorded prices',
  parameters: sampleParameters,
  build: (p) => ({
    interval: '1d',
    instruments: ['SPX.SAMPLE'],
    warmUpBars: p.bars + 1,
    sources: [breakoutSource({ bars: p.bars })],
    pooling: single(),
    sizer: fixedFraction(p.risk, {
      leverage: 1,
      stop: {
        atr: 'atr:14',
        atrMultiple: p.stopAtrMultiple,
        costMultiple: 5,
        targetMultiple: p.targetMultiple,
      },
    }),
    limits: [riskPerPlanLimit({ max: 2 * p.risk }), singleAssetLimit({ max: p.assetMax })],
    exits: [stopLossExit(), takeProfitExit()],
    opposite: 'close',
    shorts: false,
    simulation: { cash: 100_000, feeBps: 1, slippageBps: 1, participation: 0.01, latencyMs: 250 },
  }),
});
