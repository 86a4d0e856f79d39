import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunRegistry } from '#adapters';
import { jsonOf, runCli, SMA, Workplace, waveCsv } from './run-cli.ts';

const place = new Workplace();
const p = (name: string) => place.path(name);
afterAll(() => place.remove());

const RECORD = p('runs.sqlite');
const BARS = p('WAVE-1h.csv');
const RUN = ['--bars', BARS, '--fee-bps', '1'];
const on = (record: string, ...argv: string[]) => runCli(...argv, '--registry', record);
const entries = (record = RECORD) => {
  const registry = RunRegistry.open(record);
  try {
    return registry.verify().entries;
  } finally {
    registry.close();
  }
};

/** Buys every midnight and leaves after twenty hours; one of its parts is switched off. */
const SWITCHED_OFF = `
const schema = { safeParse: (data) => ({ success: true, data }), _zod: {} };
const signal = (view) => view.at % 86_400_000 === 3_600_000 ? { kind: 'score', source: 's', value: 1, horizonMs: 1000 } : null;
const source = { kind: 'local', name: 'midnight', features: {}, state: () => null, signal };
const wait = { action: 'wait', confidence: 0, probability: null, rule: 'none', objections: [] };
const pool = (signals) => signals.length === 0 ? wait : { ...wait, action: 'enter-long', confidence: 1, rule: 'buy' };
const sizer = { name: 'ten', features: {}, size: () => ({ kind: 'sized', quantity: 10, stopDistance: 5,
  targetDistance: null, leverage: 1, riskFraction: null, cuts: [] }) };
const exit = { name: 'evening', features: {}, restsAtVenue: false,
  check: ({ at, position }) => at - position.openedAt >= 20 * 3_600_000 ? { exit: 'evening', reason: 'late' } : null };
const build = () => ({ interval: 'tape', warmUpBars: 1, sources: [source], pooling: { name: 'p', takes: 'score', pool }, sizer,
  exits: [exit], stamps: ['no sentiment gate'] });
export default { name: 'switched-off', summary: '', parameters: schema, build };
`;

/** Two sweeps of 3 and 4 variants with one in common, the common one alone, and what its parts are worth. */
beforeAll(async () => {
  place.write('WAVE-1h.csv', waveCsv(24 * 60));
  const sweep = ['sweep', SMA, ...RUN, '--set', 'slow=30', '--workers', '1'];
  expect((await on(RECORD, ...sweep, '--param', 'fast=5:15:5', '--out', p('sweep'))).code).toBe(0);
  expect(entries()).toBe(3);
  expect((await on(RECORD, ...sweep, '--param', 'fast=10,11,12,13')).code).toBe(0);
  expect(entries()).toBe(6);
  expect(
    (await on(RECORD, 'backtest', SMA, ...RUN, '--set', 'slow=30', '--set', 'fast=10', '--out', p('run')))
      .code,
  ).toBe(0);
});

