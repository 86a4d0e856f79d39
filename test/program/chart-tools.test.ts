import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JournalFile, openBars, systemClock } from '#adapters';
import { Chance, MINUTE } from '#base';
import type { Bar } from '#market';
import { pineFigures } from '../../scripts/pine-twin.ts';
import { checkEndpoint } from '../../src/apps/ingest/check-endpoint.ts';
import { type Endpoint, openEndpoint } from '../../src/apps/ingest/endpoint.ts';
import {
  type IngestSettings,
  ingestFolder,
  ingestSettings,
  openStreams,
} from '../../src/apps/ingest/ingest-settings.ts';
import { webhookFeed } from '../../src/apps/ingest/webhook-feed.ts';
import { chartParityOfStore, measuredParity } from '../../src/apps/validate/chart-parity-run.ts';
import { parityOnPaper } from '../../src/apps/validate/parity-on-paper.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-chart-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CONFIG = 'S1_RX68_BTC_15M';
const QUARTER = 15 * MINUTE;
const FEED = webhookFeed.parse({ kind: 'webhook', requireHmac: false, allow: ['192.0.2.1'] });

function market(count: number): Bar[] {
  const chance = new Chance('chart');
  let price = 60_000;
  return Array.from({ length: count }, (_, i) => {
    const open = price;
    price *= Math.exp(0.001 * chance.normal());
    const [high, low] = [Math.max(open, price) * 1.0002, Math.min(open, price) * 0.9998];
    return { time: Date.UTC(2025, 0, 1) + i * QUARTER, open, high, low, close: price, volume: 100 + i };
  });
}

/** A data directory whose feed holds these bars with what a chart says of them, changed by `spoil`. */
async function stored(
  name: string,
  count: number,
  spoil: (values: Record<string, number>, i: number) => Record<string, number> | null,
): Promise<string> {
  const dataDir = join(root, name);
  const folder = ingestFolder(dataDir, 'charts');
  mkdirSync(folder, { recursive: true });
  const bars = market(count);
  const figures = pineFigures(bars);
  const store = await openBars({ file: join(folder, 'bars.sqlite'), databaseUrl: null });
  const rows = bars.map((bar, i) => {
    const said = spoil({ ...figures[i]! }, i);
    // as JSON has them: what is not known is null
    const pine = said === null ? null : JSON.stringify(said);
    const rest = { source: 'webhook', receivedAt: bar.time, late: false, missingBefore: 0, pine } as const;
    return { ...bar, config: CONFIG, symbol: 'BTC', intervalMs: QUARTER, ...rest };
  });
  await store.insert(rows, 1);
  await store.close();
  return dataDir;
}

/** The folder of a paper portfolio on a feed. */
function paper(dataDir: string, feed: unknown): string {
  const dir = join(dataDir, `paper-${Math.random()}`);
  mkdirSync(dir, { recursive: true });
  const file = JournalFile.create(join(dir, 'journal'));
  const request = { portfolio: { feed: 'charts' }, feed };
  file.append('header', JSON.stringify({ kind: 'paper', mode: 'PAPER', desks: [], request }));
  file.close();
  return dir;
}

describe('parity of a chart in the store of a feed', () => {
  const of = (dataDir: string) =>
    chartParityOfStore({ feed: FEED, feedName: 'charts', dataDir, config: CONFIG });

  it('is measured over the newest five hundred bars, and by whoever is promoted to live', async () => {
    const dataDir = await stored('agrees', 800, (values) => values);
    const study = await of(dataDir);
    expect(study).toMatchObject({ bars: 500, unsent: 0, intervalMs: QUARTER });
    expect(study.parityBp!).toBeLessThan(1e-4);
    expect(measuredParity(study).value).toBe(study.parityBp);
    expect(await parityOnPaper(paper(dataDir, FEED), CONFIG, {})).toEqual(measuredParity(study));
    // the model reads another length than the script has
    const other = await parityOnPaper(paper(dataDir, FEED), CONFIG, { rsi: 10 });
    expect(other!.value!).toBeGreaterThan(1);
  });

  it('looks over bars of which the script said nothing', async () => {
    const study = await of(await stored('gaps', 1_100, (values, i) => (i % 5 === 0 ? null : values)));
    expect(study).toMatchObject({ bars: 500, unsent: 100 });
  });

  it('is not known to a promotion where the script sends one feature only', async () => {
    const dataDir = await stored('partial', 800, ({ body }) => ({ body: body! }));
    expect((await of(dataDir)).parityBp!).toBeLessThan(1e-4);
    const found = await parityOnPaper(paper(dataDir, FEED), CONFIG, {});
    expect(found).toMatchObject({ value: null, note: expect.stringContaining('leaves out r1, r5, r20') });
  });

  it('is not known without a script, nor over too few bars', async () => {
    const silent = await stored('silent', 800, () => null);
    expect((await of(silent)).parityBp).toBeNull();
    expect(await parityOnPaper(paper(silent, FEED), CONFIG, {})).toMatchObject({ value: null });
    const short = await stored('short', 700, (values) => values);
    expect((await of(short)).parityBp!).toBeLessThan(1e-4);
    expect(await parityOnPaper(paper(short, FEED), CONFIG, {})).toMatchObject({ value: null });
  });

  it('is asked of a feed that has it', async () => {
    const dataDir = await stored('asked', 300, (values) => values);
    const request = { feed: FEED, feedName: 'charts', dataDir, config: 'S1_RX68_DOGE_15M' };
    await expect(chartParityOfStore(request)).rejects.toThrow('no config');
    await expect(chartParityOfStore({ ...request, config: CONFIG, feedName: 'else' })).rejects.toThrow(
      'no bars',
    );
    expect(await parityOnPaper(paper(dataDir, { kind: 'binance-usdm' }), CONFIG, {})).toBeUndefined();
    expect(await parityOnPaper(join(root, 'nowhere'), CONFIG, {})).toBeUndefined();
    expect(await parityOnPaper(paper(join(root, 'empty'), FEED), CONFIG, {})).toMatchObject({ value: null });
  });
});

