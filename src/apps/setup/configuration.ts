import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError } from '#base';
import { nearest } from '#features';
import { alertKeysAt, alertsSchema } from '../alerts/alert-configuration.ts';
import { webhookFeed, webhookKeysAt } from '../ingest/webhook-feed.ts';
import { checkNews, newsSchema } from '../news/news-configuration.ts';

const fraction = z.number().min(0).max(1);
const bps = z.number().min(0).max(10_000);
const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;
const name = z.string().regex(NAME, 'use lower-case letters, digits and hyphens, at most 31 of them');
/** The name of an environment variable, never a secret itself. */
const environmentName = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]*$/,
    'give the name of an environment variable in capitals, never the secret itself',
  );

const desk = z.strictObject({
  desk: z.string().min(1).describe('a built-in desk or a desk file'),
  name: name.optional().describe("what it is called in this portfolio; the desk's own name unless given"),
  configuration: name.default('default').describe('name of this set of parameters in books and records'),
  parameters: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('checked against the schema of the desk'),
  instruments: z
    .array(z.string().min(3))
    .min(1)
    .optional()
    .describe('SYMBOL.VENUE; those of the desk unless given'),
});

const limits = z
  .strictObject({
    riskMax: fraction.optional().describe('risk to the stop of one plan, share of equity'),
    assetMax: fraction.optional().describe('holding in one underlying, share of equity'),
    groupMax: fraction.optional().describe('holding in one correlated group, share of equity'),
    groupRho: fraction.optional().describe('correlation from which instruments are one group'),
    heatMax: fraction.optional().describe('correlation-adjusted risk of all positions, share of equity'),
  })
  .describe('limits of the portfolio above those of its desks; they can only refuse or reduce');

const portfolio = z.strictObject({
  base: z
    .string()
    .regex(/^[A-Z0-9]{2,10}$/)
    .default('USDT')
    .describe('currency of the books'),
  cash: z.number().positive().optional().describe('opening cash; that of the first desk unless given'),
  desks: z.array(desk).min(1),
  account: name.default('paper'),
  feed: name.default('binance'),
  limits: limits.optional(),
  news: newsSchema
    .optional()
    .describe('news that are fetched, scored and published to the desks beside a live feed'),
  seed: z.string().min(1).default('1').describe('seed of everything random'),
  newModels: z
    .enum(['take', 'keep'])
    .optional()
    .describe(
      'whether desks take the model that NAME@paper and the like have come to mean; they do unless "keep"',
    ),
  running: z.boolean().default(true).describe('false: entries wait for the operator to start them'),
});

const account = z.strictObject({
  kind: z.literal('simulated'),
  feeBps: bps.nullable().default(null).describe("fee of every fill; the instrument's schedule unless given"),
  slippageBps: bps.nullable().default(null),
  latencyMs: z.int().min(0).max(60_000).nullable().default(null),
  participation: z.number().gt(0).max(1).nullable().default(null).describe("largest share of a bar's volume"),
});

const binance = z.strictObject({
  kind: z.literal('binance-usdm'),
  restUrl: z.url().optional(),
  wsUrl: z.url().optional(),
});
const synthetic = z.strictObject({
  kind: z.literal('synthetic'),
  seed: z.string().min(1).default('1'),
  speed: z.number().min(0).optional().describe('slices a second; 0 as fast as possible'),
});
const sample = z.strictObject({ kind: z.literal('sample'), speed: z.number().min(0).optional() });
const recorded = z.strictObject({
  kind: z.literal('recorded'),
  bars: z.array(z.string()).min(1).describe('[INSTRUMENT=]FILE'),
  funding: z.array(z.string()).default([]),
  speed: z.number().min(0).optional(),
});
const feed = z.discriminatedUnion('kind', [binance, synthetic, sample, recorded, webhookFeed]);

/** `quorum.config.json` or `.ts`. Unknown keys are refused; secrets appear only as names of environment variables. */
export const configurationSchema = z
  .strictObject({
    $schema: z.string().optional(),
    default: name.optional().describe('portfolio to start when none is named; the first unless given'),
    portfolios: z.record(name, portfolio),
    accounts: z.record(name, account).default({}),
    feeds: z.record(name, feed).default({}),
    alerts: alertsSchema
      .optional()
      .describe('where alerts go and by which rules; the console shows them anyway'),
    databaseUrlEnv: environmentName.optional().describe('environment variable with the PostgreSQL URL'),
  })
  .describe('What quorum start runs');

export type Configuration = z.output<typeof configurationSchema>;
export type PortfolioConfiguration = z.output<typeof portfolio>;
export type AccountConfiguration = z.output<typeof account>;
export type FeedConfiguration = z.output<typeof feed>;

export const DEFAULT_ACCOUNT: AccountConfiguration = {
  kind: 'simulated',
  feeBps: null,
  slippageBps: null,
  latencyMs: null,
  participation: null,
};

