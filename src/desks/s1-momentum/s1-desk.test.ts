import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '#base';
import { type DeskResources, type DeskSetup, Engine, NO_RESOURCES, type TraceLine } from '#engine';
import { venueOptions } from '#execution';
import { scalerHash } from '#features';
import type { OrderRequest } from '#ledger';
import { currency, type InstrumentId, instrumentFor } from '#market';
import { type ModelArtefact, newsObservationText, type Signal } from '#signals';
import { plainScaler, s1Model, steadyModel } from '../../../test/support/s1-model.ts';
import { S1_CONFIGS, s1Config, s1Instrument } from './s1-configs.ts';
import { s1Momentum } from './s1-desk.ts';
import { s1Parameters } from './s1-parameters.ts';

const BTC = instrumentFor(s1Instrument('BTC') as InstrumentId);
const START = Date.UTC(2024, 0, 10);
const BAR = 15 * MINUTE;
const WARM = 250;

const having = (artefact: ModelArtefact | null): DeskResources =>
  artefact === null ? NO_RESOURCES : { model: () => ({ id: 'a'.repeat(64), artefact }) };

const partsOf = (given: object, artefact: ModelArtefact | null = null) =>
  s1Momentum.build(s1Parameters.parse(given), having(artefact));

describe('the sixteen', () => {
  it('are four symbols by four lengths, with the numbers of the sheet', () => {
    expect(S1_CONFIGS.map(({ id }) => id)).toEqual(
      ['BTC', 'ETH', 'SOL', 'XRP'].flatMap((s) => ['1M', '3M', '5M', '15M'].map((t) => `S1_RX68_${s}_${t}`)),
    );
    const of = (timeframe: '1M' | '3M' | '5M' | '15M') => s1Config('BTC', timeframe);
    const table = (['1M', '3M', '5M', '15M'] as const).map(of);
    expect(table.map(({ scoreMin }) => scoreMin)).toEqual([0.65, 0.62, 0.6, 0.58]);
    expect(table.map(({ barrierBars }) => barrierBars)).toEqual([30, 20, 18, 12]);
    expect(table.map(({ drawdownMax }) => drawdownMax)).toEqual([0.1, 0.12, 0.15, 0.2]);
    expect(table.map(({ trainDays }) => trainDays)).toEqual([14, 30, 30, 30]);
    expect(of('15M')).toMatchObject({ desk: 's1-rx68-btc-15m', stream: 's1.rx68.btc.15m', interval: '15m' });
  });

  it('come from one line of a configuration, or those that it narrows down to', () => {
    const names = (given: Record<string, unknown>) => s1Momentum.expand!(given).map(({ name }) => name);
    expect(names({})).toEqual(S1_CONFIGS.map(({ desk }) => desk));
    expect(names({ symbol: 'eth' })).toHaveLength(4);
    expect(names({ timeframe: '15m' })).toHaveLength(4);
    expect(names({ symbol: 'BTC', timeframe: '15M', news: true })).toEqual(['s1-rx68-btc-15m']);
    expect(names({ symbol: 'DOGE' })).toEqual([]);
    for (const { name, parameters } of s1Momentum.expand!({ news: true })) {
      expect(s1Momentum.expand!(parameters)).toEqual([{ name, parameters }]);
      expect(s1Parameters.parse(s1Parameters.parse(parameters))).toEqual(s1Parameters.parse(parameters));
    }
  });

  it('trade their own instrument, and watch the others where the leader is asked', () => {
    expect(partsOf({ symbol: 'BTC' })).toMatchObject({ instruments: [BTC.id], watches: [], warmUpBars: 250 });
    expect(partsOf({ symbol: 'sol' })).toMatchObject({
      instruments: ['SOLUSDT.BINANCE-USDM'],
      watches: ['BTCUSDT.BINANCE-USDM', 'ETHUSDT.BINANCE-USDM', 'XRPUSDT.BINANCE-USDM'],
      warmUpBars: 520,
    });
    expect(partsOf({ instruments: { BTC: 'BTCUSDC.EDGEX' } }).instruments).toEqual(['BTCUSDC.EDGEX']);
  });

  it('say on every report what they lack', () => {
    expect(partsOf({}).stamps).toEqual(['no sentiment gate', 'no model']);
    expect(partsOf({ news: true }, steadyModel(0.1, 0.3, 0.6)).stamps).toEqual([]);
  });

  it('pay what edgeX asks on paper', () => {
    expect(partsOf({}).simulation).toMatchObject({ feeBps: 3.8, makerFeeBps: 1.2 });
  });

  it('refuse parameters that nobody knows', () => {
    expect(s1Parameters.safeParse({ symbol: 'DOGE' }).success).toBe(false);
    expect(s1Parameters.safeParse({ timeframe: '7M' }).success).toBe(false);
    expect(s1Parameters.safeParse({ instruments: { DOGE: 'X.Y' } }).success).toBe(false);
    expect(s1Parameters.safeParse({ colour: 1 }).success).toBe(false);
  });
});

