import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { barEntry, EmbeddedStreams } from '#adapters';
import { INTAKE_GROUP } from '../../src/apps/ingest/endpoint.ts';
import { quorum } from './child.ts';

const CONFIG = 'S1_RX68_BTC_1M';
const STREAM = 's1.rx68.btc.1m';
const T0 = Date.UTC(2025, 0, 15, 14, 30);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-dead-'));
  const feeds = { tv: { kind: 'webhook', requireHmac: false, allow: ['192.0.2.1'] } };
  const portfolios = { s1: { desks: [{ desk: 's1-momentum' }], feed: 'tv' } };
  writeFileSync(join(folder, 'quorum.config.json'), JSON.stringify({ feeds, portfolios }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () =>
  EmbeddedStreams.open({ file: join(folder, '.quorum', 'ingest', 'tv', 'queue.sqlite'), streams: [STREAM] });

/** Bars of these minutes that nobody could use. */
async function buried(...minutes: number[]): Promise<void> {
  const streams = await open();
  const reader = await streams.reader(INTAKE_GROUP, 'a');
  for (const minute of minutes) {
    const figures = { open: 1, high: 1, low: 1, close: 1, volume: 1, pine: null, sentAt: null };
    await streams.offer(STREAM, barEntry({ config: CONFIG, barTime: T0 + minute * 60_000, ...figures }, T0));
    const [taken] = await reader.read({ count: 1, waitMs: 1 });
    await reader.bury(taken!, 'the store refuses it');
  }
  await streams.close();
}

async function dead(...args: string[]) {
  const { code, stdout, stderr } = await quorum(['ingest', 'dead', ...args, '--json'], folder, {});
  return { code, stderr, told: stdout === '' ? null : JSON.parse(stdout) };
}

it('shows what nobody could use, and puts it back in the order in which it was lost', async () => {
  await buried(0, 1, 2);
  const listed = await dead();
  expect(listed).toMatchObject({ code: 0, told: { schemaVersion: 1, feed: 'tv', revived: 0 } });
  expect(listed.told.letters[0]).toMatchObject({
    stream: STREAM,
    config: CONFIG,
    barTime: T0 + 2 * 60_000,
    deliveries: 1,
    reason: 'the store refuses it',
    state: 'dead',
  });
  expect((await dead('--most', '2')).told.letters).toHaveLength(2);
  const second = listed.told.letters[1].id;
  expect((await dead('--revive', second)).told).toMatchObject({
    revived: 1,
    letters: [{ state: 'revived' }],
  });
  const gone = await dead('--revive', second);
  expect([gone.code, gone.stderr]).toEqual([3, expect.stringContaining(`there is no dead letter ${second}`)]);
  expect((await dead('--revive', 'all')).told).toMatchObject({ revived: 2 });
  expect((await dead()).told.letters).toEqual([]);
  const streams = await open();
  const again = await (await streams.reader(INTAKE_GROUP, 'a')).read({ count: 9, waitMs: 1 });
  expect(again.map(({ entry }) => (entry.barTime - T0) / 60_000)).toEqual([1, 0, 2]);
  await streams.close();
});

it('says what people can read', async () => {
  await buried(0);
  const { code, stdout } = await quorum(['ingest', 'dead'], folder, {});
  expect(code).toBe(0);
  expect(stdout).toContain('feed tv: 1 dead letter');
  expect(stdout).toMatch(/1 +S1_RX68_BTC_1M +2025-01-15T14:30:00Z +1 times +the store refuses it/);
});
