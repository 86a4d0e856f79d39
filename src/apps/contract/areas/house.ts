import { z } from 'zod';
import { done, instant, listOf, ofPortfolio, page, severity, text } from '../common.ts';
import { ADMINISTRATOR, defineRoutes, TRADER, VIEWER } from '../route.ts';

const plain = z.record(z.string(), z.unknown());

export const alertLine = z.object({
  id: z.string(),
  at: instant,
  severity,
  key: z.string(),
  kind: z.string(),
  text: z.string(),
  portfolio: z.string().nullable(),
  state: z.enum(['open', 'acknowledged', 'resolved', 'suppressed']),
  by: z.string().nullable(),
});

export const delivery = z.object({
  id: z.string(),
  alertId: z.string(),
  channel: z.string(),
  state: z.enum(['pending', 'delivered', 'failed', 'digested', 'suppressed']),
  attempts: z.int(),
  nextAt: instant.nullable(),
  at: instant,
  error: z.string().nullable(),
});

export const HOUSE_ROUTES = defineRoutes({
  journalHead: {
    summary: 'How long the journal is and the hash of its end',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ entries: z.int(), bytes: z.int(), hash: z.string(), run: z.string() }),
  },
  journal: {
    summary: 'Entries of the journal, newest first',
    access: VIEWER,
    query: page.extend({
      kind: z.enum(['header', 'event', 'command', 'note']).optional(),
      search: z.string().max(200).optional(),
      before: z.coerce.number().int().optional().describe('entries before this position'),
    }),
    answer: listOf(
      z.object({
        position: z.int(),
        kind: z.string(),
        at: instant.nullable(),
        name: z.string(),
        text: z.string(),
      }),
    ),
  },
  alertRules: {
    summary: 'The rules and the channels they name',
    access: VIEWER,
    answer: z.object({
      rules: plain,
      schema: plain,
      channels: z.array(
        z.object({ name: z.string(), kind: z.string(), ready: z.boolean(), why: z.string().nullable() }),
      ),
    }),
  },
  saveAlertRules: {
    summary: 'Check and save the rules',
    access: ADMINISTRATOR,
    body: z.strictObject({ rules: plain, reason: text }),
    answer: done,
  },
  alerts: {
    summary: 'Alerts',
    access: VIEWER,
    query: page.extend({ state: text.optional(), severity: severity.optional() }),
    answer: listOf(alertLine),
  },
  alertDeliveries: {
    summary: 'What was sent where',
    access: VIEWER,
    query: page.extend({ alert: text.optional() }),
    answer: listOf(delivery),
  },
  acknowledgeAlert: {
    summary: 'Acknowledge',
    access: TRADER,
    params: z.object({ id: text }),
    body: z.strictObject({ reason: text.optional() }).prefault({}),
    answer: done,
  },
  testAlert: {
    summary: 'Send a test alert to one channel or to all',
    access: ADMINISTRATOR,
    body: z.strictObject({ channel: text.optional() }).prefault({}),
    answer: z.object({ ok: z.literal(true), id: z.string() }),
  },
  system: {
    summary: 'Feeds, latency, queues, memory, versions, jobs of the last day',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({
      server: z.object({
        version: z.string(),
        node: z.string(),
        pid: z.int(),
        startedAt: instant,
        rssMiB: z.number(),
        lagMsP99: z.number(),
        clients: z.int(),
      }),
      loop: z
        .object({
          pid: z.int(),
          rssMiB: z.number(),
          heapMiB: z.number().nullable(),
          lagMsP99: z.number().nullable(),
          stepAt: instant.nullable(),
        })
        .nullable(),
      feeds: z.array(z.object({ name: z.string(), status: z.string(), ageMs: z.number().nullable() })),
      latency: z.array(
        z.object({
          stage: z.string(),
          n: z.int(),
          p50us: z.number().nullable(),
          p99us: z.number().nullable(),
          maxUs: z.number().nullable(),
        }),
      ),
      queues: z.array(z.object({ name: z.string(), depth: z.int(), error: z.string().nullable() })),
      jobs: z.object({ running: z.int(), done: z.int(), failed: z.int(), cancelled: z.int() }),
    }),
  },
  schedule: {
    summary: 'What is due and when',
    access: VIEWER,
    answer: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          when: z.string(),
          nextAt: instant.nullable(),
          lastAt: instant.nullable(),
          lastError: z.string().nullable(),
        }),
      ),
    }),
  },
  logs: {
    summary: 'Log lines, newest first, secrets taken out',
    access: VIEWER,
    query: page.extend({
      name: z
        .enum([
          'program',
          'server',
          'ai_trading_log',
          'safety_violations',
          'execution_failures',
          'pnl_tracking',
        ])
        .default('program'),
      search: z.string().max(200).optional(),
    }),
    answer: listOf(z.object({ at: instant.nullable(), text: z.string() })),
  },
});