describe('quorum ingest check', () => {
  const env = {
    QUORUM_INGEST_SECRET: 'a-secret-of-the-address',
    KEY: 'a-key-of-the-relay-012345',
    OTHER_KEY: 'another-key-of-a-relay-01',
    OTHER_SECRET: 'another-secret-of-it',
    TOKEN: 'a-token-of-the-body',
  };
  const settingsOf = (given: object): IngestSettings =>
    ingestSettings(
      webhookFeed.parse({ kind: 'webhook', listen: { port: 0 }, ...given }),
      join(root, 'ingest'),
      env,
    );
  const signed = settingsOf({ hmacKeyEnv: 'KEY' });
  let streams: Awaited<ReturnType<typeof openStreams>>;
  const open: Endpoint[] = [];
  const serve = async (settings: IngestSettings): Promise<string> => {
    const endpoint = await openEndpoint(settings, streams, systemClock, () => undefined);
    open.push(endpoint);
    return `http://127.0.0.1:${endpoint.port}`;
  };
  beforeAll(async () => {
    mkdirSync(join(root, 'ingest'), { recursive: true });
    streams = await openStreams(signed);
  });
  afterAll(async () => {
    for (const one of open) await one.close();
    await streams.close();
  });
  const ask = async (settings: IngestSettings, base: string, ...configs: string[]) =>
    (await checkEndpoint(settings, base, configs, Date.now())).map(({ what, isRight, status }) => [
      what,
      isRight,
      status,
    ]);

  it('finds everything right, and leaves nothing behind', async () => {
    const base = await serve(signed);
    expect(await ask(signed, `${base}/`, CONFIG, 'S1_RX68_ETH_1M')).toEqual([
      ['a wrong secret is refused', true, 401],
      ['an unsigned request is refused', true, 401],
      [`${CONFIG}, signed, is understood`, true, 422],
      ['S1_RX68_ETH_1M, signed, is understood', true, 422],
    ]);
    const depth = await streams.depth('nobody');
    expect(depth.every(({ length }) => length === 0)).toBe(true);
  });

  it('finds a key or a secret that is another', async () => {
    const base = await serve(signed);
    const checks = await ask(settingsOf({ hmacKeyEnv: 'OTHER_KEY' }), base, CONFIG);
    expect(checks.at(-1)).toEqual([`${CONFIG}, signed, is understood`, false, 401]);
    const moved = settingsOf({ hmacKeyEnv: 'KEY', secretEnv: 'OTHER_SECRET' });
    expect((await ask(moved, base, CONFIG)).at(-1)).toEqual([`${CONFIG}, signed, is understood`, false, 401]);
  });

  it('finds that this machine may not send unsigned, and that it may', async () => {
    const strict = settingsOf({ requireHmac: false, allow: ['192.0.2.1'], tokenEnv: 'TOKEN' });
    expect((await ask(strict, await serve(strict), CONFIG)).at(-1)).toEqual([
      `${CONFIG}, unsigned, is understood`,
      false,
      403,
    ]);
    const open = settingsOf({ requireHmac: false, allow: ['127.0.0.1'], tokenEnv: 'TOKEN' });
    expect((await ask(open, await serve(open), CONFIG)).at(-1)).toEqual([
      `${CONFIG}, unsigned, is understood`,
      true,
      422,
    ]);
  });

  it('says that nobody answers, once', async () => {
    expect(await ask(signed, 'http://127.0.0.1:9', CONFIG)).toEqual([
      ['a wrong secret is refused', false, null],
    ]);
  });

  it('refuses a config that the feed does not have', async () => {
    await expect(ask(signed, 'http://127.0.0.1:9', 'S1_RX68_DOGE_1M')).rejects.toThrow('no config');
  });
});