/** One config at work; the market rises by itself, so that the regime is bull. */
class World {
  readonly engine: Engine;
  readonly lines: TraceLine[] = [];
  private i = 0;
  private price = 60_000;

  constructor(given: object, artefact: ModelArtefact | null) {
    const parts = { ...partsOf({ symbol: 'BTC', timeframe: '15M', ...given }, artefact) };
    const desk: DeskSetup = {
      name: 's1-rx68-btc-15m',
      configuration: 'default',
      parts,
      instruments: [BTC],
      intervalMs: BAR,
      otherMs: [],
    };
    const { instrumentOf: _, seed: __, ...shadowVenue } = venueOptions({ instrumentOf: () => BTC });
    this.engine = new Engine({
      name: 'p',
      base: currency('USDT'),
      baseMinorScale: BTC.minorScale,
      cash: 10_000 * 10 ** BTC.minorScale,
      desks: [desk],
      feedMs: () => BAR,
      breaker: parts.breaker ?? null,
      platform: null,
      running: true,
      feeRate: null,
      shadowVenue,
      trace: { level: 'all', line: (line) => void this.lines.push(line) },
    });
  }

  /** When the next bar ends. */
  get next(): number {
    return START + (this.i + 1) * BAR;
  }

  /** A bar; `skip` leaves so many out before it. */
  bar(options: { skip?: number; lateMs?: number; step?: number } = {}): OrderRequest[] {
    this.i += options.skip ?? 0;
    const time = START + this.i * BAR;
    this.i += 1;
    const open = this.price;
    const wave = Math.sin(this.i) * 0.0002;
    this.price *= Math.exp(options.step ?? 0.0004 + wave);
    const close = this.price;
    const bar = {
      time,
      open,
      high: Math.max(open, close) + 150,
      low: Math.min(open, close) - 150,
      close,
      volume: 1e6,
    };
    const commands = this.engine.step({
      kind: 'bar-closed',
      at: time + BAR + (options.lateMs ?? 0),
      eventTime: time + BAR,
      instrument: BTC.id,
      intervalMs: BAR,
      bar,
    });
    return commands.flatMap((command) => (command.kind === 'submit-order' ? [command.order] : []));
  }

  warmUp(bars = WARM - 1): this {
    for (let i = 0; i < bars; i++) expect(this.bar()).toEqual([]);
    return this;
  }

  publish(subject: string, value: string, at = this.next - 1): void {
    this.engine.step({
      kind: 'observation-published',
      at,
      eventTime: at,
      source: 'test',
      subject,
      value,
      publishedAt: at,
    });
  }

  funding(rate: number, time: number): void {
    this.engine.step({
      kind: 'funding-due',
      at: time,
      eventTime: time,
      instrument: BTC.id,
      rate,
      mark: null,
    });
  }

  /** Who objected first to the newest decision. */
  get why(): string | null {
    const last = this.lines.findLast((line) => line.type === 'decision');
    return last?.objections[0] === undefined
      ? null
      : `${last.objections[0].by}: ${last.objections[0].reason}`;
  }
}

/** Made before the bars begin, and a day old when the first trade can be. */
const trained = (daysBefore: number, artefact: ModelArtefact): ModelArtefact => ({
  ...artefact,
  training: { ...artefact.training, to: START + WARM * BAR - daysBefore * DAY },
});
const GOOD = trained(3, steadyModel(0.1, 0.1, 0.8));
const news = (at: number, score: number, articles = 6) =>
  newsObservationText({
    fetchedAt: at,
    scorer: 'finbert',
    articles: Array.from({ length: articles }, (_, i) => [score, at - i * MINUTE] as const),
  });

