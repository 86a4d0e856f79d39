import { z } from 'zod';

/** The name of an environment variable, never a secret itself. */
const variable = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]*$/,
    'give the name of an environment variable in capitals, never the secret itself',
  );

const listen = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('where to listen; TLS is the work of a proxy in front'),
  port: z.int().min(0).max(65_535).default(4690),
});

const streams = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded') }),
  z.strictObject({
    kind: z.literal('redis'),
    urlEnv: variable.describe('environment variable with redis://HOST:PORT'),
    passwordEnv: variable.optional(),
  }),
]);

const store = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('embedded') }),
  z.strictObject({
    kind: z.literal('postgres'),
    databaseUrlEnv: variable.describe('environment variable with the PostgreSQL URL'),
  }),
]);

const symbols = z
  .record(z.string(), z.string().min(1))
  .default({})
  .describe('what the provider calls a symbol where it is not the usual name');

const provider = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('twelve-data'),
    apiKeyEnv: variable.describe('environment variable with the key'),
    baseUrl: z.url().optional(),
    exchange: z.string().min(1).optional().describe('whose prices; theirs unless given'),
    symbols,
    creditsPerMinute: z.int().min(1).default(8).describe('of your plan'),
    creditsPerDay: z.int().min(1).default(800),
    decides: z
      .boolean()
      .default(true)
      .describe(
        'its bar counts and the webhook only starts the look-up; false: only missing bars are asked for',
      ),
  }),
  z.strictObject({
    kind: z.enum(['binance-usdm', 'edgex']),
    restUrl: z.url().optional(),
    symbols,
    decides: z.boolean().default(false),
  }),
]);

const series = z.strictObject({
  instrument: z.string().min(3).describe('SYMBOL.VENUE that its bars are of'),
  tickers: z.array(z.string().min(1)).optional().describe('further names a chart has for it'),
});

/** Bars that others post to an address of ours. */
export const webhookFeed = z.strictObject({
  kind: z.literal('webhook'),
  listen: listen.prefault({}),
  desk: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'letters, digits, _ and - only')
    .default('s1')
    .describe('end of the address: /webhook/{secret}/{desk}'),
  secretEnv: variable
    .default('QUORUM_INGEST_SECRET')
    .describe('environment variable with the secret of the address'),
  previousSecretEnv: variable.optional().describe('the secret before it, while senders are moved'),
  hmacKeyEnv: variable.optional().describe('environment variable with the key of the signatures'),
  previousHmacKeyEnv: variable.optional(),
  requireHmac: z.boolean().default(true).describe('false only with addresses under "allow"'),
  allow: z
    .array(z.string())
    .default([])
    .describe('addresses and networks that may send unsigned; "tradingview" stands for theirs'),
  tokenEnv: variable
    .optional()
    .describe('environment variable with the token that an unsigned body must name'),
  proxies: z.array(z.string()).default([]).describe('proxies whose X-Forwarded-For counts'),
  rate: z
    .strictObject({ burst: z.int().min(1), perSecond: z.number().positive() })
    .default({ burst: 200, perSecond: 20 })
    .describe('requests of one sender'),
  series: z
    .record(z.string(), series)
    .optional()
    .describe('by config id, such as S1_RX68_BTC_15M; the sixteen of S1 unless given'),
  instruments: z
    .record(z.string(), z.string().min(3))
    .default({})
    .describe('instrument of a symbol of the sixteen where it is not SYMBOLUSDT.BINANCE-USDM'),
  streams: streams.default({ kind: 'embedded' }),
  store: store.default({ kind: 'embedded' }),
  provider: provider.optional().describe('who else knows the bars'),
  fallback: provider
    .optional()
    .describe('who is asked for missing bars when the provider does not have them'),
  keepDays: z.int().min(1).optional().describe('bars older than this are forgotten; never unless given'),
  ingest: z
    .enum(['companion', 'separate'])
    .default('companion')
    .describe(
      'separate: "quorum start" starts no ingestion, "quorum ingest" runs elsewhere on the same store',
    ),
  replayed: z
    .boolean()
    .default(false)
    .describe('the bars are recorded ones that somebody posts again: nothing is evidence of anything'),
});

export type WebhookFeed = z.output<typeof webhookFeed>;
export type ProviderFeed = z.output<typeof provider>;

/** Known keys at a path below the feed, for hints. */
export function webhookKeysAt(path: readonly PropertyKey[]): string[] {
  const shapes: Readonly<Record<string, readonly { shape: object }[]>> = {
    listen: [listen],
    streams: streams.options,
    store: store.options,
    provider: provider.options,
    fallback: provider.options,
    series: [series],
  };
  const [first] = path;
  const options = first === undefined ? [webhookFeed] : (shapes[String(first)] ?? []);
  return [...new Set(options.flatMap((option) => Object.keys(option.shape)))];
}
