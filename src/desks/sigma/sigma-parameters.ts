import { z } from 'zod';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();

/** Every threshold of the Sigma desk with the default of its sheet. Unknown keys are refused. */
export const sigmaParameters = z
  .strictObject({
    interval: z.string().default('5m').describe('bars the desk decides on'),
    leverage: z.number().min(1).max(20).default(10).describe('leverage of every position'),
    leverageMax: z.number().min(1).max(125).default(20),
    riskMax: fraction.default(0.02).describe('largest risk of one trade, share of equity'),
    explorationRisk: fraction.default(0.005).describe('risk while fewer than tradesMin trades have closed'),
    tradesMin: z.int().min(1).default(30),
    kellyFraction: fraction.default(0.25),
    stopAtrMultiple: positive.default(1.5),
    stopCostMultiple: z.number().min(0).default(5).describe('stop is at least this many round-trip costs'),
    targetMultiple: positive.default(2.5).describe('target distance in stop distances'),
    v1Entry: fraction.default(0.2).describe('|adjusted| score from which V1 enters'),
    v1ConfidenceScale: positive.default(2.5),
    entryConfidence: fraction.default(0.6).describe('final confidence needed to enter'),
    volumeShareMin: fraction.default(0.2),
    volatilityMax: positive.default(0.8).describe('annualised Garman-Klass above which nothing is entered'),
    adxMin: z.number().min(0).max(100).default(15),
    stretchMin: z.number().min(0).default(0.5),
    assetMax: fraction.default(0.4),
    groupMax: fraction.default(0.6),
    groupRho: fraction.default(0.7),
    heatMax: fraction.default(0.06),
    sectorMax: fraction.default(0.5),
    dayLossMax: fraction.default(0.05),
    entriesPerSlice: z.int().min(1).default(1),
    autoResume: z
      .boolean()
      .nullable()
      .default(null)
      .describe('resume by itself when the shadow window shows an edge; null: in backtests only'),
    ignoreExpectancy: z.boolean().default(false).describe('research only: stamps every report'),
    reviewMs: z
      .int()
      .min(0)
      .default(0)
      .describe('0: no review; else every entry waits this long for a person'),
    breaker: z.boolean().default(true),
    monitor: z.boolean().default(true),
    slippageBps: z.number().min(0).default(2),
  })
  .prefault({});

export type SigmaParameters = z.output<typeof sigmaParameters>;