describe('one config', () => {
  it('enters when all gates agree, and not before 250 bars', () => {
    const world = new World({}, GOOD).warmUp();
    const [entry, stop, target] = world.bar();
    expect(entry).toMatchObject({ side: 'buy', type: 'market', reduceOnly: false, leverage: 5 });
    expect(stop).toMatchObject({ reason: 'stop-loss', side: 'sell' });
    expect(target).toMatchObject({ reason: 'take-profit', side: 'sell' });
    const { expectedTicks } = entry!;
    const risk = expectedTicks! - stop!.triggerTicks!;
    expect((target!.triggerTicks! - expectedTicks!) / risk).toBeCloseTo(1.5, 2);
  });

  it('goes short where momentum falls and the model agrees', () => {
    const world = new World({}, trained(3, steadyModel(0.8, 0.1, 0.1)));
    for (let i = 0; i < WARM - 1; i++) world.bar({ step: -0.0004 + Math.sin(i) * 0.0002 });
    expect(world.bar({ step: -0.0005 })[0]).toMatchObject({ side: 'sell', reduceOnly: false });
  });

  const silent = (
    given: object,
    artefact: ModelArtefact | null,
    before: (world: World) => void = () => {},
  ) => {
    const world = new World(given, artefact).warmUp();
    before(world);
    expect(world.bar()).toEqual([]);
    return world.why;
  };

  it.each<[string, object, ModelArtefact | null, string]>([
    ['there is no model', {}, null, 'model: there is no model'],
    ['the scaler has another hash', {}, { ...GOOD, scaler: { ...plainScaler(), hash: '0' } }, 'hash'],
    [
      'the model is not sure',
      {},
      trained(3, steadyModel(0.1, 0.36, 0.54)),
      'model: the model is not sure enough',
    ],
    [
      'the model states a stricter threshold',
      {},
      { ...GOOD, threshold: { probabilityMin: 0.9, leadMin: 0.1 } },
      'not sure',
    ],
    ['the model was made later', {}, trained(-1, GOOD), 'later bars'],
    ['the score is too low', { scoreMin: 0.99 }, GOOD, 'learned-gates: score is too low'],
    ['the regime is flat', { tMin: 99 }, GOOD, 'regime: gives no direction'],
    ['news are expected and none have come', { news: true }, GOOD, 'news: kill switch: news absent'],
  ])('holds while %s', (_, given, artefact, why) => {
    expect(silent(given, artefact)).toContain(why);
  });

  it.each<[string, number, object, string | null]>([
    ['at -0.30', -0.3, {}, 'news: kill switch'],
    ['above -0.30', -0.299, {}, null],
    ['at -0.30 for longs alone', -0.3, { killDirections: 'long' }, 'news: kill switch'],
  ])('with news %s', (_, score, given, why) => {
    const world = new World({ news: true, ...given }, GOOD).warmUp();
    world.publish('news:BTC', news(world.next - MINUTE, score));
    const orders = world.bar();
    if (why === null) expect(orders.length).toBeGreaterThan(0);
    else expect(world.why).toContain(why);
  });

  it('lets news be six hours old and not older, and few of them pass', () => {
    const at = (ageMs: number, articles: number) => {
      const world = new World({ news: true }, GOOD).warmUp();
      world.publish('news:BTC', news(world.next - ageMs, 0.1, articles));
      return world.bar().length > 0 ? 'enters' : world.why;
    };
    expect(at(6 * HOUR, 6)).toBe('enters');
    expect(at(6 * HOUR + 1, 6)).toContain('news stale');
    expect(at(HOUR, 4)).toBe('enters');
  });

  it('holds on old funding, and where funding eats more than a fifth of the target', () => {
    const world = (rate: number, age: number) => {
      const made = new World({}, GOOD);
      for (let i = 0; i < WARM - 1; i++) {
        if (made.next - BAR === START + (WARM - 1) * BAR + BAR - age) made.funding(rate, made.next - BAR);
        made.bar();
      }
      return made;
    };
    // due at bar 249's beginning: 15 minutes old at the decision
    const recent = world(0.0001, 2 * BAR);
    expect(recent.bar().length).toBeGreaterThan(0);
    const old = world(0.0001, 17 * HOUR);
    expect(old.bar()).toEqual([]);
    expect(old.why).toBe('funding-cost: funding is old');
    const due = world(0.01, 7 * HOUR);
    expect(due.bar()).toEqual([]);
    expect(due.why).toBe('funding-cost: funding would eat too much of the target');
  });

  it('holds while a gap lies among the last 250 bars', () => {
    const world = new World({}, GOOD).warmUp(WARM - 10);
    world.bar({ skip: 1 });
    for (let i = 0; i < 9; i++) world.bar();
    expect(world.bar()).toEqual([]);
    expect(world.why).toBe('gap: bars are missing among the last 250');
    for (let i = 0; i < WARM - 12; i++) expect(world.bar()).toEqual([]);
    expect(world.bar().length).toBeGreaterThan(0);
  });

  it('holds on a bar that comes more than one bar late', () => {
    const late = new World({}, GOOD).warmUp();
    expect(late.bar({ lateMs: BAR + 1 })).toEqual([]);
    const inTime = new World({}, GOOD).warmUp();
    expect(inTime.bar({ lateMs: BAR }).length).toBeGreaterThan(0);
  });

  it('stops itself when its model is older than fourteen days, until a person has looked', () => {
    const world = new World({}, trained(14, GOOD)).warmUp();
    expect(world.bar().length).toBeGreaterThan(0);
    const old = new World(
      {},
      { ...GOOD, training: { ...GOOD.training, to: START + WARM * BAR - 14 * DAY - 1 } },
    ).warmUp();
    expect(old.bar()).toEqual([]);
    expect(old.why).toContain('kill-switch: kill switch s1-rx68-btc-15m: the model is too old');
  });

  it('stops itself when what the model reads has drifted', () => {
    const { features, mean, std } = plainScaler();
    const narrow = { features, mean, std: std.map((s, k) => (k === 0 ? 1e-9 : s)) };
    const artefact = s1Model({ down: 0, none: 0, up: 3 });
    const world = new World(
      {},
      trained(3, { ...artefact, scaler: { ...narrow, hash: scalerHash(narrow) } }),
    ).warmUp();
    for (let i = 0; i < 11; i++) world.bar();
    expect(world.engine.kills.states.at(-1)).toMatchObject({
      name: 's1-rx68-btc-15m',
      cause: { trigger: 'watch' },
    });
  });

  it('stops itself when a chart script sees other features', () => {
    const world = new World({}, GOOD).warmUp();
    world.publish('pine:S1_RX68_BTC_15M', `{"time":${world.next - BAR},"values":{"rsi14":1}}`);
    expect(world.bar()).toEqual([]);
    expect(world.engine.kills.states.at(-1)!.cause).toMatchObject({
      text: 'features differ from the chart script',
      needed: 1,
    });
  });

  it('knows the sixteen as one group', () => {
    const { killSwitch } = partsOf({});
    expect(killSwitch).toMatchObject({
      rules: { dayLossMax: 0.02, drawdownMax: 0.2, lossesInARow: 6 },
      group: { name: 's1', dayLossMax: 0.05, staleBars: 3, staleDesks: 4, withBreaker: true },
      flatten: false,
    });
  });

  it('closes by time at its barrier, and on an opposite signal before it turns', () => {
    const { exits, opposite } = partsOf({ timeframe: '5M' });
    expect(opposite).toBe('close');
    const time = exits!.find(({ name }) => name === 'time')!;
    const at = (ms: number) =>
      time.check({ at: START + ms, position: { entryRegime: null, openedAt: START } } as never, {});
    // at the close of its eighteenth bar, wherever in the first one it was filled
    expect(at(17 * 5 * MINUTE)).toBeNull();
    expect(at(18 * 5 * MINUTE - 2 * MINUTE)).toMatchObject({ exit: 'time' });
    expect(at(18 * 5 * MINUTE)).toMatchObject({ exit: 'time' });
  });

  it('draws stops in to half at -0.60, and does not above', () => {
    const { stopShare, sources } = partsOf({ news: true });
    const asked = (score: number) => {
      const part = sources.find(({ name }) => name === 'news') as never as {
        signal: (view: object, values: object, state: null) => Signal;
      };
      const value = news(START, score);
      return stopShare!([
        part.signal({ at: START, observation: () => ({ value, publishedAt: START }) }, {}, null),
      ]);
    };
    expect(asked(-0.6)).toBe(0.5);
    expect(asked(-0.599)).toBeNull();
    expect(stopShare!([])).toBeNull();
  });
});
