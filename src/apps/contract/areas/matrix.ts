import { z } from 'zod';
import { acted, decimal, instant, ofPortfolio, reasoned, side, text } from '../common.ts';
import { defineRoutes, TRADER, VIEWER } from '../route.ts';

/** A switch that stops a desk, or a group of desks, until a person resets it. */
export const killSwitch = z.object({
  name: z.string(),
  kind: z.enum(['desk', 'group']),
  /** Desks that it stops. */
  desks: z.array(z.string()),
  /** What tripped it; null while it has not tripped, as all that follows. */
  trigger: z.string().nullable(),
  since: instant.nullable(),
  text: z.string().nullable(),
  measured: z.number().nullable(),
  needed: z.number().nullable(),
  resetAt: instant.nullable(),
});

/** What one part of a desk said last. */
export const verdict = z.object({
  by: z.string(),
  kind: z.enum(['source', 'gate', 'rule']),
  verdict: z.enum(['passes', 'objects', 'silent', 'not-asked']),
  value: z.number().nullable(),
  reason: z.string().nullable(),
  measured: z.number().nullable(),
  needed: z.number().nullable(),
  relation: z.string().nullable(),
});

/** The learned model that a desk rests on. */
export const deskModel = z.object({
  /** The beginning of its id; null: there is none. */
  id: z.string().nullable(),
  name: z.string().nullable(),
  /** From the registry: candidate, paper, live, retired; null for one that is not on record there. */
  stage: z.string().nullable(),
  trainedTo: instant.nullable(),
  ageMs: z.number().nullable(),
  /** Why it cannot be used at all. */
  fault: z.string().nullable(),
  /** Rows it was asked about, share of the newest of which something was cut off, and whether that is too many. */
  rows: z.int(),
  clippedShare: z.number(),
  drifted: z.boolean(),
  /** Null: it is compared with nothing. Basis points a bar; null while no bar was compared. */
  parity: z.object({ bars: z.int(), meanBp: z.number().nullable(), maxBp: z.number().nullable() }).nullable(),
});

/** One desk in one instrument. */
export const cell = z.object({
  desk: z.string(),
  family: z.string(),
  symbol: z.string(),
  instrument: z.string(),
  intervalMs: z.int(),
  timeframe: z.string(),
  /** Entries are allowed, by the operators of the portfolio and of the desk. */
  running: z.boolean(),
  bars: z.int(),
  warmUpBars: z.int(),
  lastBarAt: instant.nullable(),
  stamps: z.array(z.string()),
  position: z
    .object({
      side,
      quantity: decimal,
      entryPrice: z.number(),
      price: z.number().nullable(),
      unrealised: decimal,
    })
    .nullable(),
  /** Since 00:00 UTC and since the beginning, open position included. */
  today: decimal,
  made: decimal,
  trades: z.object({ n: z.int(), won: z.int(), lost: z.int(), even: z.int() }),
  /** Null before the first trade, and while none has lost: it is infinite then. */
  profitFactor: z.number().nullable(),
  /** A trade that made nothing did not win. */
  winRate: z.number().nullable(),
  /** Fall of what was made from its highest, over the opening cash and that height: now, the largest, and the band. */
  drawdown: z.number(),
  drawdownMax: z.number(),
  drawdownLimit: z.number().nullable(),
  decision: z
    .object({
      at: instant,
      action: z.string(),
      wanted: z.string().nullable(),
      confidence: z.number(),
      verdicts: z.array(verdict),
    })
    .nullable(),
  model: deskModel.nullable(),
  /** Names of the switches that stop it: its own and its group's. */
  killSwitches: z.array(z.string()),
});

/** Figures that came with a strategy's description: to be shown, measured by nobody here, never judged by. */
export const baselines = z.object({
  use: z.string(),
  profitFactor: z.object({ from: z.number(), to: z.number() }),
  winRate: z.object({ from: z.number(), to: z.number() }),
  profitUsd: decimal,
  trades: z.int(),
});

/** Desks that were made from one definition. */
export const family = z.object({
  name: z.string(),
  symbols: z.array(z.string()),
  timeframes: z.array(z.object({ name: z.string(), ms: z.int() })),
  baselines: baselines.nullable(),
});

/** One feature beside what another program sends of the same bars; basis points. */
export const featureParity = z.object({
  name: z.string(),
  bars: z.int(),
  meanBp: z.number().nullable(),
  maxBp: z.number().nullable(),
});

const switchNamed = z.object({ name: text });

export const MATRIX_ROUTES = defineRoutes({
  matrix: {
    summary: 'Every desk by symbol and timeframe: state, position, results, model, gates, kill switches',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({
      at: instant,
      currency: z.string(),
      running: z.boolean(),
      families: z.array(family),
      killSwitches: z.array(killSwitch),
      cells: z.array(cell),
    }),
  },
  drift: {
    summary: "How far a desk's inputs lie from what a chart's script sends of the same bars",
    access: VIEWER,
    params: z.object({ desk: text }),
    query: ofPortfolio,
    answer: z.object({
      at: instant,
      desk: z.string(),
      baselines: baselines.nullable(),
      items: z.array(
        z.object({
          instrument: z.string(),
          intervalMs: z.int(),
          timeframe: z.string(),
          model: deskModel.nullable(),
          /** Null: nothing is compared. Means and maxima are over the newest 500 compared bars. */
          parity: z
            .object({
              bars: z.int(),
              meanBp: z.number().nullable(),
              maxBp: z.number().nullable(),
              times: z.array(instant),
              drifts: z.array(z.number()),
              features: z.array(featureParity),
            })
            .nullable(),
        }),
      ),
    }),
  },
  tripKillSwitch: {
    summary: 'Trip the kill switch of a desk or of a group of desks: no entries until a person resets it',
    access: TRADER,
    danger: true,
    params: switchNamed,
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
  resetKillSwitch: {
    summary: 'Reset the kill switch of a desk or of a group of desks',
    access: TRADER,
    danger: true,
    params: switchNamed,
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
});
