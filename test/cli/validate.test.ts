import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);

async function run(name: string, ...argv: string[]): Promise<void> {
  const done = await runCli('backtest', SMA, ...argv, '--out', p(name));
  expect(done.code, done.stderr).toBe(0);
}

beforeAll(async () => {
  process.env.QUORUM_REGISTRY = p('runs.sqlite');
  place.write('WAVE-1h.csv', waveCsv(900));
  place.write('SHORT-1h.csv', waveCsv(12));
  const wave = ['--bars', `BTCUSDT.BINANCE-USDM=${p('WAVE-1h.csv')}`];
  await run('base', ...wave, '--slippage-bps', '4');
  await run('dearer', ...wave, '--slippage-bps', '30');
  await run('other', ...wave, '--slippage-bps', '4', '--set', 'fast=3', '--set', 'slow=11');
  await run('later', ...wave, '--from', '2023-07-20');
  const alfa = fileURLToPath(new URL('../../examples/bars/ALFA-15m.csv', import.meta.url));
  await run('rough', '--bars', alfa, '--slippage-bps', '4');
  await run('idle', '--bars', p('SHORT-1h.csv'));
});
afterAll(() => {
  delete process.env.QUORUM_REGISTRY;
  place.remove();
});

interface Spread {
  readonly p5: string;
  readonly p50: string;
  readonly p95: string;
}
interface Resampled {
  readonly paths: number;
  readonly finalEquity: Spread;
  readonly maxDrawdown: { readonly p5: number; readonly p50: number; readonly p95: number };
  readonly ruin: number;
  readonly fan: readonly { readonly step: number }[];
}

describe('quorum monte-carlo', () => {
  it('keeps the end of shuffled trades, spreads that of drawn ones, and moves the run by other luck', async () => {
    const done = await runCli(
      'monte-carlo',
      p('rough'),
      '--paths',
      '400',
      '--replays',
      '6',
      '--out',
      p('mc'),
      '--json',
    );
    expect(done.code, done.stderr).toBe(0);
    const found = jsonOf(done) as unknown as {
      equityEnd: string;
      trades: number;
      days: number;
      shuffle: Resampled;
      bootstrap: Resampled;
      blocks: Resampled;
      noise: Resampled & { replays: number };
    };
    const summary = JSON.parse(readFileSync(p('rough/summary.json'), 'utf8')) as Record<string, string>;
    expect(found.equityEnd).toBe(summary.equityEnd);
    expect(found.trades).toBe(summary.trades);
    const { shuffle, bootstrap, blocks, noise } = found;
    const width = ({ finalEquity: { p5, p95 } }: { finalEquity: Spread }) => Number(p95) - Number(p5);
    expect(width(shuffle)).toBeLessThan(0.01);
    expect(width(bootstrap)).toBeGreaterThan(1);
    expect(width(blocks)).toBeGreaterThan(1);
    expect(width(noise)).toBeGreaterThan(1);
    expect(shuffle.maxDrawdown.p95).toBeGreaterThan(shuffle.maxDrawdown.p5);
    expect(noise.replays).toBe(6);
    // slippage of 4 bp becomes 5 bp on average: the median is worse than the run
    expect(Number(noise.finalEquity.p5)).toBeLessThan(Number(found.equityEnd));
    expect(blocks.fan.at(-1)!.step).toBe(found.days);
    expect(readdirSync(p('mc')).sort()).toEqual(['fan.csv', 'monte-carlo.json']);
    const again = await runCli('monte-carlo', p('rough'), '--paths', '400', '--replays', '6', '--json');
    expect(again.stdout).toBe(done.stdout);
  });

  it('reads well, and refuses what has nothing to draw from', async () => {
    const done = await runCli('monte-carlo', p('base'), '--paths', '50', '--replays', '1', '--block', 'auto');
    expect(done.code, done.stderr).toBe(0);
    for (const word of ['shuffle', 'bootstrap', 'blocks', 'execution', 'max drawdown'])
      expect(done.stdout).toContain(word);
    for (const [argv, code, words] of [
      [[p('idle')], 3, ['no closed trade']],
      [[p('nothing')], 3, ['nothing']],
      [[p('base'), '--paths', '0'], 2, ['--paths']],
      [[p('base'), '--ruin', '2'], 2, ['--ruin']],
      [[p('base'), '--block', '0.5'], 2, ['--block']],
    ] as const) {
      const bad = await runCli('monte-carlo', ...argv);
      expect(bad.code, bad.stderr).toBe(code);
      for (const word of words) expect(bad.stderr).toContain(word);
    }
  });
});

interface Report {
  readonly scenario: string;
  readonly loss: number;
  readonly lossShare: number;
}
interface Stress {
  readonly at: number;
  readonly equity: number;
  readonly positions: readonly {
    readonly instrument: string;
    readonly notional: number;
    readonly tags: readonly string[];
  }[];
  readonly reports: readonly Report[];
  readonly worst: readonly { readonly scenario: string; readonly at: number; readonly lossShare: number }[];
}

