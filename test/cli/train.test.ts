import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelRegistry } from '#adapters';
import { profitFactorOf } from '../../src/apps/cli/commands/train.ts';
import { Child } from '../program/child.ts';
import { RECORDED } from '../support/recorded.ts';
import { barsCsv, trendingBars } from '../support/trending-market.ts';
import { type CliResult, jsonOf, runCli, Workplace } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

const BTC = place.write('BTCUSDT-15m.csv', barsCsv(trendingBars({ days: 20, seed: 'cli' })));
const SHORT = ['--train-days', '4', '--test-hours', '48'];
/** A small training of one configuration. */
const argv = (out: string, models: string, ...more: string[]) => [
  'train',
  's1',
  '--bars',
  BTC,
  '--config',
  'BTC_15M',
  ...SHORT,
  '--trials',
  '3',
  '--out',
  p(out),
  '--models',
  p(models),
  ...more,
];

/** Everything in a folder, byte for byte. */
function filesOf(dir: string): [string, string][] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .sort()
    .map((path) => [relative(dir, path), readFileSync(path, 'base64')]);
}

interface Outcome {
  readonly finished: boolean;
  readonly configs: readonly {
    readonly config: string;
    readonly model: string | null;
    readonly stage: string | null;
    readonly windows: number;
    readonly metrics: Record<string, number | null>;
    readonly verdict: {
      readonly promoted: boolean;
      readonly criteria: readonly { readonly name: string; readonly verdict: string }[];
      readonly reason: string | null;
    };
    readonly passport: Record<string, unknown> | null;
    readonly stamps: readonly string[];
    readonly promotion: { readonly promoted: boolean } | null;
  }[];
}
const outcomeOf = (result: CliResult) => jsonOf(result) as unknown as Outcome;

