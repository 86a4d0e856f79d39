import { z } from 'zod';
import {
  acted,
  breakerState,
  decimal,
  instant,
  listOf,
  mode,
  ofPortfolio,
  reasoned,
  severity,
  side,
  text,
  timed,
} from '../common.ts';
import { defineRoutes, TRADER, VIEWER } from '../route.ts';

export const exitAhead = z.object({
  kind: z.string(),
  /** What it is watched by. */
  on: z.enum(['price', 'time', 'indicator', 'state']),
  /** Price, instant or value of the indicator at which it fires; null where no number decides. */
  level: z.number().nullable(),
  now: z.number().nullable(),
  /** Share of the price between here and there; null for what is no price. */
  distance: z.number().nullable(),
  /** How much of the way to the level is done, 0..1; null where nobody can say. */
  progress: z.number().nullable(),
  /** False: something else must happen before it can fire. */
  armed: z.boolean(),
  text: z.string(),
});

export const position = z.object({
  book: z.string(),
  desk: z.string(),
  instrument: z.string(),
  side,
  quantity: decimal,
  entryPrice: z.number(),
  price: z.number().nullable(),
  unrealised: decimal,
  stop: z.number().nullable(),
  target: z.number().nullable(),
  stopDistance: z.number().nullable(),
  targetDistance: z.number().nullable(),
  openedAt: instant.nullable(),
  /** Why it is being closed already; null: it is not. */
  leaving: z.string().nullable(),
  /** Every exit that may fire, nearest first. */
  exits: z.array(exitAhead),
});

export const order = z.object({
  id: z.string(),
  at: instant,
  updatedAt: instant.nullable(),
  desk: z.string(),
  book: z.string(),
  instrument: z.string(),
  venue: z.string().nullable(),
  venueOrderId: z.string().nullable(),
  side: z.string(),
  type: z.string(),
  timeInForce: z.string().nullable(),
  quantity: decimal,
  price: decimal.nullable(),
  stopPrice: decimal.nullable(),
  filled: decimal,
  averagePrice: decimal.nullable(),
  state: z.string(),
  working: z.boolean(),
  reason: z.string().nullable(),
});

export const fill = z.object({
  id: z.string(),
  at: instant,
  orderId: z.string(),
  desk: z.string(),
  instrument: z.string(),
  side: z.string(),
  quantity: decimal,
  price: decimal,
  fee: decimal,
  currency: z.string(),
  liquidity: z.string().nullable(),
  reason: z.string().nullable(),
});

export const trade = z.object({
  id: z.string(),
  at: instant,
  openedAt: instant,
  desk: z.string(),
  instrument: z.string(),
  side,
  quantity: decimal,
  entryPrice: decimal,
  exitPrice: decimal,
  realised: decimal,
  fees: decimal,
  funding: decimal,
  currency: z.string(),
  regime: z.string().nullable(),
  reason: z.string().nullable(),
});

export const portfolio = z.object({
  name: z.string(),
  mode: mode.nullable(),
  evidence: z.boolean(),
  /** A loop answers. */
  running: z.boolean(),
  entriesAllowed: z.boolean(),
  currency: z.string().nullable(),
  equity: decimal.nullable(),
  dayChange: z.number().nullable(),
  at: instant.nullable(),
});

export const lastDecision = z.object({
  at: instant,
  desk: z.string(),
  instrument: z.string(),
  action: z.string(),
  confidence: z.number(),
  outcome: z.string(),
  why: z.string(),
});

