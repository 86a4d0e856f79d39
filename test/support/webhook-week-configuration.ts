import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DAY, type Instant } from '#base';
import { s1Model } from './s1-model.ts';

export const PORTFOLIO = 's1';
export const FEED = 'tape';

/** The configuration of the sixteen on a webhook feed of replayed bars, and the model that they trade with. */
export function writeWeekConfiguration(
  folder: string,
  start: Instant,
  urls: { readonly provider: string; readonly fallback: string },
  withServers: boolean,
): void {
  const provider = {
    kind: 'twelve-data',
    apiKeyEnv: 'REHEARSAL_DATA_KEY',
    baseUrl: urls.provider,
    creditsPerMinute: 1_000_000,
    creditsPerDay: 100_000_000,
    decides: false,
  };
  // states the volumes that the provider does not
  const fallback = { kind: 'binance-usdm', restUrl: urls.fallback };
  const feed = {
    kind: 'webhook',
    listen: { port: 0 },
    hmacKeyEnv: 'REHEARSAL_KEY',
    rate: { burst: 100_000, perSecond: 100_000 },
    provider,
    fallback,
    ingest: 'separate',
    replayed: true,
    ...(withServers
      ? {
          streams: { kind: 'redis', urlEnv: 'REHEARSAL_REDIS' },
          store: { kind: 'postgres', databaseUrlEnv: 'REHEARSAL_DATABASE' },
        }
      : {}),
  };
  // follows the last twenty bars: what it is worth does not matter here, that it trades does
  const trend = { feature: 'r20', below: 0 };
  const model = s1Model({
    down: { ...trend, left: 2, right: -2 },
    none: 0,
    up: { ...trend, left: -2, right: 2 },
  });
  const training = { ...model.training, from: start - 30 * DAY, to: start };
  const path = join(folder, 'model.json');
  writeFileSync(path, JSON.stringify({ ...model, training }));
  const parameters = {
    model: path,
    parity: false,
    // it should go on trading: breaker and kill switches have tests of their own
    riskShare: 0.0003,
    feeBps: 0,
    slippageBps: 0,
    drawdownMax: 1,
    dayLossMax: 1,
    groupDayLossMax: 1,
    lossesInARow: 1_000,
  };
  const configuration = {
    portfolios: { [PORTFOLIO]: { base: 'USDT', desks: [{ desk: 's1-momentum', parameters }], feed: FEED } },
    feeds: { [FEED]: feed },
  };
  writeFileSync(join(folder, 'quorum.config.json'), JSON.stringify(configuration, null, 2));
}
