import { z } from 'zod';
import { acted, instant, listOf, ofPortfolio, page, reasoned, text } from '../common.ts';
import { ADMINISTRATOR, defineRoutes, TRADER, VIEWER } from '../route.ts';

const plain = z.record(z.string(), z.unknown());

/** One changed value; a path such as `exits.0.atr`. */
export const difference = z.object({ path: z.string(), before: z.unknown(), after: z.unknown() });

export const desk = z.object({
  name: z.string(),
  desk: z.string(),
  hash: z.string(),
  stage: z.string().nullable(),
  running: z.boolean(),
  mode: z.string(),
  instruments: z.array(z.string()),
  parameters: plain,
  /** JSON schema of the parameters: what a form is made from. */
  schema: plain,
  /** Saved, and used from the next fresh start on; null: nothing waits. */
  pending: plain.nullable(),
});

export const version = z.object({
  id: z.string(),
  at: instant,
  by: z.string(),
  reason: z.string(),
  differences: z.array(difference),
});

export const runLine = z.object({
  id: z.string(),
  at: instant.nullable(),
  kind: z.string(),
  desk: z.string(),
  deskHash: z.string(),
  instruments: z.array(z.string()),
  from: instant.nullable(),
  to: instant.nullable(),
  /** Such as return, sharpe, maxDrawdown, trades. */
  figures: z.record(z.string(), z.number().nullable()),
  folder: z.string().nullable(),
});

export const JOB_KINDS = [
  'backtest',
  'sweep',
  'walk-forward',
  'report',
  'worth',
  'replay',
  'verify',
] as const;
export const job = z.object({
  id: z.string(),
  kind: z.enum(JOB_KINDS),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  by: z.string(),
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  /** 0..1; null while nobody knows. */
  progress: z.number().nullable(),
  /** The newest line about it. */
  says: z.string(),
  request: plain,
  /** The one JSON object of the command; null before its end. */
  result: plain.nullable(),
  error: z.string().nullable(),
  hasReport: z.boolean(),
});

/** A bars file is named as on the command line, `[INSTRUMENT=]FILE`, below the folders the server may read. */
const study = z.strictObject({
  desk: text.default('sample'),
  bars: z.array(text).max(50).default([]).describe('none: the prices that come with the program'),
  funding: z.array(text).max(50).default([]),
  set: z.record(z.string().max(60), z.union([z.string().max(200), z.number(), z.boolean()])).default({}),
  feeBps: z.number().min(0).max(1_000).optional(),
  slippageBps: z.number().min(0).max(1_000).optional(),
  cash: z.number().positive().max(1e12).optional(),
  from: instant.optional(),
  to: instant.optional(),
  seed: z.string().min(1).max(60).optional(),
});

/** Parameters that vary, as on the command line: `fast` -> `5:25:5`; `where` such as `fast < slow`. */
const varied = {
  grid: z.record(z.string().max(60), z.string().min(1).max(200)),
  where: z.string().min(1).max(200).optional(),
};

export const jobRequest = z.discriminatedUnion('kind', [
  study.extend({ kind: z.literal('backtest'), report: z.boolean().default(true) }),
  study.extend({ kind: z.literal('sweep'), ...varied }),
  study.extend({
    kind: z.literal('walk-forward'),
    ...varied,
    folds: z.int().min(2).max(50).default(5),
  }),
  z.strictObject({ kind: z.literal('report'), job: text }),
  z.strictObject({ kind: z.literal('worth'), job: text }),
  z.strictObject({ kind: z.literal('replay'), portfolio: text }),
  z.strictObject({ kind: z.literal('verify'), portfolio: text }),
]);

/** A model on record. */
export const registeredModel = z.object({
  id: z.string(),
  name: z.string(),
  stage: z.enum(['candidate', 'paper', 'live', 'retired']),
  /** Stages it holds now. */
  holds: z.array(z.string()),
  at: instant,
  trainedTo: instant,
  instrument: z.string(),
  interval: z.string(),
  /** `trained`, `imported`. */
  from: z.string(),
  parent: z.string().nullable(),
  metrics: z.record(z.string(), z.number().nullable()),
  stamps: z.array(z.string()),
  /** Retention took its trees away; this is what is left. */
  pruned: z.boolean(),
});