export const overview = z.object({
  portfolio,
  at: instant,
  pid: z.int(),
  currency: z.string(),
  equity: decimal,
  cash: decimal,
  realised: decimal,
  unrealised: decimal,
  fees: decimal,
  funding: decimal,
  dayChange: z.number(),
  /** Equity at 00:00 UTC to now, in money. */
  today: decimal.nullable(),
  maxDrawdown: z.number(),
  drawdown: z.number().nullable(),
  breaker: z
    .object({ state: breakerState, since: instant, causes: z.array(z.string()), override: z.boolean() })
    .nullable(),
  exposure: z.object({ gross: decimal, net: decimal, share: z.number() }).nullable(),
  statistics: z.object({
    trades: z.int(),
    winRate: z.number().nullable(),
    payoff: z.number().nullable(),
    expectancy: decimal.nullable(),
    sharpe: z.number().nullable(),
  }),
  desks: z.array(
    z.object({
      name: z.string(),
      running: z.boolean(),
      instruments: z.array(
        z.object({
          id: z.string(),
          price: z.number().nullable(),
          regime: z.string().nullable(),
          bars: z.int(),
        }),
      ),
      openPositions: z.int(),
    }),
  ),
  positions: z.array(position),
  workingOrders: z.int(),
  decisions: z.array(lastDecision),
  reviews: z.array(
    z.object({ questionId: z.string(), planId: z.string(), desk: z.string(), expiresAt: instant }),
  ),
  /** What happened after `since` (null: nobody asked). */
  since: z
    .object({
      since: instant,
      decisions: z.int(),
      entered: z.int(),
      fills: z.int(),
      trades: z.int(),
      realised: decimal,
      alerts: z.array(z.object({ at: instant, severity, title: z.string() })),
      breakerMoves: z.int(),
    })
    .nullable(),
  feed: z.string(),
  tape: z.object({ position: z.int(), length: z.int().nullable(), over: z.boolean() }).nullable(),
  journal: z.object({ entries: z.int(), bytes: z.int(), hash: z.string() }),
  projections: z.object({ behind: z.boolean(), error: z.string().nullable() }).nullable(),
});

const about = timed.extend({ instrument: text.optional(), desk: text.optional() });

export const TRADING_ROUTES = defineRoutes({
  portfolios: {
    summary: 'All portfolios of the data directory',
    access: VIEWER,
    answer: z.object({ items: z.array(portfolio) }),
  },
  overview: {
    summary: 'The first screen of the console in one answer',
    access: VIEWER,
    query: ofPortfolio.extend({ since: z.coerce.number().int().optional() }),
    answer: overview,
  },
  equity: {
    summary: 'Equity and drawdown over time, thinned to at most `points` without losing a peak or a trough',
    access: VIEWER,
    query: ofPortfolio.extend({
      from: z.coerce.number().int().optional(),
      to: z.coerce.number().int().optional(),
      points: z.coerce.number().int().min(2).max(10_000).default(1_000),
    }),
    answer: z.object({
      currency: z.string().nullable(),
      time: z.array(instant),
      equity: z.array(z.number()),
      drawdown: z.array(z.number()),
    }),
  },
  positions: {
    summary: 'Open positions with the exits ahead',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ items: z.array(position) }),
  },
  orders: {
    summary: 'Orders',
    access: VIEWER,
    query: about.extend({ working: z.stringbool().optional() }),
    answer: listOf(order),
  },
  fills: { summary: 'Fills', access: VIEWER, query: about, answer: listOf(fill) },
  trades: { summary: 'Closed trades', access: VIEWER, query: about, answer: listOf(trade) },
  cancelOrder: {
    summary: 'Cancel one working order',
    access: TRADER,
    params: z.object({ id: text }),
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
  closePosition: {
    summary: 'Close one position and cancel its entries',
    access: TRADER,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ book: text, reason: text }),
    answer: acted,
  },
  flatten: {
    summary: 'Close everything and cancel every order, of one desk or of all',
    access: TRADER,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ desk: text.nullable().default(null), reason: text }),
    answer: acted,
  },
  kill: {
    summary: 'The kill switch: stop entries, cancel, flatten, breaker to its last state',
    access: TRADER,
    danger: true,
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
  answerReview: {
    summary: "A person's word on a plan under review; it may only reduce",
    access: TRADER,
    params: z.object({ id: text }),
    query: ofPortfolio,
    body: z.strictObject({
      verdict: z.enum(['allow', 'refuse']),
      share: z.number().min(0).max(1).default(1),
      reason: text,
    }),
    answer: acted,
  },
});