describe('what is put on record', () => {
  it('is the same for a run alone and in sweeps, and for a run made again', async () => {
    expect(entries()).toBe(6);
    const before = new Map(readdirSync(p('run')).map((name) => [name, readFileSync(join(p('run'), name))]));
    expect(
      (await on(RECORD, 'backtest', SMA, ...RUN, '--set', 'slow=30', '--set', 'fast=10', '--out', p('run')))
        .code,
    ).toBe(0);
    expect(entries()).toBe(6);
    for (const [name, bytes] of before) expect(readFileSync(join(p('run'), name)), name).toEqual(bytes);
  });

  it('is nothing more of a sweep that is there already', async () => {
    const again = ['sweep', SMA, ...RUN, '--set', 'slow=30', '--param', 'fast=5:15:5', '--out', p('sweep')];
    expect((await on(RECORD, ...again)).code).toBe(0);
    expect(entries()).toBe(6);
  });

  it('is nothing with --no-registry; the run says so and cannot be promoted', async () => {
    const quiet = await runCli('backtest', SMA, ...RUN, '--no-registry', '--out', p('quiet'), '--json');
    expect(jsonOf(quiet).stamps).toEqual(['unregistered']);
    expect(entries()).toBe(6);
    const promoted = await on(RECORD, 'promote', p('quiet'), '--to', 'paper', '--json');
    expect(promoted.code).toBe(4);
    const verdicts = jsonOf(promoted).criteria as { name: string; verdict: string }[];
    expect(verdicts.find(({ name }) => name === 'registered')?.verdict).toBe('not met');
    const swept = await runCli(
      'sweep',
      SMA,
      ...RUN,
      '--param',
      'fast=5,6',
      '--no-registry',
      '--workers',
      '1',
    );
    expect(swept.stdout).toContain('STAMP: unregistered');
  });

  it('is what an earlier start left without a record, when a study goes on', async () => {
    const record = p('goes-on.sqlite');
    const space = [SMA, ...RUN, '--param', 'fast=5:15:5', '--set', 'slow=30', '--workers', '1'];
    const studies = [
      ['optimise', ...space, '--sampler', 'grid'],
      ['walk-forward', ...space, '--train', '20d', '--test', '10d'],
      ['cross-validate', ...space, '--groups', '4', '--tested', '1'],
    ];
    let before = 0;
    for (const argv of studies) {
      const out = ['--out', p(`goes-on-${argv[0]}`)];
      expect((await runCli(...argv, ...out, '--no-registry')).code, argv[0]).toBe(0);
      expect((await on(record, ...argv, ...out)).code, argv[0]).toBe(0);
      const after = entries(record);
      // three variants once, on four trainings and their joined tests, in four groups
      expect(after - before, argv[0]).toBe(
        { optimise: 3, 'walk-forward': 13, 'cross-validate': 12 }[argv[0]!],
      );
      before = after;
    }
  });

  it.each([
    ['summary.json', 'null', 'summary.json is damaged: it holds no JSON object'],
    ['summary.json', '{"stamps":"none"}', '"stamps" is no list'],
    ['inputs.json', '{}', '"bars" is no list of files'],
    ['inputs.json', '[]', 'inputs.json is damaged'],
  ])('is no passport of a run whose %s is %s', async (name, text, says) => {
    const dir = p('mangled');
    rmSync(dir, { recursive: true, force: true });
    cpSync(p('run'), dir, { recursive: true });
    writeFileSync(join(dir, name), text);
    const done = await on(RECORD, 'passport', dir);
    expect(done.code, done.stderr).toBe(3);
    expect(done.stderr).toContain(says);
  });

  it('lists runs by desk and data', async () => {
    const listed = jsonOf(await on(RECORD, 'runs', '--json'));
    expect(listed).toMatchObject({ entries: 6, trials: 6 });
    const [group] = listed.groups as Record<string, unknown>[];
    expect(group).toMatchObject({
      desk: 'sma-cross',
      instruments: ['WAVE.LOCAL'],
      trials: 6,
      kinds: { sweep: 6 },
    });
    expect(jsonOf(await on(RECORD, 'runs', '--desk', 'nobody', '--json')).groups).toEqual([]);
    const text = await on(RECORD, 'runs');
    expect(text.stdout).toContain('6 runs on record');
    expect(text.stdout).toContain('2023-07-01 to 2023-08-29');
  });
});

describe('a passport', () => {
  it('counts the trials behind a run, and is the same byte for byte for the same record', async () => {
    const first = await on(RECORD, 'passport', p('run'), '--json');
    expect(first.code).toBe(0);
    const bytes = readFileSync(join(p('run'), 'passport.json'), 'utf8');
    const passport = jsonOf(first) as Record<string, Record<string, unknown>>;
    expect(JSON.parse(bytes)).toEqual(passport);
    expect(passport.evidence).toMatchObject({ trials: 6 });
    expect(passport.family).toMatchObject({ names: ['sma-cross'], kinds: { sweep: 6 }, elsewhere: 0 });
    // fast=5 and fast=15 are a step away in one sweep, fast=11 in the other
    expect(passport.neighbourhood).toMatchObject({ neighbours: 3, varied: [{ name: 'fast', values: 6 }] });
    expect(passport.stamps).toEqual([]);
    const costs = passport.costs as unknown as { factor: number; return: number; fees: number }[];
    expect(costs.map(({ factor }) => factor)).toEqual([0.5, 1, 1.5, 2, 3]);
    const summary = JSON.parse(readFileSync(join(p('run'), 'summary.json'), 'utf8')) as Record<
      string,
      string
    >;
    const cash = Number(summary.cashStart);
    expect(costs[1]!.return).toBe(Number(summary.equityEnd) / cash - 1);
    expect(costs[1]!.fees).toBeCloseTo(Number(summary.fees) / cash, 12);
    for (let i = 1; i < 5; i++) expect(costs[i]!.return).toBeLessThan(costs[i - 1]!.return);
    const months = passport.months as unknown as { name: string; trades: number }[];
    expect(months.map(({ name }) => name)).toEqual(['2023-07', '2023-08']);
    expect(months.reduce((sum, { trades }) => sum + trades, 0)).toBe(Number(summary.trades));
    const text = await on(RECORD, 'passport', p('run'));
    expect(text.stdout).toContain('trials behind it');
    expect(readFileSync(join(p('run'), 'passport.json'), 'utf8')).toBe(bytes);
  });

  it('counts what is tried later, the plays of worth too, and goes when the run is made again', async () => {
    const record = p('later.sqlite');
    await on(record, 'backtest', SMA, ...RUN, '--out', p('later'));
    const trials = async () =>
      (jsonOf(await on(record, 'passport', p('later'), '--json')).evidence as { trials: number }).trials;
    expect(await trials()).toBe(1);
    expect((await on(record, 'worth', p('later'), '--out', p('later-worth'))).code).toBe(0);
    const after = await trials();
    expect(after).toBeGreaterThan(1);
    expect(entries(record)).toBe(after);
    await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=7');
    expect(await trials()).toBe(after + 1);
    expect(existsSync(join(p('later'), 'passport.json'))).toBe(true);
    await on(record, 'backtest', SMA, ...RUN, '--out', p('later'));
    expect(existsSync(join(p('later'), 'passport.json'))).toBe(false);
  });
});