describe('quorum stress', () => {
  it('applies shocks to what was held at the worst moment, and finds the worst of the run', async () => {
    const done = await runCli('stress', p('base'), '--json');
    expect(done.code, done.stderr).toBe(0);
    const { positions, reports, worst, equity } = jsonOf(done) as unknown as Stress;
    const [{ notional, tags }] = positions as [Stress['positions'][0]];
    expect(tags).toContain('BTC');
    const covid = reports.find(({ scenario }) => scenario === 'covid-crypto-2020')!;
    expect(covid.loss).toBeCloseTo(0.39 * notional, 6);
    expect(covid.lossShare).toBeCloseTo(covid.loss / equity, 9);
    for (const { scenario, lossShare } of reports) {
      expect(worst.find((one) => one.scenario === scenario)!.lossShare).toBeGreaterThanOrEqual(lossShare);
    }
    expect(reports.find(({ scenario }) => scenario === 'ihsg-2025')!.loss).toBe(0);
  });

  it('looks at a moment, and says which limits would break', async () => {
    const first = jsonOf(await runCli('stress', p('base'), '--json')) as unknown as Stress;
    const there = await runCli(
      'stress',
      p('base'),
      '--at',
      String(first.at),
      '--max-loss',
      '0.0000001',
      '--json',
    );
    expect(there.code).toBe(1);
    expect((jsonOf(there) as unknown as Stress).positions).toEqual(first.positions);
    const said = await runCli(
      'stress',
      p('base'),
      '--max-loss',
      '0.0000001',
      '--scenario',
      'covid-crypto-2020',
    );
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('covid-crypto-2020 breaks lossShareMax');
    for (const [argv, code, words] of [
      [[p('idle')], 3, ['never held']],
      [[p('base'), '--at', '2031-01-01'], 3, ['2031-01-01', 'it runs from']],
      [[p('base'), '--scenario', 'plague'], 3, ['"plague"', 'luna-2022']],
      [[p('base'), '--max-loss', '-1'], 2, ['--max-loss']],
      [[p('nothing')], 3, ['nothing']],
    ] as const) {
      const bad = await runCli('stress', ...argv);
      expect(bad.code, bad.stderr).toBe(code);
      for (const word of words) expect(bad.stderr).toContain(word);
    }
  });
});

interface Parity {
  readonly bars: number;
  readonly driftBp: number;
  readonly agreement: number | null;
  readonly fillDifferenceBp: number | null;
  readonly fillsMatched: number;
  readonly fillsOnlyLive: number;
  readonly beyond: readonly string[];
  readonly features: readonly { readonly index: number | null }[];
}

describe('quorum parity', () => {
  const parityOf = async (a: string, b: string, ...argv: string[]) => {
    const done = await runCli('parity', p(a), p(b), ...argv, '--json');
    return {
      code: done.code,
      stderr: done.stderr,
      found: done.stdout === '' ? null : (jsonOf(done) as unknown as Parity),
    };
  };

  it('finds no difference between a run and itself', async () => {
    const { code, found } = await parityOf('base', 'base');
    expect(code).toBe(0);
    expect(found).toMatchObject({ bars: 500, driftBp: 0, agreement: 1, fillDifferenceBp: 0, beyond: [] });
    expect(found!.fillsMatched).toBeGreaterThan(10);
    expect(found!.features.every(({ index }) => index === 0)).toBe(true);
  });

  it('measures dearer fills, other decisions, and what runs have in common', async () => {
    const dearer = await parityOf('dearer', 'base');
    expect(dearer.found!.agreement).toBe(1);
    expect(dearer.found!.fillDifferenceBp).toBeGreaterThan(20);
    expect(dearer.found!.fillDifferenceBp).toBeLessThan(32);
    expect((await parityOf('dearer', 'base', '--max-fill-bp', '5')).code).toBe(1);
    const other = await parityOf('other', 'base', '--min-agreement', '0.999');
    expect(other.code).toBe(1);
    expect(other.found!.agreement).toBeLessThan(0.999);
    expect(other.found!.beyond.join()).toContain('agreement');
    const none = await parityOf('idle', 'base', '--bars', '50');
    expect(none.code).toBe(0);
    const later = await parityOf('later', 'base', '--bars', '20000');
    expect(later.found!.bars).toBeLessThan(900 - 19 * 24);
  });

  it('says within which limits, and refuses what is no run', async () => {
    const done = await runCli('parity', p('base'), p('base'));
    expect(done.stdout).toContain('within its limits');
    const bad = await runCli('parity', p('base'), p('nothing'));
    expect(bad.code).toBe(3);
    expect(bad.stderr).toContain('nothing');
    expect((await runCli('parity', p('base'))).code).toBe(2);
  });
});