describe('training on made-up bars', () => {
  let first: Outcome;
  beforeAll(async () => {
    const done = await runCli(...argv('one', 'models-one', '--workers', '1', '--json'));
    expect(done.code, done.stderr).toBe(0);
    first = outcomeOf(done);
  });

  it('gives windows, a model with its passport, and a refusal with its reasons', () => {
    const [result] = first.configs;
    expect(first).toMatchObject({ finished: true });
    expect(result).toMatchObject({
      config: 'S1_RX68_BTC_15M',
      stage: 'candidate',
      windows: 8,
      stamps: ['no sentiment gate', "windows are not the sheet's"],
      promotion: null,
    });
    expect(result!.verdict.promoted).toBe(false);
    const failed = result!.verdict.criteria.filter(({ verdict }) => verdict !== 'met');
    expect(failed.map(({ name }) => name)).toContain('nothing switched off');
    expect(result!.metrics.trades).toBeGreaterThan(30);
    const { twoEngines, windows } = result!.passport as {
      twoEngines: { agree: boolean; difference: number };
      windows: unknown[];
    };
    expect(twoEngines.agree).toBe(true);
    expect(twoEngines.difference).toBeLessThanOrEqual(0.05);
    expect(windows).toHaveLength(8);
  });

  it('leaves the artefact, the search and the registry entry', async () => {
    const { model } = first.configs[0]!;
    const file = JSON.parse(readFileSync(p('one/s1_rx68_results_final.json'), 'utf8'));
    expect(file).toMatchObject({ strategy: 'S1 RX68 BTC_MOM', promoted: [], seed: '1' });
    expect(file.configs[0]).toMatchObject({ config: 'S1_RX68_BTC_15M', model });
    const search = JSON.parse(readFileSync(p('one/S1_RX68_BTC_15M/training.json'), 'utf8'));
    expect(search.runs).toHaveLength(3);
    expect(search.runs[0].windows[0].equity).toHaveLength(3);
    const predicted = p('predicted.csv');
    const rows = p('one/S1_RX68_BTC_15M/rows.csv');
    const from = [
      '--models',
      p('models-one'),
      '--model',
      'S1_RX68_BTC_15M',
      '--rows',
      rows,
      '--out',
      predicted,
    ];
    const asked = await runCli('models', 'predict', ...from);
    expect(asked.code, asked.stderr).toBe(0);
    expect(asked.stdout).toContain('500 rows by S1_RX68_BTC_15M');
    expect(asked.stdout).toContain('(scaled, calibrated)');
    expect(readFileSync(predicted, 'utf8').split('\n')[0]).toContain('probability_up');
    const models = ModelRegistry.open(p('models-one'));
    try {
      expect(models.verify().faults).toEqual([]);
      const evidence = models.evidenceOf(model!)[0]!;
      expect(evidence).toMatchObject({ model, study: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(evidence.runs).toHaveLength(1);
      expect(evidence.passport).toEqual(first.configs[0]!.passport);
    } finally {
      models.close();
    }
    const shown = await runCli('models', 'show', 'S1_RX68_BTC_15M', '--models', p('models-one'));
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toContain('STAMP: no sentiment gate');
    const list = await runCli('runs', '--json');
    expect(list.stdout).toContain('s1-momentum');
  });

  it('gives the same bytes with two threads, and after Ctrl-C', async () => {
    const child = new Child(argv('two', 'models-two', '--workers', '2', '--json'), { cwd: place.dir });
    const kept = p('two/S1_RX68_BTC_15M/training.unfinished');
    await child.until(() => existsSync(kept) && readFileSync(kept, 'utf8').split('\n').length > 2, 'a trial');
    child.kill('SIGINT');
    const cut = await child.ended;
    expect(cut.code, cut.stderr).toBe(130);
    expect(JSON.parse(cut.stdout)).toMatchObject({ finished: false, file: null, configs: [] });
    expect(cut.stderr).toContain('the same command goes on');
    expect(existsSync(kept)).toBe(true);
    const done = await runCli(...argv('two', 'models-two', '--workers', '2', '--json'));
    expect(done.code, done.stderr).toBe(0);
    expect(outcomeOf(done).configs).toEqual(first.configs);
    expect(filesOf(p('two'))).toEqual(filesOf(p('one')));
    expect(filesOf(p('models-two/objects'))).toEqual(filesOf(p('models-one/objects')));
  });

  it('does not let a stamped model go on, and says why', async () => {
    const refused = await runCli(...argv('one', 'models-one', '--promote'));
    expect(refused.code, refused.stderr).toBe(4);
    expect(refused.stdout).toMatch(/S1_RX68_BTC_15M \w{12} was not let go on paper/);
    expect(refused.stdout).toMatch(/✗ nothing switched off.*no sentiment gate/);
    expect(refused.stdout).toMatch(/S1_RX68_BTC_15M refused: nothing switched off/);
    const models = ModelRegistry.open(p('models-one'));
    expect(models.holder('S1_RX68_BTC_15M', 'paper')).toBeNull();
    models.close();
  });

  it('stamps what is put on no record', async () => {
    const done = await runCli(...argv('three', 'models-three', '--trials', '1', '--no-registry', '--json'));
    expect(done.code, done.stderr).toBe(0);
    expect(outcomeOf(done).configs[0]!.stamps).toEqual([
      'no sentiment gate',
      "windows are not the sheet's",
      'unregistered',
    ]);
  });

  it('refuses a directory of another training', async () => {
    const other = await runCli(...argv('one', 'models-one', '--seed', '2'));
    expect(other.code).toBe(3);
    expect(other.stderr).toContain('holds another training: it differs in --seed');
  });

  it('trains what it can, and says of the others what they lack', async () => {
    const done = await runCli(
      ...argv('some', 'models-one', '--config', 'ETH_15M', '--config', 'BTC_1M', '--trials', '1', '--json'),
    );
    expect(done.code, done.stderr).toBe(0);
    const reasons = outcomeOf(done).configs.map(({ config, verdict }) => [config, verdict.reason]);
    expect(reasons).toEqual([
      ['S1_RX68_BTC_1M', 'no bars of BTC that make bars of 1m'],
      ['S1_RX68_BTC_15M', null],
      ['S1_RX68_ETH_15M', 'no bars of ETH, SOL, XRP'],
    ]);
  });
});

describe('what cannot be trained', () => {
  const refusedBy = async (...more: string[]) => {
    const { code, stderr } = await runCli(
      'train',
      's1',
      '--models',
      p('none'),
      '--out',
      p('none-out'),
      ...more,
    );
    return [code, stderr] as const;
  };

  it.each<[string, string[], number, string]>([
    ['an unknown configuration', ['--bars', BTC, '--config', 'BTC_16M'], 3, 'no configuration BTC_16M'],
    ['no bars', [], 2, 'no bars to learn from'],
    [
      'bars of nothing that is asked for',
      ['--bars', BTC, '--config', 'SOL_15M'],
      3,
      'S1_RX68_SOL_15M: no bars of ETH, SOL, XRP',
    ],
    ['too few days', ['--bars', BTC, '--config', 'BTC_15M'], 3, '20 days of bars hold no window of 30 days'],
    ['tests of half days', ['--bars', BTC, '--test-hours', '36'], 2, 'no whole number of days'],
    ['no trials', ['--bars', BTC, '--trials', '0'], 2, 'whole number from 1'],
    ['a fee below nothing', ['--bars', BTC, '--fee-bps', '-1'], 2, 'number'],
    ['a schedule that is none', ['--bars', BTC, '--schedule', 'sundays'], 3, 'is no schedule'],
    ['a file that is not there', ['--bars', p('absent-15m.csv')], 3, 'absent-15m.csv'],
  ])('%s', async (_, more, code, said) => {
    const [is, text] = await refusedBy(...more);
    expect([is, text]).toEqual([code, expect.stringContaining(said)]);
    expect(existsSync(p('none-out/s1_rx68_results_final.json'))).toBe(false);
  });

  it('another desk', async () => {
    const { code, stderr } = await runCli('train', 'sigma', '--bars', BTC);
    expect([code, stderr]).toEqual([2, expect.stringContaining('nothing is trained for "sigma"')]);
  });
});

it('gains without a loss are shown as infinite, and no trade as none', () => {
  const result = (profitFactor: number | null, verdict: 'met' | 'unknown') =>
    profitFactorOf({
      config: 'S1_RX68_BTC_15M',
      model: 'a',
      stage: 'candidate',
      metrics: { profitFactor },
      windows: 1,
      stamps: [],
      verdict: {
        promoted: false,
        reason: null,
        criteria: [
          {
            name: 'profitFactor',
            figure: profitFactor,
            relation: null,
            needed: 1.1,
            verdict,
            note: null,
            source: '',
          },
        ],
      },
    });
  expect(result(null, 'met')).toBe('infinite');
  expect(result(null, 'unknown')).toBe('-');
  expect(result(1.234, 'met')).toBe('1.23');
});

describe('other markets', () => {
  it('an alt is not trained without its peers: its regime would be flat throughout', async () => {
    const eth = place.write('ETHUSDT-15m.csv', barsCsv(trendingBars({ days: 7, seed: 'eth' })));
    const { code, stderr } = await runCli('train', 's1', '--bars', eth, BTC, '--config', 'ETH_15M', ...SHORT);
    expect(code).toBe(3);
    expect(stderr).toContain('S1_RX68_ETH_15M: no bars of SOL, XRP');
  });

  it('bars with holes are trained on, and not traded on behind a hole', async () => {
    const holed = place.write(
      'HOLED-15m.csv',
      barsCsv(trendingBars({ days: 24, seed: 'cli' }), (i) => i > 1_300 && i < 1_310),
    );
    const done = await runCli(
      'train',
      's1',
      '--bars',
      `BTCUSDT=${holed}`,
      '--config',
      'BTC_15M',
      ...SHORT,
      '--trials',
      '1',
      '--out',
      p('holed'),
      '--models',
      p('models-holed'),
      '--json',
    );
    expect(done.code, done.stderr).toBe(0);
    const [result] = outcomeOf(done).configs;
    const { twoEngines, windows } = result!.passport as {
      twoEngines: { agree: boolean };
      windows: readonly { trades: number; calibrated: boolean }[];
    };
    expect(windows).toHaveLength(10);
    expect(twoEngines.agree).toBe(true);
    expect(done.stderr).toContain('9 bars are missing: nothing is learned from, or entered at, the 249 bars');
    // tests of bars 384 to 576 and so on; the hole lies in the fifth, and 250 bars behind it reach into the seventh
    const trades = windows.map((one) => one.trades);
    expect(windows[5]!.calibrated).toBe(true);
    expect(trades[5]).toBe(0);
    expect(trades.slice(6).reduce((a, b) => a + b)).toBeGreaterThan(0);
  });
});

describe.skipIf(RECORDED === null)('training on recorded bars', () => {
  it('gives a model, a passport and a refusal', async () => {
    const bars = ['BTC', 'ETH', 'SOL', 'XRP'].map((s) =>
      join(RECORDED!, `crypto/binance-perp/${s}USDT-5m-2023.csv.gz`),
    );
    const done = await runCli(
      'train',
      's1',
      '--bars',
      ...bars,
      '--config',
      'ETH_15M',
      '--from',
      '2023-07-10',
      '--to',
      '2023-08-08',
      '--train-days',
      '7',
      '--trials',
      '1',
      '--out',
      p('recorded'),
      '--models',
      p('models-recorded'),
      '--json',
    );
    expect(done.code, done.stderr).toBe(0);
    const [result] = outcomeOf(done).configs;
    expect(result).toMatchObject({
      config: 'S1_RX68_ETH_15M',
      windows: 11,
      stamps: ['no sentiment gate', "windows are not the sheet's"],
    });
    expect(result!.verdict.promoted).toBe(false);
    expect((result!.passport as { twoEngines: { agree: boolean } }).twoEngines.agree).toBe(true);
  });
});