const FILES = ['quorum.config.json', 'quorum.config.ts', 'quorum.config.js'];

/** The configuration of a folder, or of the file given; null when there is none. Throws {@link InputError}. */
export async function readConfiguration(file: string | null, folder = '.'): Promise<Configuration | null> {
  if (file === null) {
    const found = FILES.filter((candidate) => existsSync(resolve(folder, candidate)));
    if (found.length > 1) {
      throw new InputError(
        `${found.join(' and ')} stand side by side`,
        'keep one, or name one with --config',
      );
    }
    return found.length === 0 ? null : checkConfiguration(await load(resolve(folder, found[0]!)), found[0]!);
  }
  if (!existsSync(file))
    throw new InputError(`there is no configuration file ${file}`, 'check the path after --config');
  if (statSync(file).isDirectory())
    throw new InputError(`${file} is a folder`, 'name the configuration file in it after --config');
  return checkConfiguration(await load(resolve(file)), file);
}

async function load(path: string): Promise<unknown> {
  if (!path.endsWith('.json')) {
    try {
      return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
    } catch (cause) {
      throw new InputError(`${path} cannot be loaded: ${firstLine(cause)}`, 'mend the error in the file');
    }
  }
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new InputError(`${path} is not JSON: ${firstLine(cause)}`, 'mend the text at that place');
  }
}

const firstLine = (cause: unknown): string => (cause as Error).message.split('\n')[0]!;

/** Checks what a file holds, then that its names refer to something. */
export function checkConfiguration(value: unknown, file: string): Configuration {
  const result = configurationSchema.safeParse(value);
  if (!result.success) throw explain(result.error.issues[0]!, file);
  const { data } = result;
  const names = Object.keys(data.portfolios);
  if (names.length === 0)
    throw new InputError(`${file}: portfolios is empty`, 'describe at least one portfolio');
  if (data.default !== undefined) known(data.default, names, `${file}: default`);
  for (const [key, { account: used, feed: source, news }] of Object.entries(data.portfolios)) {
    known(used, ['paper', ...Object.keys(data.accounts)], `${file}: portfolios.${key}.account`);
    known(
      source,
      ['binance', 'sample', 'synthetic', ...Object.keys(data.feeds)],
      `${file}: portfolios.${key}.feed`,
    );
    if (news !== undefined) checkNews(news, `${file}: portfolios.${key}.news`);
  }
  return data;
}

function known(value: string, among: readonly string[], where: string): void {
  if (among.includes(value)) return;
  throw new InputError(
    `${where}: there is no "${value}"`,
    `the nearest known one is "${nearest(value, among)}"; all: ${[...new Set(among)].join(', ')}`,
  );
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, file: string): InputError {
  const path = issue.path.join('.');
  const where = path === '' ? file : `${file}: ${path}`;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const among = keysAt(issue.path);
    const near = among.length === 0 ? '' : `the nearest known one is "${nearest(key, among)}"; `;
    return new InputError(`${where}: unknown key "${key}"`, `${near}known: ${among.join(', ')}`);
  }
  if (issue.code === 'invalid_key') {
    return new InputError(
      `${file}: ${issue.path.slice(0, -1).join('.')}: "${String(issue.path.at(-1))}" cannot be a name`,
      issue.issues[0]?.message ?? 'choose another name',
    );
  }
  return new InputError(
    `${where}: ${issue.message}`,
    'correct the value; schema/quorum.config.schema.json describes all',
  );
}

/** Known keys of the object at a path, for the hint. Names of portfolios, accounts and feeds are free. */
function keysAt(path: readonly PropertyKey[]): string[] {
  const first = String(path[0] ?? '');
  if (path.length === 0) return Object.keys(configurationSchema.shape);
  if (first === 'alerts') return alertKeysAt(path.slice(1));
  if (first === 'accounts') return Object.keys(account.shape);
  if (first === 'feeds') {
    if (path.length > 2) return webhookKeysAt(path.slice(2));
    return [...new Set(feed.options.flatMap((s) => Object.keys(s.shape)))];
  }
  if (path.includes('desks')) return Object.keys(desk.shape);
  if (path.includes('limits')) return Object.keys(limits.shape);
  if (path.includes('news')) return Object.keys(newsSchema.shape);
  return Object.keys(portfolio.shape);
}

/** The feed a portfolio names: one of the file, or a built-in one. */
export function feedOf(configuration: Configuration, named: string): FeedConfiguration {
  const own = configuration.feeds[named];
  if (own !== undefined) return own;
  if (named === 'sample') return { kind: 'sample' };
  return named === 'synthetic' ? { kind: 'synthetic', seed: '1' } : { kind: 'binance-usdm' };
}

/** The JSON schema that editors use. */
export function configurationJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configurationSchema, { io: 'input', target: 'draft-7' }) as Record<string, unknown>;
}
