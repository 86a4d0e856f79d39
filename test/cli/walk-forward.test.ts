import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunRegistry } from '#adapters';
import { Child, sizeOf } from '../program/child.ts';
import { jsonOf, runCli, SMA, START, Workplace, waveCsv } from './run-cli.ts';

const DAY = 86_400_000;

interface Figures {
  readonly trades: number;
  readonly return: number;
  readonly equityEnd: string;
}
interface Window {
  readonly train: { readonly from: number; readonly to: number };
  readonly test: { readonly from: number; readonly to: number };
  readonly trials: number;
  readonly parameters: Readonly<Record<string, unknown>> | null;
  readonly inSample: Figures & { readonly value: number };
  readonly outOfSample: Figures | null;
  readonly closedAtJoint: number;
}
interface Walk {
  readonly windows: readonly Window[];
  readonly efficiency: number | null;
  readonly inSampleAnnual: number;
  readonly outOfSampleAnnual: number;
  readonly return: number;
  readonly stability: readonly { readonly name: string; readonly values: readonly unknown[] }[];
}

const place = new Workplace();
const p = (name: string) => place.path(name);
beforeAll(() => {
  process.env.QUORUM_REGISTRY = p('runs.sqlite');
  place.write('WAVE-1h.csv', waveCsv(60 * 24));
  // the same until day 30, then everything otherwise
  const other = waveCsv(60 * 24, (row, i) =>
    i < 30 * 24 ? row : row.map((cell, k) => (k === 0 || k === 5 ? cell : String(400 - Number(cell)))),
  );
  // high and low have changed places
  place.write(
    'OTHER-1h.csv',
    other.replaceAll(/^(\d+),([^,]+),([^,]+),([^,]+),/gm, (_, t, o, h, l) =>
      Number(h) < Number(l) ? `${t},${o},${l},${h},` : `${t},${o},${h},${l},`,
    ),
  );
});
afterAll(() => {
  delete process.env.QUORUM_REGISTRY;
  place.remove();
});

const SPACE = ['--param', 'fast=2:12:5', '--param', 'slow=20:40:20'];
const CUT = ['--train', '15d', '--test', '5d'];
const walk = (bars: string, ...argv: string[]) =>
  runCli('walk-forward', SMA, '--bars', `WAVE.LOCAL=${p(bars)}`, ...argv);
async function walkOf(bars: string, ...argv: string[]): Promise<Walk> {
  const done = await walk(bars, ...SPACE, ...CUT, '--workers', '1', ...argv, '--json');
  expect(done.code, done.stderr).toBe(0);
  return jsonOf(done) as unknown as Walk;
}
const filesOf = (dir: string): [string, string][] =>
  readdirSync(dir)
    .sort()
    .map((name) => [name, readFileSync(join(dir, name), 'utf8')]);

