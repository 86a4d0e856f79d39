import { z } from 'zod';
import { S1_SYMBOLS, S1_TIMEFRAMES, type S1Timeframe } from './s1-configs.ts';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();

/** A length of bars, as config ids write it or as the program does: `15M`, `15m`. */
const timeframe = z
  .string()
  .transform((text) => text.toUpperCase() as S1Timeframe)
  .refine((text) => Object.hasOwn(S1_TIMEFRAMES, text), `one of ${Object.keys(S1_TIMEFRAMES).join(', ')}`);

/** Every threshold of one S1 config with the default of its sheet. Unknown keys are refused. */
export const s1Parameters = z
  .strictObject({
    symbol: z
      .string()
      .transform((text) => text.toUpperCase() as (typeof S1_SYMBOLS)[number])
      .refine((text) => S1_SYMBOLS.includes(text), `one of ${S1_SYMBOLS.join(', ')}`)
      .prefault('BTC'),
    timeframe: timeframe.prefault('15M').describe('1M, 3M, 5M or 15M; M is minutes'),
    model: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('id, NAME@STAGE or file of the model; the config id @paper unless given'),
    instruments: z
      .partialRecord(z.enum(S1_SYMBOLS), z.string().min(3))
      .default({})
      .describe('SYMBOL.VENUE of a symbol; SYMBOLUSDT.BINANCE-USDM unless given'),
    news: z.boolean().default(false).describe('news are one of the gates; they must then come'),
    killDirections: z.enum(['all', 'long']).default('all').describe('entries that bad news stop'),
    parity: z
      .boolean()
      .default(true)
      .describe('compare features with what a chart script sends of the same bars'),
    scoreMin: fraction.nullable().default(null).describe("the timeframe's unless given"),
    probabilityMin: fraction.default(0.55),
    leadMin: fraction.default(0.1),
    tMin: z.number().min(0).default(0.5).describe('|t| of momentum above which there is a trend'),
    riskShare: fraction.default(0.005).describe('equity at risk to the stop'),
    stopAtr: positive.default(1.5),
    targetAtr: positive.default(2.25),
    notionalMax: positive.default(3).describe('notional of one config, in equities'),
    groupNotionalMax: positive.default(6).describe('notional of all configs together'),
    leverage: z.number().min(1).max(125).default(5).describe('lowered where liquidation comes too near'),
    bufferStops: positive.default(2).describe('distance to liquidation, in stop distances'),
    fundingShareMax: positive.default(0.2).describe('funding over the holding time, share of the target'),
    dayLossMax: fraction.default(0.02).describe('kill switch of the config'),
    groupDayLossMax: fraction.default(0.05).describe('kill switch of all'),
    drawdownMax: fraction.nullable().default(null).describe("kill switch; the timeframe's band unless given"),
    lossesInARow: z.int().min(1).default(6),
    modelAgeMaxDays: positive.default(14),
    watchModel: z
      .boolean()
      .default(true)
      .describe('kill switch for an old model, inputs that drifted, and parity'),
    parityBpMax: positive.default(1),
    flatten: z.boolean().default(false).describe('a tripped kill switch closes what is held'),
    inSample: z.boolean().default(false).describe('research only: trade bars that the model was trained on'),
    slippageBps: z.number().min(0).default(1),
    feeBps: z
      .number()
      .min(0)
      .nullable()
      .default(null)
      .describe("one fee for every fill; edgeX's taker and maker rates unless given"),
  })
  .prefault({});

export type S1Parameters = z.output<typeof s1Parameters>;
