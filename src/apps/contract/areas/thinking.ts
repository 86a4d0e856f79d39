import { z } from 'zod';
import { breakerState, decimal, instant, listOf, ofPortfolio, text, timed } from '../common.ts';
import { ADMINISTRATOR, defineRoutes, VIEWER } from '../route.ts';

export const objection = z.object({
  by: z.string(),
  reason: z.string(),
  measured: z.number().nullable(),
  needed: z.number().nullable(),
  relation: z.string().nullable(),
});

export const decisionLine = z.object({
  id: z.string(),
  at: instant,
  desk: z.string(),
  instrument: z.string(),
  action: z.string(),
  confidence: z.number().nullable(),
  outcome: z.string(),
  reason: z.string().nullable(),
});

/** Where an idea went, stage by stage; the one that cut it has `passed: false`. */
export const decisionStage = z.object({
  stage: z.enum(['sources', 'pooling', 'gates', 'size', 'limits', 'review', 'orders']),
  passed: z.boolean().nullable(),
  text: z.string(),
});

export const decision = decisionLine.extend({
  shadow: z.boolean(),
  regime: z.string().nullable(),
  rule: z.string(),
  signals: z.array(
    z.object({
      source: z.string(),
      kind: z.string(),
      value: z.number().nullable(),
      horizonMs: z.number().nullable(),
      weight: z.number().nullable(),
      text: z.string(),
    }),
  ),
  size: z
    .object({
      quantity: z.string(),
      riskFraction: z.number().nullable(),
      cuts: z.array(z.object({ by: z.string(), text: z.string() })),
    })
    .nullable(),
  objections: z.array(objection),
  orders: z.array(z.string()),
  stages: z.array(decisionStage),
  /** The smallest change that would have let it pass; null when it passed or nobody can say. */
  nearest: z.string().nullable(),
});

export const sourceCard = z.object({
  desk: z.string(),
  source: z.string(),
  kind: z.string().nullable(),
  n: z.int(),
  hitRate: z.number().nullable(),
  brier: z.number().nullable(),
  logLoss: z.number().nullable(),
  weight: z.number().nullable(),
  /** Stated against observed probability. */
  reliability: z.array(z.object({ stated: z.number(), observed: z.number(), n: z.int() })),
  weights: z.array(z.object({ at: instant, weight: z.number() })),
  worth: z.object({ value: z.number(), low: z.number(), high: z.number(), unit: z.string() }).nullable(),
});

export const gateCard = z.object({
  desk: z.string(),
  gate: z.string(),
  kind: z.enum(['gate', 'veto', 'limit', 'sizer', 'other']),
  /** Ideas that it was asked about, and those it objected to. */
  considered: z.int(),
  objected: z.int(),
  /** What the ideas it objected to came to: share and mean return in their direction, before costs. */
  wouldHave: z
    .object({ n: z.int(), hitRate: z.number().nullable(), meanReturn: z.number().nullable() })
    .nullable(),
  worth: z.object({ value: z.number(), low: z.number(), high: z.number(), unit: z.string() }).nullable(),
});

export const limitUse = z.object({
  name: z.string(),
  desk: z.string().nullable(),
  layer: z.enum(['limit', 'safety', 'portfolio', 'platform']),
  /** What is measured: an underlying, a group, a position; null: the account. */
  of: z.string().nullable(),
  used: z.number().nullable(),
  maximum: z.number().nullable(),
  share: z.number().nullable(),
  unit: z.string(),
  text: z.string(),
});

export const breakerMove = z.object({
  at: instant,
  from: breakerState,
  to: breakerState,
  cause: z.string(),
  severity: z.string(),
});

const breakerView = z.object({
  state: breakerState,
  since: instant,
  causes: z.array(z.string()),
  override: z.boolean(),
  thresholds: z.array(
    z.object({
      trigger: z.string(),
      state: breakerState,
      measure: z.number().nullable(),
      limit: z.number().nullable(),
      unit: z.string(),
    }),
  ),
  history: z.array(breakerMove),
});

const portfolioLimits = z.strictObject({
  riskMax: z.number().gt(0).max(1).nullable().optional(),
  assetMax: z.number().gt(0).max(1).nullable().optional(),
  groupMax: z.number().gt(0).max(1).nullable().optional(),
  groupRho: z.number().gt(0).max(1).nullable().optional(),
  heatMax: z.number().gt(0).max(1).nullable().optional(),
});

export const THINKING_ROUTES = defineRoutes({
  decisions: {
    summary: 'Every idea and what came of it, non-trades as visible as trades',
    access: VIEWER,
    query: timed.extend({
      instrument: text.optional(),
      desk: text.optional(),
      outcome: text.optional(),
      by: text.optional().describe('the gate or limit that objected first'),
      action: text.optional(),
    }),
    answer: listOf(decisionLine),
  },
  decision: {
    summary: 'One idea in full',
    access: VIEWER,
    params: z.object({ id: text }),
    query: ofPortfolio,
    answer: decision,
  },
  signals: {
    summary: 'What the sources said',
    access: VIEWER,
    query: timed.extend({ instrument: text.optional(), source: text.optional() }),
    answer: listOf(
      z.object({
        id: z.string(),
        at: instant,
        desk: z.string(),
        instrument: z.string(),
        source: z.string(),
        kind: z.string(),
        direction: z.string().nullable(),
        score: z.number().nullable(),
        probability: z.number().nullable(),
        horizonMs: z.number().nullable(),
        outcome: z.string().nullable(),
      }),
    ),
  },
  sources: {
    summary: 'Every source and its record',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ items: z.array(sourceCard) }),
  },
  gates: {
    summary: 'What objects, how often, and what it is worth',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ items: z.array(gateCard) }),
  },
  risk: {
    summary: 'Limits and their use, exposure, heat, value at risk, correlation',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({
      at: instant,
      currency: z.string(),
      equity: decimal,
      limits: z.array(limitUse),
      /** Limits of the portfolio that may be changed while it runs; null: not set. */
      portfolioLimits: z.object({
        riskMax: z.number().nullable(),
        assetMax: z.number().nullable(),
        groupMax: z.number().nullable(),
        groupRho: z.number().nullable(),
        heatMax: z.number().nullable(),
      }),
      exposure: z.array(
        z.object({ instrument: z.string(), value: decimal, share: z.number(), side: z.string() }),
      ),
      heat: z.number().nullable(),
      valueAtRisk: z
        .object({ level: z.number(), value: decimal, share: z.number(), text: z.string() })
        .nullable(),
      drawdown: z.number(),
      dailyLoss: z.number(),
      correlation: z.object({
        instruments: z.array(z.string()),
        matrix: z.array(z.array(z.number().nullable())),
      }),
    }),
  },
  changeLimits: {
    summary: 'Change limits of the portfolio while it runs; null removes one. They can only refuse or reduce',
    access: ADMINISTRATOR,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ changes: portfolioLimits, reason: text }),
    answer: z.object({ ok: z.literal(true), portfolioLimits }),
  },
  breaker: {
    summary: 'The breaker, what could move it and what did',
    access: VIEWER,
    query: ofPortfolio,
    answer: breakerView.nullable(),
  },
});