export const WORKSHOP_ROUTES = defineRoutes({
  desks: {
    summary: 'Desks and their configuration',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({ items: z.array(desk) }),
  },
  startDesk: {
    summary: 'Allow entries of one desk',
    access: TRADER,
    params: z.object({ name: text }),
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
  stopDesk: {
    summary: 'Stop entries of one desk; its exits go on',
    access: TRADER,
    params: z.object({ name: text }),
    query: ofPortfolio,
    body: reasoned,
    answer: acted,
  },
  saveDeskParameters: {
    summary: 'Save parameters, checked against the schema of the desk, for its next fresh start',
    access: ADMINISTRATOR,
    danger: true,
    params: z.object({ name: text }),
    query: ofPortfolio,
    body: z.strictObject({ parameters: plain, reason: text }),
    answer: z.object({
      ok: z.literal(true),
      differences: z.array(difference),
      appliesAt: z.literal('next fresh start'),
    }),
  },
  deskHistory: {
    summary: 'Who changed what and why',
    access: VIEWER,
    params: z.object({ name: text }),
    query: page,
    answer: listOf(version),
  },
  configuration: {
    summary: 'The configuration and its JSON schema; secrets are only names',
    access: ADMINISTRATOR,
    answer: z.object({
      file: z.string().nullable(),
      configuration: plain.nullable(),
      schema: plain,
      /** Of the file as it was read: saving with it is refused when somebody else saved in between. */
      hash: z.string().nullable(),
      /** Why it cannot be saved from here; null: it can. */
      locked: z.string().nullable(),
    }),
  },
  saveConfiguration: {
    summary: 'Check and save the configuration; it is used from the next start on',
    access: ADMINISTRATOR,
    danger: true,
    body: z.strictObject({
      configuration: plain,
      reason: text,
      dryRun: z.boolean().default(false),
      hash: z.string().max(64).optional(),
    }),
    answer: z.object({ ok: z.literal(true), differences: z.array(difference), saved: z.boolean() }),
  },
  configurationHistory: {
    summary: 'Earlier configurations',
    access: ADMINISTRATOR,
    query: page,
    answer: listOf(version),
  },
  runs: {
    summary: 'Runs on record',
    access: VIEWER,
    query: page.extend({ kind: text.optional(), desk: text.optional() }),
    answer: listOf(runLine),
  },
  run: {
    summary: 'One run on record',
    access: VIEWER,
    params: z.object({ id: text }),
    answer: runLine.extend({
      record: plain,
      equity: z.object({ time: z.array(instant), equity: z.array(z.number()) }).nullable(),
    }),
  },
  compareRuns: {
    summary: 'Two runs side by side',
    access: VIEWER,
    query: z.object({ a: text, b: text }),
    answer: z.object({
      a: runLine,
      b: runLine,
      figures: z.array(z.object({ name: z.string(), a: z.number().nullable(), b: z.number().nullable() })),
      differences: z.array(difference),
    }),
  },
  sweep: {
    summary: 'The variants of a sweep as a table',
    access: VIEWER,
    params: z.object({ id: text }),
    query: z.object({ figure: text.default('return') }),
    answer: z.object({
      parameters: z.array(z.string()),
      figure: z.string(),
      figures: z.array(z.string()),
      rows: z.array(z.object({ parameters: plain, figures: z.record(z.string(), z.number().nullable()) })),
    }),
  },
  passport: {
    summary: 'What is known of a desk, from its record',
    access: VIEWER,
    params: z.object({ hash: text }),
    answer: plain,
  },
  models: {
    summary: 'Learned parts: calibrations in use and models on record',
    access: VIEWER,
    query: ofPortfolio,
    answer: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          kind: z.string(),
          desk: z.string(),
          fittedAt: instant.nullable(),
          n: z.int().nullable(),
          detail: plain,
        }),
      ),
      /** Of the registry, newest first. */
      registered: z.array(registeredModel),
      /** Why the registry cannot be read; null when it can, or when there is none. */
      registryError: z.string().nullable(),
    }),
  },
  jobs: { summary: 'Work in the background', access: VIEWER, query: page, answer: listOf(job) },
  job: { summary: 'One job', access: VIEWER, params: z.object({ id: text }), answer: job },
  startJob: {
    summary: 'Start work in the background',
    access: TRADER,
    status: 202,
    body: jobRequest,
    answer: job,
  },
  cancelJob: { summary: 'Cancel a job', access: TRADER, params: z.object({ id: text }), answer: job },
  jobReport: {
    summary: 'The report a job wrote',
    access: VIEWER,
    params: z.object({ id: text }),
    answer: null,
    produces: 'text/html',
  },
});
