import { z } from 'zod';
import { breakerState, done, instant, listOf, ofPortfolio, page, severity, text } from '../common.ts';
import { ADMINISTRATOR, defineRoutes, TRADER, VIEWER } from '../route.ts';

/** The routes of the Sigma sheet, with its paths and its snake_case fields. Amounts are decimal strings. */
const amount = z.string();

export const sigmaTrade = z.object({
  id: z.string(),
  symbol: z.string(),
  side: z.enum(['long', 'short']),
  size: amount,
  entry_price: z.string(),
  exit_price: z.string().nullable(),
  pnl: amount,
  fees: amount,
  opened_at: instant,
  closed_at: instant.nullable(),
  regime: z.string().nullable(),
  reason: z.string().nullable(),
});

const statistics = z.object({
  win_rate: z.number().nullable(),
  payoff: z.number().nullable(),
  expectancy: amount.nullable(),
  sharpe: z.number().nullable(),
  max_drawdown: z.number(),
  n: z.int(),
});

/** A strategy is a named, validated desk configuration, never code. */
export const strategy = z.object({
  id: z.string(),
  name: z.string(),
  desk: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  state: z.enum(['draft', 'active', 'retired']),
  created_at: instant,
  prompt: z.string().nullable(),
  notes: z.array(z.string()),
});

export const sigmaNotification = z.object({
  id: z.string(),
  time: instant,
  severity,
  type: z.string(),
  title: z.string(),
  message: z.string(),
  read: z.boolean(),
});

const breaker = z.object({
  state: breakerState,
  since: instant,
  causes: z.array(z.string()),
  override: z.boolean(),
});

const breakerActed = z.object({ state: breakerState, before: breakerState });

export const SIGMA_ROUTES = defineRoutes({
  tradingStart: {
    summary: 'Allow entries; refused in HALT and SHUTDOWN',
    access: TRADER,
    query: ofPortfolio,
    body: z
      .strictObject({ mode: z.enum(['paper', 'live']).optional(), reason: text.optional() })
      .prefault({}),
    answer: z.object({ is_running: z.boolean() }),
  },
  tradingStop: {
    summary: 'Stop entries; exits go on',
    access: TRADER,
    query: ofPortfolio,
    body: z
      .strictObject({ mode: z.enum(['paper', 'live']).optional(), reason: text.optional() })
      .prefault({}),
    answer: z.object({ is_running: z.boolean() }),
  },
  tradingStatus: {
    summary: 'How trading stands',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({
      is_running: z.boolean(),
      balance: amount,
      open_positions: z.int(),
      total_pnl: amount,
      regime: z.string().nullable(),
      breaker: breakerState.nullable(),
    }),
  },
  strategyCreate: {
    summary: 'A draft of a desk configuration from words; validated JSON, never code',
    access: TRADER,
    status: 201,
    query: ofPortfolio,
    body: z.strictObject({ prompt: z.string().min(1).max(4_000) }),
    answer: strategy,
  },
  strategyApply: {
    summary: 'Make a draft the configuration of its desk from its next fresh start on',
    access: ADMINISTRATOR,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ id: text, reason: text }),
    answer: strategy,
  },
  strategyList: { summary: 'All strategies', access: VIEWER, query: ofPortfolio, answer: z.array(strategy) },
  strategyActive: { summary: 'What runs', access: VIEWER, query: ofPortfolio, answer: z.array(strategy) },
  performance: {
    summary: 'Figures of closed trades',
    access: VIEWER,
    query: ofPortfolio,
    answer: statistics,
  },
  performanceHistory: {
    summary: 'The same over time',
    access: VIEWER,
    query: page,
    answer: listOf(statistics.extend({ time: instant, equity: amount })),
  },
  balance: {
    summary: 'The account',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ balance: amount, equity: amount, unrealised: amount, currency: z.string() }),
  },
  sigmaTrades: { summary: 'Closed trades', access: VIEWER, query: page, answer: listOf(sigmaTrade) },
  sigmaOpenTrades: {
    summary: 'Open positions',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.array(sigmaTrade),
  },
  breakerStatus: { summary: 'The circuit breaker', access: VIEWER, query: ofPortfolio, answer: breaker },
  breakerIssues: {
    summary: 'What moved it lately',
    access: VIEWER,
    query: ofPortfolio.extend({ minutes: z.coerce.number().int().min(1).max(525_600).default(60) }),
    answer: z.array(
      z.object({ time: instant, state: breakerState, issue_type: z.string(), severity, detail: z.string() }),
    ),
  },
  breakerRecover: {
    summary: 'Recover; leaving SHUTDOWN needs confirm RESTART',
    access: TRADER,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ reason: text, confirm: z.string().max(20).optional() }),
    answer: breakerActed,
  },
  breakerOverride: {
    summary: 'Hold the breaker by hand, or lift the hold',
    access: ADMINISTRATOR,
    danger: true,
    query: ofPortfolio,
    body: z.strictObject({ enabled: z.boolean(), reason: text }),
    answer: breakerActed,
  },
  notifications: {
    summary: 'What happened',
    access: VIEWER,
    query: page.extend({ severity: severity.optional(), unread: z.stringbool().optional() }),
    answer: listOf(sigmaNotification),
  },
  readNotification: {
    summary: 'Mark as read',
    access: VIEWER,
    query: ofPortfolio,
    params: z.object({ id: text }),
    answer: done,
  },
  clearNotifications: { summary: 'Clear the own list', access: VIEWER, query: ofPortfolio, answer: done },
  chat: {
    summary: 'Answers about the running system; it can read and never act',
    access: VIEWER,
    query: ofPortfolio,
    body: z.strictObject({ message: z.string().min(1).max(4_000) }),
    answer: z.object({
      reply: z.string(),
      by: z.enum(['model', 'parser']),
      /** What was looked up for it. */
      sources: z.array(z.string()),
    }),
  },
});
