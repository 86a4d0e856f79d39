import { z } from 'zod';
import { DAY, HOUR, InputError, MINUTE } from '#base';

const CALLS_FREE = 25;
/** Just below the six hours after which news are stale. */
const REFRESH_MOST = 345;

/** `news` of a portfolio: where its news come from and what scores them. */
export const newsSchema = z.strictObject({
  kind: z.literal('alpha-vantage'),
  keyEnv: z
    .string()
    .regex(
      /^[A-Z][A-Z0-9_]*$/,
      'give the name of an environment variable in capitals, never the secret itself',
    )
    .default('ALPHA_VANTAGE_KEY')
    .describe('environment variable with the key'),
  assets: z
    .array(z.string().regex(/^[A-Z0-9]{2,10}$/, 'give crypto assets such as BTC'))
    .min(1)
    .max(50)
    .describe('each is fetched by a call of its own'),
  scorer: z
    .enum(['finbert', 'lexicon'])
    .default('finbert')
    .describe(
      'finbert: the model (quorum models fetch finbert); lexicon: a word list, coarse, marked as such',
    ),
  model: z
    .string()
    .min(1)
    .optional()
    .describe('folder of the model; models/finbert in the data directory unless given'),
  refreshMinutes: z
    .int()
    .min(1)
    .max(REFRESH_MOST)
    .default(240)
    .describe('time between two fetches of an asset'),
  callsPerDay: z
    .int()
    .min(1)
    .max(100_000)
    .default(CALLS_FREE)
    .describe('calls that the key allows in 24 hours'),
  baseUrl: z.url().optional().describe('an address that speaks the same interface'),
});

export type NewsConfiguration = z.output<typeof newsSchema>;

/** Calls that the schedule itself makes in 24 hours. */
export function callsPlanned({ assets, refreshMinutes }: NewsConfiguration): number {
  return Math.ceil((assets.length * DAY) / (refreshMinutes * MINUTE));
}

/** Refuses what a key does not allow, or what is named twice. Throws {@link InputError}. */
export function checkNews(news: NewsConfiguration, where: string): void {
  const { assets, callsPerDay } = news;
  if (new Set(assets).size < assets.length)
    throw new InputError(`${where}.assets names an asset twice`, 'name each once');
  const planned = callsPlanned(news);
  if (planned <= callsPerDay) return;
  const enough = Math.ceil((assets.length * DAY) / callsPerDay / MINUTE);
  throw new InputError(
    `${where}: ${assets.length} assets every ${news.refreshMinutes} minutes are ${planned} calls a day, the key allows ${callsPerDay}`,
    enough <= REFRESH_MOST
      ? `set refreshMinutes to ${enough} or more, name fewer assets, or raise callsPerDay for a paid key`
      : `name at most ${Math.floor((callsPerDay * REFRESH_MOST) / ((24 * HOUR) / MINUTE))} assets, or raise callsPerDay for a paid key`,
  );
}
