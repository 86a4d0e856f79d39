import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RECORDED, recordedFiles } from '../support/recorded.ts';
import { jsonOf, runCli } from './run-cli.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const ALFA = path('../../examples/bars/ALFA-15m.csv');
const BETA = path('../../examples/bars/BETA-15m.csv');

interface Finding {
  readonly column: string;
  readonly kind: string;
  readonly reads: readonly string[];
  readonly needed?: number | null;
}
interface Report {
  readonly lookAhead: readonly Finding[];
  readonly warmUp: readonly Finding[];
  readonly unrepeatable: readonly string[];
  readonly features: number;
}

async function biasOf(
  desk: string,
  ...bars: string[]
): Promise<{ code: number; report: Report; text: string }> {
  const done = await runCli('bias', desk, '--bars', ...bars, '--json');
  expect(done.stderr).not.toContain('error');
  return { code: done.code, report: jsonOf(done) as unknown as Report, text: done.stdout };
}

const columns = (findings: readonly Finding[], kind: string) =>
  findings.filter((one) => one.kind === kind).map(({ column }) => column);

describe('quorum bias', () => {
  it('names each of ten features that know the future, the source that reads one, and no other', async () => {
    const { code, report } = await biasOf(path('fixtures/sees-the-future.ts'), ALFA);
    expect(code).toBe(1);
    expect(columns(report.lookAhead, 'feature').sort()).toEqual([
      'backfilled',
      'centred',
      'detrended',
      'gap',
      'hourly',
      'pivot',
      'ranked',
      'scaled',
      'shifted',
      'twoways',
    ]);
    const sources = report.lookAhead.filter(({ kind }) => kind === 'source');
    expect(sources).toMatchObject([{ column: 'prophet', reads: ['shifted'] }]);
    expect(report.features).toBe(12);
  });

  it('names each of ten features that remember the start, a source that counts, and no other', async () => {
    const { code, report } = await biasOf(path('fixtures/remembers-the-start.ts'), ALFA);
    expect(code).toBe(1);
    expect(report.lookAhead).toEqual([]);
    expect(columns(report.warmUp, 'feature').sort()).toEqual([
      'anchored',
      'ema:200',
      'expanding',
      'fives',
      'highest',
      'phase',
      'rsi:21',
      'since',
      'slow',
      'total',
    ]);
    expect(columns(report.warmUp, 'source')).toEqual(['counter']);
    const needed = new Map(report.warmUp.map((one) => [one.column, one.needed]));
    expect(needed.get('total')).toBe(null);
    // weight left of an average of 200 after m bars: (1 - 2 / 201)^m; a thousandth of the price is 5 % of a move of 2 %
    expect(needed.get('ema:200')).toBeGreaterThan(250);
    expect(needed.get('ema:200')).toBeLessThan(1_000);
  });

  it('says which bar and how much in plain words', async () => {
    const done = await runCli('bias', path('fixtures/sees-the-future.ts'), '--bars', ALFA);
    expect(done.code).toBe(1);
    expect(done.stdout).toMatch(
      /feature shifted \(ALFA\.LOCAL, 15m\): differs at \d+ of \d+ cuts\n +bar 2024-/,
    );
    expect(done.stdout).toContain('it reads shifted');
  });

  it.each([
    ['01-sma-cross', [ALFA]],
    ['02-limit-bracket', [ALFA]],
    ['03-two-instruments-two-intervals', [ALFA, BETA]],
    ['04-custom-indicator', [ALFA]],
    ['05-remote-source', [ALFA]],
    ['06-two-leg-plan', [ALFA, BETA]],
  ])('has nothing to say of example %s', async (example, bars) => {
    const { code, report } = await biasOf(path(`../../examples/${example}.ts`), ...bars);
    expect(report).toMatchObject({ lookAhead: [], warmUp: [], unrepeatable: [] });
    expect(code).toBe(0);
  });

  it.skipIf(RECORDED === null)('has nothing to say of the Sigma desk on recorded bars', async () => {
    const bars = recordedFiles('crypto/binance-perp', /^(BTC|SOL|DOGE)USDT-5m-2023/);
    const { code, report } = await biasOf('sigma', ...bars);
    expect(report).toMatchObject({ lookAhead: [], warmUp: [], unrepeatable: [] });
    expect(code).toBe(0);
  });

  it('refuses bars that are too few to examine anything', async () => {
    const done = await runCli('bias', 'sigma', '--bars', ALFA, '--to', '2024-01-02', '--set', 'interval=15m');
    expect(done.code).toBe(3);
    expect(done.stderr).toMatch(/ALFA\.LOCAL has \d+ bars: too few for a desk that warms up on/);
  });
});
