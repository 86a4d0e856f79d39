import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelRegistry } from '#adapters';
import { captureState, DAY } from '#base';
import { S1_CONFIGS } from '#desks';
import { registeredModel } from '../../../src/apps/contract/areas/workshop.ts';
import { desksAnswer } from '../../../src/apps/runner/desks-answer.ts';
import { matrixHandlers } from '../../../src/apps/server/areas/matrix.ts';
import { registeredView } from '../../../src/apps/server/areas/workshop/models.ts';
import type { ConsoleContext } from '../../../src/apps/server/context.ts';
import { registeredModels } from '../../../src/apps/server/data/registered-models.ts';
import { deskSamples } from '../../../src/apps/server/metrics/desk-samples.ts';
import { exposition } from '../../../src/apps/server/metrics/exposition.ts';
import { METRICS } from '../../../src/apps/server/metrics/index.ts';
import { caller } from './recorded-console.ts';
import { PINE_DESK, S1_FROM, S1_PORTFOLIO, type S1Console, s1Console } from './s1-console.ts';

const BTC = S1_CONFIGS.filter(({ symbol }) => symbol === 'BTC');
const IDLE = 's1-rx68-btc-15m';

describe('four configs of S1 that have traded a day', () => {
  let s1: S1Console;
  let ask: ReturnType<typeof caller<ReturnType<typeof matrixHandlers>>>;

  beforeAll(async () => {
    s1 = await s1Console();
    ask = caller(matrixHandlers(s1.context));
  }, 120_000);
  afterAll(() => s1.close());

  const cellOf = async (desk: string) => (await ask('matrix')).cells.find((one) => one.desk === desk)!;

  describe('as a matrix', () => {
    it('stand by symbol and timeframe, from the shortest', async () => {
      const { families, cells, at, currency } = await ask('matrix');
      expect(families).toMatchObject([
        {
          name: 's1-momentum',
          symbols: ['BTC'],
          timeframes: BTC.map(({ interval: name, intervalMs: ms }) => ({ name, ms })),
        },
      ]);
      expect(cells.map(({ desk }) => desk)).toEqual(BTC.map(({ desk }) => desk));
      expect([at, currency]).toEqual([s1.session.engine.at, 'USDT']);
      for (const { drawdownLimit, timeframe } of cells)
        expect(drawdownLimit).toBe(BTC.find(({ interval }) => interval === timeframe)!.drawdownMax);
    });

    it('have figures that are those of the closed trades in the journal', async () => {
      const { cells } = await ask('matrix');
      let n = 0;
      for (const cell of cells) {
        const nets = s1
          .trades()
          .filter(({ desk }) => desk === cell.desk)
          .map(({ net }) => net);
        const won = nets.filter((net) => net > 0);
        const lost = nets.filter((net) => net < 0);
        const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
        expect(cell.trades).toMatchObject({ n: nets.length, won: won.length, lost: lost.length });
        if (lost.length > 0) expect(cell.profitFactor).toBeCloseTo(sum(won) / -sum(lost), 9);
        else expect(cell.profitFactor).toBeNull();
        expect(cell.winRate).toBe(nets.length === 0 ? null : won.length / nets.length);
        n += nets.length;
      }
      expect(n).toBeGreaterThan(100);
    });

    it('have made together what the portfolio made, in all and today', async () => {
      const { cells } = await ask('matrix');
      const { engine, figures } = s1.session;
      const sum = (pick: (cell: (typeof cells)[number]) => string) =>
        cells.reduce((total, cell) => total + Number(pick(cell)), 0);
      const { cash } = engine.definition;
      expect(sum(({ made }) => made)).toBeCloseTo(engine.toMoney(engine.equity() - cash), 4);
      expect(sum(({ today }) => today)).toBeCloseTo(engine.toMoney(engine.equity() - figures.dayEquity), 4);
      expect(Math.floor(engine.at / DAY)).toBe(Math.floor(S1_FROM / DAY) + 1);
      for (const { drawdown, drawdownMax } of cells) expect(drawdownMax).toBeGreaterThanOrEqual(drawdown);
      expect(Math.max(...cells.map(({ drawdownMax }) => drawdownMax))).toBeGreaterThan(0.01);
    });

    it('name what the gates said last, also of those that were not asked', async () => {
      const { decision } = await cellOf(PINE_DESK);
      expect(decision!.verdicts.map(({ by, kind }) => [by, kind])).toEqual(
        expect.arrayContaining([
          ['regime', 'source'],
          ['model', 'source'],
          ['funding-cost', 'gate'],
          ['gap', 'gate'],
        ]),
      );
      for (const cell of (await ask('matrix')).cells.filter((one) => one.decision !== null)) {
        const { wanted, verdicts } = cell.decision!;
        for (const { kind, verdict } of verdicts)
          if (kind === 'gate') expect(verdict === 'not-asked').toBe(wanted === null);
      }
      expect(await cellOf(IDLE)).toMatchObject({
        decision: null,
        bars: 100,
        warmUpBars: 250,
        trades: { n: 0 },
      });
    });

    it('name the model, its age and its stage', async () => {
      const { model } = await cellOf(IDLE);
      expect(model).toMatchObject({
        id: s1.modelId.slice(0, 12),
        stage: 'candidate',
        ageMs: 25 * 3_600_000,
        fault: null,
      });
      expect(registeredModels(join(s1.root, 'none'))).toEqual({ items: [], error: null });
      const { items } = registeredModels();
      expect(items.map(registeredView).map((one) => registeredModel.parse(one))).toMatchObject([
        {
          id: s1.modelId,
          name: 'S1_RX68_BTC_15M',
          stage: 'candidate',
          holds: [],
          from: 'trained',
          pruned: false,
        },
      ]);
    });

    it('know parity where the script spoke, and nowhere else', async () => {
      expect((await cellOf(PINE_DESK)).model!.parity).toMatchObject({ bars: 3 });
      expect((await cellOf('s1-rx68-btc-3m')).model!.parity).toEqual({ bars: 0, meanBp: null, maxBp: null });
    });
  });

  describe('beside the script', () => {
    it('differ by feature and by bar', async () => {
      const { items, baselines } = await ask('drift', { params: { desk: PINE_DESK } });
      expect(baselines?.use).toContain('display targets');
      const { parity, timeframe } = items[0]!;
      expect([items.length, timeframe]).toEqual([1, '1m']);
      const { times, drifts, features, meanBp, maxBp } = parity!;
      expect(times).toEqual([0, 1, 2].map((i) => s1.pineFrom + i * 60_000));
      expect(meanBp).toBeCloseTo(drifts.reduce((a, b) => a + b, 0) / 3, 9);
      expect(maxBp).toBe(Math.max(...drifts));
      const [r1, rsi] = ['r1', 'rsi14'].map((name) => features.find((one) => one.name === name)!);
      expect([r1!.bars, rsi!.bars]).toEqual([3, 3]);
      // the mean of a bar is that of the features that came with it
      expect((r1!.meanBp! + rsi!.meanBp!) / 2).toBeCloseTo(meanBp!, 9);
      expect(features.find(({ name }) => name === 'macd')).toEqual({
        name: 'macd',
        bars: 0,
        meanBp: null,
        maxBp: null,
      });
    });

    it('are not known by another name', async () => {
      await expect(ask('drift', { params: { desk: 'nobody' } })).rejects.toMatchObject({ status: 404 });
    });
  });

  describe('as metrics', () => {
    const samples = () => deskSamples(S1_PORTFOLIO, desksAnswer(s1.session, s1.session.engine.at));
    const labels = (desk: string) => {
      const { interval } = BTC.find((one) => one.desk === desk)!;
      return `{portfolio="s1",desk="${desk}",instrument="BTCUSDT.BINANCE-USDM",interval="${interval}"}`;
    };

    it('have the names and labels of the table, and no label that nobody can count', () => {
      for (const { name, labels: own } of samples())
        expect([name, Object.keys(own).sort()]).toEqual([name, [...METRICS[name].labels].sort()]);
      // four configs and five switches
      expect(samples().length).toBeLessThan(100);
    });

    it('say age, drift, band and parity of each config', async () => {
      const text = await exposition(samples(), []);
      const value = (line: string) => {
        const found = text.split('\n').find((one) => one.startsWith(`${line} `));
        return found === undefined ? undefined : Number(found.slice(line.length + 1));
      };
      for (const { desk, intervalMs, drawdownMax } of BTC) {
        expect(value(`quorum_model_age_seconds${labels(desk)}`)).toBe(90_000);
        expect(value(`quorum_model_inputs_drifted${labels(desk)}`)).toBe(0);
        expect(value(`quorum_desk_drawdown_limit_ratio${labels(desk)}`)).toBe(drawdownMax);
        expect(value(`quorum_bar_interval_seconds${labels(desk)}`)).toBe(intervalMs / 1_000);
        expect(value(`quorum_bar_age_seconds${labels(desk)}`)).toBe(0);
        expect(value(`quorum_parity_mean_bp${labels(desk)}`) === undefined).toBe(desk !== PINE_DESK);
      }
      const { model } = await cellOf(PINE_DESK);
      expect(value(`quorum_parity_max_bp${labels(PINE_DESK)}`)).toBeCloseTo(model!.parity!.maxBp!, 6);
      expect(value('quorum_kill_switch_tripped{portfolio="s1",switch="s1",kind="group"}')).toBe(0);
      expect(text).not.toContain('quorum_kill_switch_cause');
    });

    it('count ages to the time they are asked at', () => {
      const late = deskSamples(S1_PORTFOLIO, desksAnswer(s1.session, s1.session.engine.at + 14 * DAY));
      const ages = late.filter(({ name }) => name === 'quorum_model_age_seconds').map(({ value }) => value);
      expect(ages).toEqual(BTC.map(() => 90_000 + 14 * 86_400));
      const today = late.filter(({ name }) => name === 'quorum_desk_day_profit').map(({ value }) => value);
      expect(today).toEqual(BTC.map(() => 0));
    });
  });

  it('are known after a cut as if there had been none', async () => {
    const again = await s1.interrupted();
    const whole = await s1.uninterrupted();
    expect(captureState(again.books)).toEqual(captureState(whole.books));
    expect(desksAnswer(again, 0)).toEqual(desksAnswer(whole, 0));
  });

  describe('are stopped', () => {
    const names = async () =>
      (await ask('matrix')).killSwitches.filter(({ trigger }) => trigger !== null).map(({ name }) => name);

    it('by the switch of one, by that of all, and go on when a person resets them', async () => {
      const trip = { params: { name: PINE_DESK }, query: {}, body: { reason: 'looks odd' } };
      await ask('tripKillSwitch', trip);
      expect(await names()).toEqual([PINE_DESK]);
      expect((await cellOf(PINE_DESK)).killSwitches).toEqual([PINE_DESK]);
      expect((await cellOf(IDLE)).killSwitches).toEqual([]);
      await ask('tripKillSwitch', { ...trip, params: { name: 's1' } });
      expect((await cellOf(PINE_DESK)).killSwitches).toEqual(['s1', PINE_DESK]);
      expect((await cellOf(IDLE)).killSwitches).toEqual(['s1']);
      const one = (await ask('matrix')).killSwitches.find(({ name }) => name === PINE_DESK)!;
      expect(one).toMatchObject({ trigger: 'manual', text: 'ada (console): looks odd', kind: 'desk' });
      const text = await exposition(
        deskSamples(S1_PORTFOLIO, desksAnswer(s1.session, s1.session.engine.at)),
        [],
      );
      const own = `portfolio="s1",switch="${PINE_DESK}",kind="desk"`;
      expect(text).toContain(`quorum_kill_switch_tripped{${own}} 1`);
      expect(text).toContain(`quorum_kill_switch_cause{${own},trigger="manual"} 1`);
      expect(text).toContain(`quorum_kill_switch_cause{${own},trigger="drawdown"} 0`);
      for (const name of ['s1', PINE_DESK])
        await ask('resetKillSwitch', { params: { name }, query: {}, body: { reason: 'looked at it' } });
      expect(await names()).toEqual([]);
      const { resetAt } = (await ask('matrix')).killSwitches[0]!;
      expect(resetAt).toBe(s1.session.engine.at);
    });

    it.each([
      ['resetKillSwitch', 's1', 'has not tripped'],
      ['resetKillSwitch', 'nobody', 'there is no kill switch nobody'],
      ['tripKillSwitch', 'nobody', 'there is no kill switch nobody'],
    ] as const)('not by %s of %s', async (route, name, says) => {
      const asked = ask(route, { params: { name }, query: {}, body: { reason: 'r' } });
      await expect(asked).rejects.toMatchObject({ status: 409, message: expect.stringContaining(says) });
    });

    it('only with a reason, and a second confirmation', async () => {
      const { ROUTES } = await import('../../../src/apps/contract/index.ts');
      for (const id of ['tripKillSwitch', 'resetKillSwitch'] as const) {
        expect(ROUTES[id].danger).toBe(true);
        expect(ROUTES[id].body.safeParse({}).success).toBe(false);
        expect(ROUTES[id].access).toEqual({ role: 'trader', scope: 'trade' });
      }
    });
  });

  it('say so when no loop answers', async () => {
    const silent = { ...s1.context, portfolios: { ...s1.context.portfolios, ask: async () => null } };
    const alone = caller(matrixHandlers(silent as unknown as ConsoleContext));
    await expect(alone('matrix')).rejects.toMatchObject({ status: 503, mend: 'start it: quorum start' });
  });

  it('list a registry that cannot be read as one, and go on', () => {
    const broken = join(s1.root, 'broken');
    ModelRegistry.open(broken).close();
    s1.damage(join(broken, 'models.sqlite'));
    const { items, error } = registeredModels(broken);
    expect(items).toEqual([]);
    expect(error).not.toBeNull();
    expect(readFileSync(join(broken, 'models.sqlite'), 'utf8')).toBe('no database');
  });
});
