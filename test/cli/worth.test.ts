import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JournalFile, readJournal, WriterLock } from '#adapters';
import { Chance } from '#base';
import { Child } from '../program/child.ts';
import { RECORDED, recordedFiles } from '../support/recorded.ts';
import { HEADER, jsonOf, runCli, SMA, START, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

const HOUR = 3_600_000;

interface Part {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly verdict: string;
  readonly return: number;
  readonly sharpe: number | null;
  readonly maxDrawdown: number;
  readonly trades: number;
  readonly dailyReturn: { readonly estimate: number; readonly low: number; readonly high: number } | null;
  readonly caused: { readonly trades: number; readonly net: string };
  readonly prevented: { readonly trades: number; readonly net: string };
  readonly leftOtherwise: number;
  readonly resized: number;
}

const filesOf = (dir: string) =>
  readdirSync(dir)
    .sort()
    .filter((name) => name !== 'worth')
    .map((name) => [name, readFileSync(join(dir, name), 'base64')]);

/** Days that rise or fall by about 1 %. The volume of a day's bars tells: 1 and 2 rise, 3 and 4 fall. */
function plantedCsv(days: number): string {
  const chance = new Chance('planted');
  const lines = [HEADER];
  let price = 100;
  const first = Math.ceil(START / (24 * HOUR)) * 24 * HOUR;
  for (let day = 0; day < days; day++) {
    const kind = 1 + Math.floor(chance.uniform() * 4);
    const step = (kind <= 2 ? 1 : -1) * (0.5 + chance.uniform()) * (1 / 24);
    for (let hour = 0; hour < 24; hour++) {
      const close = price + step;
      const time = first + (day * 24 + hour) * HOUR;
      const [high, low] = [Math.max(price, close) + 0.01, Math.min(price, close) - 0.01];
      lines.push([time, price, high, low, close, kind * 1000].join(','));
      price = close;
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Buys at midnight and leaves after twenty hours; three gates: one objects to nothing, one to half of the days that rise, one to half of those that fall. */
const planted = (stopDistance: string) => `
const schema = { safeParse: (data) => ({ success: true, data }), _zod: {} };
const signal = (view) => view.at % 86_400_000 === 3_600_000 ? { kind: 'score', source: 's', value: 1, horizonMs: 1000 } : null;
const source = { kind: 'local', name: 'midnight', features: {}, state: () => null, signal };
const wait = { action: 'wait', confidence: 0, probability: null, rule: 'none', objections: [] };
const pool = (signals) => signals.length === 0 ? wait : { ...wait, action: 'enter-long', confidence: 1, rule: 'buy' };
const against = (name, kinds) => ({ name, veto: false, features: {}, check: (_pooled, view) =>
  kinds.includes(view.volume) ? { by: name, reason: 'planted' } : null });
const sizer = { name: 'ten', features: {}, size: () => ({ kind: 'sized', quantity: 10 * 0.5, stopDistance: ${stopDistance},
  targetDistance: null, leverage: 1, riskFraction: null, cuts: [{ by: 'halved:now', factor: 0.5 }] }) };
const exit = { name: 'evening', features: {}, restsAtVenue: false,
  check: ({ at, position }) => at - position.openedAt >= 20 * 3_600_000 ? { exit: 'evening', reason: 'late' } : null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling: { name: 'p', takes: 'score', pool }, sizer,
  gates: [against('useless', []), against('harmful', [1000]), against('useful', [4000])], exits: [exit],
  simulation: { cash: 10_000, feeBps: 1, slippageBps: 0, participation: null } });
export default { name: 'planted', summary: '', parameters: schema, build };
`;

async function backtest(desk: string, out: string, bars: string): Promise<void> {
  const run = await runCli('backtest', desk, '--bars', bars, '--out', out);
  expect(run.code, run.stderr).toBe(0);
}

async function worth(...argv: string[]): Promise<Record<string, unknown> & { parts: Part[] }> {
  const run = await runCli('worth', ...argv, '--json');
  expect(run.code, run.stderr).toBe(0);
  return jsonOf(run) as Record<string, unknown> & { parts: Part[] };
}

const partOf = (parts: readonly Part[], id: string): Part => {
  const found = parts.find((part) => part.id === id);
  expect(found, `${id} of ${parts.map((part) => part.id).join(', ')}`).toBeDefined();
  return found!;
};

beforeAll(async () => {
  place.write('PLANT-1h.csv', plantedCsv(160));
  place.write('planted.mjs', planted('null'));
  place.write('stopped.mjs', planted('0.2'));
  place.write('GOOD-1h.csv', waveCsv(600));
  await backtest(p('planted.mjs'), p('run'), p('PLANT-1h.csv'));
  await backtest(p('stopped.mjs'), p('stopped'), p('PLANT-1h.csv'));
  await backtest(SMA, p('sma'), p('GOOD-1h.csv'));
});

describe('quorum worth', () => {
  it('finds a useless gate useless, a harmful one harmful and a useful one useful', async () => {
    const before = filesOf(p('run'));
    const study = await worth(p('run'));
    const useless = partOf(study.parts, 'gate:useless');
    expect(useless).toMatchObject({ verdict: 'idle', return: 0, sharpe: 0, maxDrawdown: 0, trades: 0 });
    expect(useless.dailyReturn).toMatchObject({ estimate: 0, low: 0, high: 0 });
    expect(useless).toMatchObject({ caused: { trades: 0 }, prevented: { trades: 0 }, resized: 0 });
    const harmful = partOf(study.parts, 'gate:harmful');
    expect(harmful.verdict).toBe('harms');
    expect(harmful.dailyReturn!.high).toBeLessThan(0);
    expect(harmful.prevented.trades).toBeGreaterThan(20);
    expect(Number(harmful.prevented.net)).toBeGreaterThan(0);
    const useful = partOf(study.parts, 'gate:useful');
    expect(useful.verdict).toBe('helps');
    expect(useful.dailyReturn!.low).toBeGreaterThan(0);
    expect(Number(useful.prevented.net)).toBeLessThan(0);
    expect(useful.prevented.trades).toBe(-useful.trades);
    // best first, and a study through and through
    const order = study.parts.map((part) => part.dailyReturn!.estimate);
    expect(order).toEqual([...order].sort((a, b) => b - a));
    expect(study).toMatchObject({ schemaVersion: 1, mayPromote: false });
    expect(study.stamps).toContainEqual(expect.stringMatching(/^study: /));
    expect(filesOf(p('run'))).toEqual(before);
  });

  it('takes a source, an exit and a multiplier that only the sizer knows out', async () => {
    const { parts } = await worth(p('run'), '--out', p('other'));
    const source = partOf(parts, 'source:midnight');
    expect(source.caused.trades).toBe(source.trades);
    expect(source.trades).toBeGreaterThan(50);
    const exit = partOf(parts, 'exit:evening');
    // without it the first position is never left, so no trade is ever closed
    expect(exit.trades).toBe(source.trades);
    const halved = partOf(parts, 'multiplier:halved');
    expect(halved.resized).toBe(source.trades);
    expect(halved.trades).toBe(0);
    expect(parts.map((part) => part.id).sort()).toEqual([
      'exit:evening',
      'gate:harmful',
      'gate:useful',
      'gate:useless',
      'multiplier:halved',
      'source:midnight',
    ]);
  });

  it('takes resting stops out without touching sizes or entries', async () => {
    const { parts } = await worth(p('stopped'));
    const stop = partOf(parts, 'exit:stop-loss');
    expect(stop.leftOtherwise).toBeGreaterThan(20);
    expect(stop).toMatchObject({ verdict: 'helps', resized: 0, trades: 0, caused: { trades: 0 } });
    const lines = readFileSync(p('stopped/worth/trades.csv'), 'utf8').trim().split('\n');
    const moved = lines.filter((line) => line.startsWith('exit:stop-loss,left-otherwise,PLANT.LOCAL,long,'));
    expect(moved.length).toBe(stop.leftOtherwise);
    for (const line of moved) {
      const [, , , , , , quantity, , reason, , without, , otherwise] = line.split(',');
      expect([quantity, reason, without, otherwise]).toEqual(['5', 'stop-loss', '5', 'exit:evening']);
    }
  });

  it('writes the same bytes twice, whether one thread plays or two', async () => {
    await worth(p('sma'), '--out', p('first'));
    await worth(p('sma'), '--out', p('second'), '--workers', '2');
    expect(readdirSync(p('first')).sort()).toEqual(['trades.csv', 'worth.csv', 'worth.json']);
    expect(filesOf(p('second'))).toEqual(filesOf(p('first')));
  });

  it('draws a table of at most 100 columns', async () => {
    const { code, stdout } = await runCli('worth', p('run'), '--out', p('drawn'));
    expect(code).toBe(0);
    const lines = stdout.split('\n').filter((line) => !line.startsWith('written to'));
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(100);
    expect(stdout).toMatch(/^▲ gate {7}useful .*│ *├─*●─*┤$/m);
    expect(stdout).toMatch(/^▼ gate {7}harmful .*├─*●─*┤ *│$/m);
    expect(stdout).toMatch(/^· gate {7}useless .*○$/m);
    expect(stdout).toContain('STAMP: study');
  });

  it('goes on where Ctrl-C stopped it, and a line that was cut off is played again', async () => {
    place.write('LONG-1h.csv', waveCsv(60_000));
    await backtest(SMA, p('long'), p('LONG-1h.csv'));
    const whole = await worth(p('long'), '--out', p('whole'));
    const child = new Child(['worth', p('long'), '--json'], { cwd: place.dir });
    const kept = p('long/worth/worth.unfinished');
    await child.until(
      () => existsSync(kept) && readFileSync(kept, 'utf8').includes('"id":"source:'),
      'the first part to be done',
    );
    child.kill('SIGINT');
    const { code, stdout, stderr } = await child.ended;
    expect([0, 130], stderr).toContain(code);
    if (code === 130) {
      expect(JSON.parse(stdout)).toMatchObject({ finished: false });
      appendFileSync(kept, '{"id":"exit:opposite-signal","pl');
    }
    expect(await worth(p('long'))).toEqual(whole);
    expect(filesOf(p('long/worth'))).toEqual(filesOf(p('whole')));
  });

  it('does not write where another process writes', async () => {
    await worth(p('sma'), '--out', p('locked'));
    const lock = WriterLock.acquire(p('locked/worth.lock'));
    const beside = await runCli('worth', p('sma'), '--out', p('locked'));
    expect(beside.code).toBe(3);
    expect(beside.stderr).toContain('held by running process');
    lock.release();
    await worth(p('sma'), '--out', p('locked'));
    expect(filesOf(p('locked')).map(([name]) => name)).toEqual(['trades.csv', 'worth.csv', 'worth.json']);
  });

  it('lets a new backtest take the place of a run that was studied, but no other folder', async () => {
    cpSync(p('sma'), p('again'), { recursive: true });
    await worth(p('again'));
    await backtest(SMA, p('again'), p('GOOD-1h.csv'));
    expect(existsSync(p('again/worth'))).toBe(false);
    await worth(p('again'));
    writeFileSync(p('again/worth/notes.txt'), 'mine');
    const refused = await runCli('backtest', SMA, '--bars', p('GOOD-1h.csv'), '--out', p('again'));
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain('(worth)');
    const held = await runCli('worth', p('again'));
    expect(held.code).toBe(3);
    expect(held.stderr).toContain('notes.txt');
  });
});

describe('what cannot be studied', () => {
  const spoiled = (name: string, file: string, change: (text: string) => string): string => {
    cpSync(p('sma'), p(name), { recursive: true });
    writeFileSync(p(`${name}/${file}`), change(readFileSync(p(`${name}/${file}`), 'utf8')));
    return p(name);
  };
  const refused = async (dir: string, ...says: string[]): Promise<void> => {
    const { code, stderr, stdout } = await runCli('worth', dir);
    expect(code, stderr).toBe(3);
    for (const one of [...says, '\nmend: ']) expect(stderr).toContain(one);
    expect(stdout).toBe('');
    expect(existsSync(join(dir, 'worth'))).toBe(false);
  };

  it('a directory without a journal', () => refused(place.dir, 'has no journal'));
  it('a run with a changed journal', () =>
    refused(
      spoiled('changed', 'journal', (text) => text.replace('"seed"', '"seeD"')),
      'damaged at byte',
    ));
  it('a run whose summary is gone', async () => {
    cpSync(p('sma'), p('bare'), { recursive: true, filter: (path) => !path.endsWith('summary.json') });
    await refused(p('bare'), 'no summary.json');
  });
  it('a run of a desk that has changed since', async () => {
    place.write('mine.mjs', planted('null'));
    await backtest(p('mine.mjs'), p('mine'), p('PLANT-1h.csv'));
    place.write('mine.mjs', planted('1'));
    await refused(p('mine'), 'another version', 'run the backtest again');
  });
  /** The same run with another first entry, its chain whole. */
  const headed = (name: string, change: (header: Record<string, unknown>) => object): string => {
    cpSync(p('sma'), p(name), { recursive: true });
    const entries = [...readJournal(p('sma/journal'))];
    rmSync(p(`${name}/journal`));
    const file = JournalFile.create(p(`${name}/journal`));
    for (const { kind, text } of entries) {
      file.append(kind, kind === 'header' ? JSON.stringify(change(JSON.parse(text))) : text);
    }
    const { hash } = file.close();
    const summary = JSON.parse(readFileSync(p(`${name}/summary.json`), 'utf8'));
    writeFileSync(p(`${name}/summary.json`), JSON.stringify({ ...summary, journalHash: hash }));
    return p(name);
  };
  it('a run of another version of the program', () =>
    refused(
      headed('older', (header) => ({ ...header, codeHash: '0'.repeat(64) })),
      'another version',
    ));
  it('the folder of a paper portfolio', () =>
    refused(
      headed('paper', (header) => ({ ...header, kind: 'paper' })),
      'paper portfolio',
      'directory of a backtest',
    ));
  it('a run whose commands are not those of its summary', async () => {
    cpSync(p('sma'), p('part'), { recursive: true });
    const summary = JSON.parse(readFileSync(p('sma/summary.json'), 'utf8'));
    writeFileSync(p('part/summary.json'), JSON.stringify({ ...summary, commandsHash: 'other' }));
    const { code, stderr } = await runCli('worth', p('part'));
    expect(code).toBe(3);
    expect(stderr).toContain('cannot be played again as it was');
  });
  it('wrong usage', async () => {
    expect((await runCli('worth')).code).toBe(2);
    expect((await runCli('worth', p('sma'), '--workers', '0')).code).toBe(2);
  });
});

describe.skipIf(RECORDED === null)('the Sigma desk over recorded bars of 2023', () => {
  it('has a row with an interval for every part', async () => {
    const bars = recordedFiles('crypto/binance-perp', /^BTCUSDT-5m-2023\.csv\.gz$/);
    const run = await runCli(
      'backtest',
      'sigma',
      '--bars',
      ...bars,
      '--to',
      '2023-07-12',
      '--out',
      p('sigma'),
    );
    expect(run.code, run.stderr).toBe(0);
    const { parts } = await worth(p('sigma'));
    for (const part of parts) expect(part.dailyReturn, part.id).not.toBeNull();
    expect(parts.map((part) => part.id).sort()).toEqual(SIGMA);
  }, 60_000);
});

const SIGMA = [
  ...['alone:sigma-v1', 'alone:sigma-v2', 'breaker:breaker'],
  ...['rebalance', 'regime-change', 'stop-loss', 'take-profit', 'thesis', 'time', 'trailing'].map(
    (name) => `exit:${name}`,
  ),
  ...['entry-threshold', 'max-volatility', 'thin-volume', 'trend-or-stretch'].map((name) => `gate:${name}`),
  ...['balance', 'daily-loss', 'leverage', 'position-size', 'symbol'].map((name) => `layer:${name}`),
  ...['correlated-group', 'heat', 'risk-per-plan', 'sector', 'single-asset'].map((name) => `limit:${name}`),
  'monitor:strategy-monitor',
  ...['breaker', 'expectancy', 'kelly-fraction', 'regime', 'risk-cap', 'strategy-monitor', 'volatility'].map(
    (name) => `multiplier:${name}`,
  ),
  ...['selection:best-ideas', 'source:sigma-v1', 'source:sigma-v2'],
];
