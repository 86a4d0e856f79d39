import { z } from 'zod';
import { decimal, instant, ofPortfolio, text } from '../common.ts';
import { defineRoutes, VIEWER } from '../route.ts';

export const instrument = z.object({
  id: z.string(),
  venue: z.string(),
  kind: z.string(),
  /** Smallest steps, as decimals: a price, a quantity, an amount of the settlement currency. */
  tick: decimal,
  lot: decimal,
  minorScale: z.int(),
  settle: z.string(),
  desks: z.array(z.string()),
  intervalMs: z.int(),
  price: z.number().nullable(),
  regime: z.string().nullable(),
});

/** Columns of equal length. `time` is the open of the bar. */
export const barColumns = z.object({
  time: z.array(instant),
  open: z.array(z.number()),
  high: z.array(z.number()),
  low: z.array(z.number()),
  close: z.array(z.number()),
  volume: z.array(z.number()),
});

export const MARKET_ROUTES = defineRoutes({
  instruments: {
    summary: 'What is traded here',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ items: z.array(instrument) }),
  },
  bars: {
    summary: 'Bars of an instrument with indicators over them, oldest first',
    access: VIEWER,
    query: ofPortfolio.extend({
      instrument: text,
      intervalMs: z.coerce.number().int().positive().optional(),
      from: z.coerce.number().int().optional(),
      to: z.coerce.number().int().optional(),
      limit: z.coerce.number().int().min(1).max(100_000).default(1_000),
      indicators: z.string().max(500).optional().describe('such as ema:20,rsi:14,macd:12:26:9'),
    }),
    answer: z.object({
      instrument: z.string(),
      intervalMs: z.int(),
      bars: barColumns,
      /** One column a name of output; null where it is not warm yet. */
      indicators: z.record(z.string(), z.array(z.number().nullable())),
      /** Those of the columns that stand at the level of the price and are drawn over the candles. */
      overlays: z.array(z.string()),
      /** More bars lie before the first. */
      more: z.boolean(),
      /** Regime from an instant on. */
      regimes: z.array(z.object({ from: instant, regime: z.string() })),
    }),
  },
  indicators: {
    summary: 'The indicators a chart can show',
    access: VIEWER,
    answer: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          example: z.string(),
          /** Some of its outputs stand at the level of the price. */
          overlay: z.boolean(),
          /** Columns of the example. */
          outputs: z.array(z.string()),
          units: z.array(z.string()),
          summary: z.string(),
          parameters: z.array(
            z.object({
              name: z.string(),
              kind: z.enum(['integer', 'number']),
              default: z.number(),
              min: z.number(),
              max: z.number(),
            }),
          ),
        }),
      ),
    }),
  },
  orderBook: {
    summary: 'The finest view of the book that the data give',
    access: VIEWER,
    query: ofPortfolio.extend({ instrument: text }),
    answer: z.object({
      at: instant.nullable(),
      finest: z.enum(['depth', 'quote', 'none']),
      bids: z.array(z.object({ price: decimal, quantity: decimal })),
      asks: z.array(z.object({ price: decimal, quantity: decimal })),
      /** Own working orders in it. */
      own: z.array(z.object({ price: decimal, quantity: decimal, side: z.string(), id: z.string() })),
    }),
  },
});