describe('quorum walk-forward', () => {
  it('cuts floor((N - L) / S) windows, tests behind each training and joins the equity', async () => {
    const { windows, ...all } = await walkOf('WAVE-1h.csv', '--fee-bps', '4');
    expect(windows).toHaveLength((60 - 15) / 5);
    let cash = 1_000_000;
    let growth = 1;
    windows.forEach(({ train, test, outOfSample, trials, closedAtJoint }, i) => {
      expect(train).toEqual({ from: START + i * 5 * DAY, to: START + (i * 5 + 15) * DAY });
      expect(test).toEqual({ from: train.to, to: train.to + 5 * DAY });
      expect(trials).toBe(6);
      expect(closedAtJoint).toBeLessThanOrEqual(1);
      const end = Number(outOfSample!.equityEnd);
      // what one test leaves is what the next begins with
      expect(end / cash - 1).toBeCloseTo(outOfSample!.return, 9);
      cash = end;
      growth *= 1 + outOfSample!.return;
    });
    expect(all.return).toBeCloseTo(growth - 1, 9);
    expect(windows.some(({ closedAtJoint }) => closedAtJoint > 0)).toBe(true);
    const yearly = (sum: number, days: number) => Math.expm1((sum * 365) / days);
    const out = windows.reduce((sum, { outOfSample }) => sum + Math.log1p(outOfSample!.return), 0);
    const inside = windows.reduce((sum, { inSample }) => sum + Math.log1p(inSample.return), 0);
    expect(all.outOfSampleAnnual).toBeCloseTo(yearly(out, 45), 6);
    expect(all.inSampleAnnual).toBeCloseTo(yearly(inside, 9 * 15), 6);
    expect(all.efficiency === null).toBe(all.inSampleAnnual <= 0);
    if (all.efficiency !== null) {
      expect(all.efficiency).toBeCloseTo(all.outOfSampleAnnual / all.inSampleAnnual, 9);
    }
    expect(all.stability.map(({ name }) => name)).toEqual(['fast', 'slow']);
    expect(all.stability[0]!.values).toEqual(windows.map(({ parameters }) => parameters!.fast));
  });

  it('chooses what trains best, and a training is a run over its own days', async () => {
    const { windows } = await walkOf('WAVE-1h.csv', '--objective', 'return', '--fee-bps', '0');
    const { train, parameters, inSample } = windows[0]!;
    const returns: [string, number][] = [];
    for (const fast of [2, 7, 12]) {
      for (const slow of [20, 40]) {
        const argv = [
          '--set',
          `fast=${fast}`,
          '--set',
          `slow=${slow}`,
          '--to',
          String(train.to),
          '--fee-bps',
          '0',
        ];
        const one = await runCli('backtest', SMA, '--bars', p('WAVE-1h.csv'), ...argv, '--json');
        const summary = jsonOf(one);
        returns.push([`${fast} ${slow}`, Number(summary.equityEnd) / Number(summary.cashStart) - 1]);
      }
    }
    const best = returns.reduce((most, one) => (one[1] > most[1] ? one : most));
    expect(`${parameters!.fast} ${parameters!.slow}`).toBe(best[0]);
    expect(inSample.return).toBeCloseTo(best[1], 9);
  });

  it('knows nothing of what comes later', async () => {
    const before = await walkOf('WAVE-1h.csv');
    const after = await walkOf('OTHER-1h.csv');
    const early = ({ windows }: Walk) => windows.filter(({ test }) => test.to <= START + 30 * DAY);
    expect(early(after)).toHaveLength(3);
    expect(early(after)).toEqual(early(before));
    expect(after.windows.at(-1)).not.toEqual(before.windows.at(-1));
  });

  it('trades nothing before a test begins, and less of a training under an embargo', async () => {
    const dir = p('embargoed');
    await walkOf('WAVE-1h.csv', '--embargo', '2d', '--anchored', '--out', dir);
    const { windows, runs } = JSON.parse(readFileSync(join(dir, 'walk-forward.json'), 'utf8')) as Walk & {
      runs: {
        stretch: string;
        window: number;
        played: { detail: null | { times: number[]; trades: { openedAt: number; closedAt: number }[] } };
      }[];
    };
    windows.forEach(({ train, test }, i) => {
      expect(train).toEqual({ from: START, to: START + (i * 5 + 13) * DAY });
      expect(test.from).toBe(train.to + 2 * DAY);
    });
    let trades = 0;
    for (const { stretch, window, played } of runs) {
      if (stretch !== 'test') continue;
      const { from, to } = windows[window]!.test;
      for (const time of played.detail!.times) expect(time > from && time <= to).toBe(true);
      for (const trade of played.detail!.trades) {
        trades += 1;
        expect(trade.openedAt).toBeGreaterThanOrEqual(from);
        expect(trade.closedAt).toBeLessThanOrEqual(to);
      }
    }
    expect(trades).toBeGreaterThan(5);
    const lines = readFileSync(join(dir, 'equity.csv'), 'utf8').trimEnd().split('\n').slice(1);
    const times = lines.map((line) => Number(line.split(',')[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
  });

  it('searches each window by trials, and comes to the same bytes with two workers and after Ctrl-C', async () => {
    const argv = [
      '--param',
      'fast=2:12',
      '--param',
      'slow=14:60',
      ...CUT,
      '--sampler',
      'tpe',
      '--trials',
      '25',
    ];
    const child = new Child(
      [
        'walk-forward',
        SMA,
        '--bars',
        'WAVE-1h.csv',
        ...argv,
        '--workers',
        '2',
        '--out',
        'part',
        '--registry',
        'c.sqlite',
      ],
      { cwd: place.dir },
    );
    await child.until(() => sizeOf(p('part/walk-forward.unfinished')) > 40_000, 'some runs to be done');
    child.kill('SIGINT');
    const { code, stderr } = await child.ended;
    expect(code, stderr).toBe(130);
    const goesOn = await walk('WAVE-1h.csv', ...argv, '--workers', '1', '--out', p('part'));
    expect(goesOn.code, goesOn.stderr).toBe(0);
    expect(goesOn.stderr).toMatch(/holds [1-9]\d* runs already/);
    expect((await walk('WAVE-1h.csv', ...argv, '--workers', '2', '--out', p('whole'))).code).toBe(0);
    expect(filesOf(p('part'))).toEqual(filesOf(p('whole')));
    expect(readdirSync(p('part')).sort()).toEqual(['equity.csv', 'walk-forward.json', 'windows.csv']);
  });

  it('puts the joined tests on record day by day, over weekends, gaps between tests and funding at midnight', async () => {
    // Saturdays and Sundays have no bars
    const lines = waveCsv(84 * 24)
      .trimEnd()
      .split('\n');
    const week = lines.filter(
      (line, i) => i === 0 || new Date(Number(line.split(',')[0])).getUTCDay() % 6 !== 0,
    );
    place.write('WEEK-1h.csv', `${week.join('\n')}\n`);
    const funding = Array.from({ length: 84 * 3 }, (_, k) => `${START + k * 8 * 3_600_000},0.0001`);
    place.write('FUND.csv', `time,rate\n${funding.join('\n')}\n`);
    const joinedOf = async (name: string, ...argv: string[]) => {
      const done = await walk('WEEK-1h.csv', ...SPACE, ...argv, '--workers', '1', '--registry', p(name));
      expect(done.code, done.stderr).toBe(0);
      const registry = RunRegistry.open(p(name));
      const { trials } = registry.trials();
      const joined = trials.find(({ figures }) => figures.windows !== undefined)!;
      const days = registry.days(joined.days.hash);
      registry.close();
      for (const { stamps, returns, days: of } of trials) {
        expect(stamps).toEqual([]);
        expect(returns.length).toBe(of.count);
      }
      return { joined, days };
    };
    // START is a Saturday: four weeks of training, then a week tested of each two
    const gaps = await joinedOf('gaps.sqlite', '--train', '28d', '--test', '7d', '--step', '14d');
    const first = START / DAY;
    const tested = [28, 42, 56, 70].flatMap((from) => [2, 3, 4, 5, 6].map((day) => first + from + day));
    expect([...gaps.days]).toEqual(tested);
    expect(gaps.joined.returns.some((one) => one !== 0)).toBe(true);
    const funded = ['--train', '28d', '--test', '7d', '--funding', `WAVE.LOCAL=${p('FUND.csv')}`];
    const whole = await joinedOf('funded.sqlite', ...funded);
    // funding is booked on Saturdays and Sundays as well
    expect([...whole.days]).toEqual(Array.from({ length: 56 }, (_, i) => first + 28 + i));
  });

  it.each([
    [
      'too few bars for one window',
      ['--train', '90d', '--test', '30d'],
      3,
      ['60.0 days', '90d to train', '30d to test'],
    ],
    ['windows that overlap', [...CUT, '--step', '2d'], 3, ['windows overlap', '--step']],
    ['an embargo that leaves nothing', [...CUT, '--embargo', '15d'], 3, ['leaves nothing of 15d']],
    ['a test of one bar', ['--train', '15d', '--test', '1h'], 3, ['fewer than two bars']],
    ['a span that is none', ['--train', 'long', '--test', '5d'], 2, ['--train', '90d']],
    ['no training', ['--test', '5d'], 2, ['--train']],
    ['an unknown parameter', [...CUT, '--param', 'slwo=3:5'], 3, ['"slwo"', '"slow"']],
  ] as const)('refuses %s', async (_, argv, code, says) => {
    const done = await walk('WAVE-1h.csv', '--param', 'fast=3:9:3', ...argv);
    expect(done.code, done.stderr).toBe(code);
    for (const word of says) expect(done.stderr).toContain(word);
    expect(done.stdout).toBe('');
  });
});

describe('quorum cross-validate', () => {
  it('tests every choice of groups and joins whole paths', async () => {
    const argv = [
      ...SPACE,
      '--groups',
      '6',
      '--tested',
      '2',
      '--workers',
      '1',
      '--json',
      '--out',
      p('cross'),
    ];
    const done = await runCli('cross-validate', SMA, '--bars', p('WAVE-1h.csv'), ...argv);
    expect(done.code, done.stderr).toBe(0);
    const found = jsonOf(done) as unknown as {
      days: number;
      variants: number;
      splits: {
        groups: number[];
        trainDays: number;
        inSample: number;
        outOfSample: number;
        chosen: unknown;
      }[];
      paths: { splits: number[]; value: number; return: number }[];
    };
    expect(found).toMatchObject({ days: 60, variants: 6 });
    expect(found.splits).toHaveLength(15);
    expect(found.paths).toHaveLength(5);
    for (const { groups, trainDays } of found.splits) {
      // the day behind each test that does not end the tape is left out
      const behind = groups.filter((g) => g < 5 && !groups.includes(g + 1)).length;
      expect(trainDays).toBe(40 - behind);
    }
    // one group, one split, one value: a path is made of its tests
    found.paths.forEach(({ splits }) => {
      expect(splits).toHaveLength(6);
      for (const [group, split] of splits.entries()) expect(found.splits[split]!.groups).toContain(group);
    });
    expect(readdirSync(p('cross')).sort()).toEqual(['cross-validation.json', 'paths.csv', 'splits.csv']);
    const again = await runCli(
      'cross-validate',
      SMA,
      '--bars',
      p('WAVE-1h.csv'),
      ...argv.slice(0, -3),
      '--workers',
      '2',
      '--out',
      p('cross-2'),
    );
    expect(again.code, again.stderr).toBe(0);
    expect(filesOf(p('cross-2'))).toEqual(filesOf(p('cross')));
  });

  it.each([
    ['too few days', ['--groups', '20'], 3, ['60 whole days', '20 groups']],
    ['all groups tested', ['--groups', '4', '--tested', '4'], 3, ['4 of 4 groups']],
    ['one variant', ['--param', 'fast=3:3', '--param', 'slow=9:9'], 3, ['nothing to choose from']],
    ['a profit factor', ['--objective', 'profitFactor'], 3, ['profit factor', 'sharpe']],
  ] as const)('refuses %s', async (_, argv, code, says) => {
    const own = argv[0] === '--param' ? argv : [...SPACE, ...argv];
    const done = await runCli('cross-validate', SMA, '--bars', p('WAVE-1h.csv'), ...own);
    expect(done.code, done.stderr).toBe(code);
    for (const word of says) expect(done.stderr).toContain(word);
  });
});
