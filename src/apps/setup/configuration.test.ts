import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LIVE_VENUES } from '#adapters';
import { InputError } from '#base';
import {
  checkConfiguration,
  configurationJsonSchema,
  feedOf,
  LIVE_KINDS,
  readConfiguration,
} from './configuration.ts';

const good = { portfolios: { main: { desks: [{ desk: 'sigma' }] } } };

function fault(value: unknown): InputError {
  try {
    checkConfiguration(value, 'quorum.config.json');
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('checkConfiguration', () => {
  it('completes what is left out', () => {
    const { portfolios } = checkConfiguration(good, 'f');
    expect(portfolios.main).toMatchObject({ base: 'USDT', account: 'paper', feed: 'binance', running: true });
  });

  it.each([
    [{ ...good, portfolio: {} }, 'unknown key "portfolio"', '"portfolios"'],
    [
      { portfolios: { main: { desks: [{ desk: 'sigma' }], feeed: 'x' } } },
      'portfolios.main: unknown key "feeed"',
      '"feed"',
    ],
    [
      { portfolios: { main: { desks: [{ desk: 'sigma', paramters: {} }] } } },
      'desks.0: unknown key "paramters"',
      '"parameters"',
    ],
    [
      { portfolios: { main: { desks: [{ desk: 'sigma' }], limits: { heatmax: 1 } } } },
      'limits: unknown key "heatmax"',
      '"heatMax"',
    ],
    [
      { ...good, feeds: { live: { kind: 'binance-usdm', restURL: 'http://x' } } },
      'feeds.live: unknown key "restURL"',
      '"restUrl"',
    ],
    [
      { ...good, feeds: { tv: { kind: 'webhook', listen: { prot: 1 } } } },
      'feeds.tv.listen: unknown key "prot"',
      '"port"',
    ],
    [
      {
        ...good,
        feeds: { tv: { kind: 'webhook', provider: { kind: 'twelve-data', apiKeyEnv: 'K', exchnge: 'x' } } },
      },
      'feeds.tv.provider: unknown key "exchnge"',
      '"exchange"',
    ],
    [
      { ...good, feeds: { tv: { kind: 'webhook', secretsEnv: 'X' } } },
      'feeds.tv: unknown key',
      '"secretEnv"',
    ],
  ])('refuses an unknown key and names the nearest: %j', (value, what, near) => {
    const { message, mend } = fault(value);
    expect(message).toContain(what);
    expect(mend).toContain(near);
  });

  it('refuses names that refer to nothing', () => {
    expect(fault({ ...good, default: 'mian' }).message).toContain('there is no "mian"');
    expect(fault({ portfolios: { main: { desks: [{ desk: 'sigma' }], feed: 'binanse' } } }).mend).toContain(
      '"binance"',
    );
  });

  it('takes secrets as names of environment variables only', () => {
    expect(fault({ ...good, databaseUrlEnv: 'postgres://user:pw@host/db' }).message).toContain(
      'environment variable',
    );
    expect(checkConfiguration({ ...good, databaseUrlEnv: 'MY_DATABASE' }, 'f').databaseUrlEnv).toBe(
      'MY_DATABASE',
    );
  });

  it('completes a webhook feed, and takes its secrets by name alone', () => {
    const { feeds } = checkConfiguration({ ...good, feeds: { tv: { kind: 'webhook' } } }, 'f');
    expect(feeds.tv).toMatchObject({
      listen: { host: '127.0.0.1', port: 4690 },
      desk: 's1',
      secretEnv: 'QUORUM_INGEST_SECRET',
      requireHmac: true,
      streams: { kind: 'embedded' },
      store: { kind: 'embedded' },
      ingest: 'companion',
      replayed: false,
    });
    const secret = { kind: 'webhook', secretEnv: 'an-actual-secret' };
    expect(fault({ ...good, feeds: { tv: secret } }).message).toContain('environment variable');
  });

  it.each([
    [{ ...good, accounts: { edge: { kind: 'edgex', live: true } } }, 'accounts.edge'],
    [{ ...good, accounts: { edge: { kind: 'EdgeX' } } }, 'accounts.edge'],
    [{ ...good, accounts: { edge: { kind: 'simulated', live: true } } }, 'accounts.edge'],
    [
      { ...good, accounts: { edge: { kind: 'live', arming: 'trade edge with real money' } } },
      'accounts.edge',
    ],
    [{ portfolios: { main: { ...good.portfolios.main, mode: 'live' } } }, 'portfolios.main'],
    [{ ...good, feeds: { own: { kind: 'edgex', armed: true } } }, 'feeds.own'],
    [{ ...good, live: true }, 'quorum.config.json'],
  ])('refuses live trading, armed or not, and says what to do: %j', (value, where) => {
    const { message, mend } = fault(value);
    expect(message).toContain(`${where} asks for live trading, and this program trades on paper alone`);
    expect(mend).toContain('"kind": "simulated"');
    expect(mend).toContain('docs/guide.md');
  });

  it('takes a slip of the pen for what it is', () => {
    expect(fault({ ...good, accounts: { a: { kind: 'simulatd' } } }).message).not.toContain('live trading');
    expect(fault({ ...good, accounts: { a: { kind: 'simulated', live: false } } }).message).toContain(
      'unknown key "live"',
    );
  });

  it('takes the live prices of every venue that there is, from other hosts too', () => {
    expect([...LIVE_KINDS].sort()).toEqual(Object.keys(LIVE_VENUES).sort());
    for (const kind of LIVE_KINDS) {
      const own = { kind, restUrl: 'http://127.0.0.1:1', wsUrl: 'ws://127.0.0.1:1', quotes: true };
      const { feeds } = checkConfiguration({ ...good, feeds: { own } }, 'f');
      expect(feeds.own).toEqual(own);
    }
    expect(fault({ ...good, feeds: { own: { kind: 'edgexx' } } }).message).toContain('feeds.own.kind');
  });

  it('refuses a portfolio without desks, and none at all', () => {
    expect(fault({ portfolios: { main: { desks: [] } } }).message).toContain('portfolios.main.desks');
    expect(fault({ portfolios: {} }).message).toContain('portfolios is empty');
    expect(fault(null).message).toContain('quorum.config.json');
  });

  it('gives built-in feeds by name, own ones first', () => {
    const own = checkConfiguration({ ...good, feeds: { sample: { kind: 'synthetic' } } }, 'f');
    expect(feedOf(own, 'sample').kind).toBe('synthetic');
    expect(feedOf(own, 'binance').kind).toBe('binance-usdm');
    expect(feedOf(own, 'edgex').kind).toBe('edgex');
  });
});

describe('readConfiguration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorum-config-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds nothing, JSON or TypeScript in a folder, and refuses both at once', async () => {
    expect(await readConfiguration(null, folder)).toBeNull();
    writeFileSync(join(folder, 'quorum.config.ts'), `export default ${JSON.stringify(good)};\n`);
    expect(Object.keys((await readConfiguration(null, folder))!.portfolios)).toEqual(['main']);
    writeFileSync(join(folder, 'quorum.config.json'), '{');
    await expect(readConfiguration(null, folder)).rejects.toThrow(/side by side/);
    await expect(readConfiguration(join(folder, 'quorum.config.json'))).rejects.toThrow(/is not JSON/);
    await expect(readConfiguration(join(folder, 'absent.json'))).rejects.toThrow(/there is no configuration/);
  });
});

describe('the shipped JSON schema', () => {
  it('is the one the program checks with', () => {
    const shipped = readFileSync(
      new URL('../../../schema/quorum.config.schema.json', import.meta.url),
      'utf8',
    );
    expect(JSON.parse(shipped)).toEqual(JSON.parse(JSON.stringify(configurationJsonSchema())));
  });
});