describe('promotion', () => {
  it('is refused with figure, bar and verdict of each criterion, and leaves its evidence', async () => {
    const refused = await on(RECORD, 'promote', p('run'), '--to', 'paper', '--out', p('refused'));
    expect(refused.code).toBe(4);
    expect(refused.stdout).toMatch(/✗ trades +\d+ +>= 100 +not met/);
    expect(refused.stdout).toMatch(/✓ registered/);
    expect(refused.stdout).toContain('REFUSED');
    expect(readdirSync(p('refused')).sort()).toEqual([
      'inputs.json',
      'manifest.json',
      'passport.json',
      'profile.json',
      'promotion.json',
      'summary.json',
    ]);
    const checked = await on(RECORD, 'promote', '--check', p('refused'));
    expect(checked.code).toBe(0);
    expect(checked.stdout).toContain('refused');
    // nothing of it is on record
    expect(entries()).toBe(6);
  });

  it('finds the run that speaks for a desk with these parameters', async () => {
    const found = await on(
      RECORD,
      'promote',
      SMA,
      '--set',
      'fast=10',
      '--set',
      'slow=30',
      '--to',
      'paper',
      '--json',
    );
    expect(found.code).toBe(4);
    expect(jsonOf(found).run).toBe(p('run'));
    const none = await on(RECORD, 'promote', SMA, '--set', 'fast=11', '--to', 'paper');
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('no directory of a run');
  });

  it('holds paper against a backtest of the same desk and parameters only', async () => {
    const record = p('against.sqlite');
    await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=9', '--out', p('nine'));
    await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=8', '--out', p('eight'));
    const against = (dir: string) => on(record, 'promote', p('nine'), '--to', 'live', '--against', dir);
    expect((await against(p('nine'))).code).toBe(4);
    const other = await against(p('eight'));
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('is no backtest of sma-cross')]);
    expect((await against(p('nowhere'))).code).toBe(3);
  });

  it('goes by a year of 252 days where no Saturday was traded', async () => {
    const lines = waveCsv(24 * 60)
      .trimEnd()
      .split('\n');
    const isOpen = (line: string) => new Date(Number(line.split(',')[0])).getUTCDay() % 6 !== 0;
    place.write('WEEK-1h.csv', `${lines.filter((line, i) => i === 0 || isOpen(line)).join('\n')}\n`);
    const record = p('week.sqlite');
    const ran = await on(record, 'backtest', SMA, '--bars', p('WEEK-1h.csv'), '--out', p('week'), '--json');
    const sharpe = jsonOf(ran).sharpe as number;
    const { run } = jsonOf(await on(record, 'passport', p('week'), '--json')) as Record<string, never>;
    expect(run).toMatchObject({ periodsPerYear: 252 });
    expect((run as { sharpe: number }).sharpe).toBeCloseTo(sharpe * Math.sqrt(252 / 365), 9);
  });

  it('by a signature is put on record, loudly, and opens the next stage only', async () => {
    const easy = place.write(
      'easy.json',
      JSON.stringify({
        name: 'easy',
        criteria: [{ figure: 'trades', relation: '>=', needed: 1, stages: ['paper', 'live'] }],
      }),
    );
    const promote = (...argv: string[]) => on(RECORD, 'promote', p('run'), '--profile', easy, ...argv);
    expect((await promote('--to', 'live', '--sign', 'Ada: to see what happens')).code).toBe(4);
    expect((await promote('--to', 'paper')).code).toBe(4);
    const done = await promote(
      '--to',
      'paper',
      '--sign',
      'Ada: a study of the program itself',
      '--out',
      p('granted'),
    );
    expect(done.code).toBe(0);
    expect(done.stdout).toContain('EXCEPTION from dsr');
    expect(done.stdout).toContain('signed by Ada');
    expect(done.stdout).toContain('promoted to paper');
    const registry = RunRegistry.open(RECORD);
    const [stage] = registry.stages();
    expect(registry.stageOf(stage!.deskHash)).toBe('paper');
    expect(stage).toMatchObject({
      desk: 'sma-cross',
      from: 'research',
      to: 'paper',
      profile: 'easy',
      exception: { name: 'Ada', reason: 'a study of the program itself' },
    });
    expect(stage!.by).toContain('@');
    registry.close();
    expect((await on(RECORD, 'runs')).stdout).toContain('EXCEPTION signed by Ada');
    // now it may ask for live, and no more for paper
    expect((await promote('--to', 'paper', '--sign', 'Ada: to see what happens')).code).toBe(4);
    const checked = jsonOf(await on(RECORD, 'promote', '--check', p('granted'), '--json'));
    expect(checked).toMatchObject({ promoted: true, inRegistry: true, isRecorded: true });
    // another registry knows nothing of it
    expect((await on(p('empty.sqlite'), 'promote', '--check', p('granted'))).code).toBe(0);
    await on(p('other.sqlite'), 'backtest', SMA, ...RUN);
    const elsewhere = await on(p('other.sqlite'), 'promote', '--check', p('granted'));
    expect(elsewhere.code).toBe(3);
    expect(elsewhere.stderr).toContain('no longer holds the head');
  });

  it('is refused to a run that had a part switched off, whoever signs', async () => {
    const desk = place.write('switched-off.mjs', SWITCHED_OFF);
    expect((await on(RECORD, 'backtest', desk, ...RUN, '--out', p('off'))).code).toBe(0);
    const refused = await on(
      RECORD,
      'promote',
      p('off'),
      '--to',
      'paper',
      '--sign',
      'Ada: to see what happens',
      '--json',
    );
    expect(refused.code).toBe(4);
    const criteria = jsonOf(refused).criteria as { name: string; verdict: string; note: string }[];
    expect(criteria.find(({ name }) => name === 'nothing switched off')).toMatchObject({
      verdict: 'not met',
      note: 'no sentiment gate',
    });
    const passport = JSON.parse(readFileSync(join(p('off'), 'passport.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(passport.stamps).toEqual(['no sentiment gate']);
    // of another family: the six trials of the other desk are told, not counted
    expect(passport.family).toMatchObject({ names: ['switched-off'], otherDesks: 6 });
    expect(passport.evidence).toMatchObject({ trials: 1, noPbo: 'nothing was chosen' });
  });

  it.each([
    [
      'passport.json',
      (text: string) => text.replace('"trials": 6', '"trials": 1'),
      'passport.json was changed',
    ],
    [
      'promotion.json',
      (text: string) => text.replace('"promoted": false', '"promoted": true'),
      'was changed',
    ],
    ['profile.json', () => null, 'profile.json is missing'],
    ['manifest.json', (text: string) => text.slice(0, 40), 'is no JSON'],
    ['manifest.json', (text: string) => text.replace('"entries"', '"entrys"'), 'is damaged'],
    ['more.txt', () => 'more', 'more.txt does not belong'],
  ])('damage to %s of the evidence is found', async (name, change, says) => {
    const dir = p('damaged');
    rmSync(dir, { recursive: true, force: true });
    await on(RECORD, 'promote', p('run'), '--to', 'live', '--out', dir);
    const path = join(dir, name);
    const text = change(existsSync(path) ? readFileSync(path, 'utf8') : '');
    if (text === null) rmSync(path);
    else writeFileSync(path, text);
    const checked = await on(RECORD, 'promote', '--check', dir);
    expect(checked.code).toBe(3);
    expect(checked.stderr).toContain(says);
  });

  it('notices a registry that was rewritten since', async () => {
    const record = p('rewritten.sqlite');
    await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=9', '--out', p('rewritten'));
    await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=8');
    expect((await on(record, 'promote', p('rewritten'), '--to', 'paper', '--out', p('before'))).code).toBe(4);
    const db = new DatabaseSync(record);
    db.exec('DROP TRIGGER entries_stay; DELETE FROM entries WHERE position = 2');
    db.close();
    for (const argv of [['promote', '--check', p('before')], ['passport', p('rewritten')], ['runs']]) {
      const found = await on(record, ...argv);
      expect(found.code).toBe(3);
      expect(found.stderr).toContain('after 1 entries, and has had 2');
    }
    // and nothing more is put behind the gap
    expect((await on(record, 'backtest', SMA, ...RUN, '--set', 'fast=6')).code).toBe(3);
  });
});
