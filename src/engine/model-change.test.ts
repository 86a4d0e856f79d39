import { describe, expect, it } from 'vitest';
import { weightedSum } from '#ensemble';
import { computeFeatures } from '#features';
import { appendBar, barColumns } from '#market';
import { stopLossExit, takeProfitExit } from '#risk';
import { remoteSource, source } from '#signals';
import {
  ALFA,
  BETA,
  enterLong,
  guarded,
  START,
  STEP,
  submitted,
  Table,
} from '../../test/support/engine-table.ts';
import type { DeskParts } from './desk.ts';
import { Engine } from './engine.ts';
import type { OperatorAction } from './events.ts';
import { operatorRefusal } from './operator-acts.ts';
import type { ModelsInPlace } from './portfolio.ts';
import type { TraceLine } from './trace.ts';

const REFERENCE = 'MINE@paper';
const OLD = 'a'.repeat(64);
const NEW = 'b'.repeat(64);
const act = (id: string | null, more: object = {}): Extract<OperatorAction, { action: 'model' }> => ({
  action: 'model',
  desk: 'd',
  reference: REFERENCE,
  id,
  ...more,
});

/** Says `value` of everything; reads an average of so many bars. */
const speaker = (value: number, length: number) =>
  source({
    name: 'model',
    emits: 'score',
    features: { mean: `ema:${length}` },
    state: () => ({ asked: 0 }),
    signal: (_, __, memory) => {
      memory.asked += 1;
      return value === 0 ? null : { kind: 'score', source: 'model', value, horizonMs: STEP };
    },
  });

const OLDER: Partial<DeskParts> = { sources: [speaker(0, 3)], warmUpBars: 5 };
const NEWER: Partial<DeskParts> = { sources: [speaker(1, 4)], warmUpBars: 5 };

/** A desk `d` that asks for one model; what each id makes of its parts. */
function asking(by: Readonly<Record<string, Partial<DeskParts>>>, rest: Partial<DeskParts> = {}) {
  const lines: TraceLine[] = [];
  const built: (string | null)[] = [];
  const of = (id: string | null): DeskParts => {
    const plain = new Table({ ...rest, ...by[String(id)] }, [ALFA, BETA]);
    return plain.engine.definition.desks[0]!.parts;
  };
  const definition = new Table({}, [ALFA, BETA]).engine.definition;
  const models = {
    begun: { [REFERENCE]: OLD },
    build: (wanted: ModelsInPlace) => {
      const id = wanted[REFERENCE]!;
      built.push(id);
      if (id !== null && by[id] === undefined) throw new Error(`${id} is nowhere`);
      return { parts: of(id), hash: `hash of ${id}` };
    },
  };
  const desks = [{ ...definition.desks[0]!, parts: of(OLD), models }];
  const trace = { level: 'decisions' as const, line: (line: TraceLine) => void lines.push(line) };
  const table = new Table({}, [ALFA, BETA], { desks, trace });
  const operate = (given: OperatorAction) =>
    table.step({
      kind: 'operator-acted',
      at: table.at,
      eventTime: table.at,
      by: 'model registry',
      reason: 'promoted by ada',
      act: given,
    });
  return { table, lines, operate, built };
}

const EMPTY = { [OLD]: OLDER, [NEW]: NEWER };

describe('another model', () => {
  it('decides from the next bar on, with features of the bars that were', () => {
    const { table, operate, lines } = asking(EMPTY);
    const told: unknown[] = [];
    table.engine.observer = {
      modelsChanged: (desk, hash, at) => told.push([desk.name, desk.models, hash, at]),
    };
    for (let i = 0; i < 20; i++) expect(table.bar(100 + i)).toEqual([]);
    const { at } = table;
    expect(operate(act(NEW))).toEqual([]);
    expect(told).toEqual([['d', { [REFERENCE]: NEW }, `hash of ${NEW}`, at]]);
    expect(lines.at(-1)).toMatchObject({
      type: 'operator',
      desk: 'd',
      text: `model MINE@paper of d: ${NEW.slice(0, 12)} by model registry: promoted by ada`,
    });
    const [desk] = table.engine.desks;
    expect(desk).toMatchObject({ models: { [REFERENCE]: NEW }, modelsAt: at });
    const [alfa] = desk!.instruments;
    const bars = barColumns(5);
    for (let i = 15; i < 20; i++) {
      const price = 100 + i;
      appendBar(bars, {
        time: START + i * STEP,
        open: price,
        high: price,
        low: price,
        close: price,
        volume: 100,
      });
    }
    expect(alfa!.frame.count).toBe(5);
    const [mean] = [...computeFeatures(bars, ['ema:4']).values()];
    expect(alfa!.frame.latest[0]).toBe(mean!.at(-1));
    expect(mean!.at(-1)).toBeGreaterThan(116);
    expect(submitted(table.bar(120)).map(({ side }) => side)).toEqual(['buy', 'buy']);
  });

  it('goes on warming up where the first warm-up was not over', () => {
    const { table, operate } = asking(EMPTY);
    for (let i = 0; i < 2; i++) table.bar(100);
    operate(act(NEW));
    expect(table.engine.desks[0]!.instruments[0]!.count).toBe(2);
    expect([table.bar(100), table.bar(100)]).toEqual([[], []]);
    expect(submitted(table.bar(100))).toHaveLength(2);
  });

  it('finds a warm-up longer than what frames keep by themselves', () => {
    const long = { [OLD]: { ...OLDER, warmUpBars: 1_500 }, [NEW]: { ...NEWER, warmUpBars: 1_500 } };
    const { table, operate } = asking(long);
    for (let i = 0; i < 3_005; i++) table.bar(100 + Math.sin(i));
    operate(act(NEW));
    expect(table.engine.desks[0]!.instruments[0]!.count).toBe(1_500);
    expect(submitted(table.bar(100))).toHaveLength(2);
  });

  it('leaves positions, orders, the record and operators where they are', () => {
    const rest = { sizer: guarded, exits: [stopLossExit(), takeProfitExit()] };
    const { table, operate } = asking(
      { [OLD]: { sources: [speaker(1, 3)] }, [NEW]: NEWER, null: OLDER },
      rest,
    );
    const orders = submitted(table.bar({ [ALFA.id]: 100, [BETA.id]: 100 }));
    for (const order of orders) table.accept(order);
    table.fill(orders[0]!, 100);
    operate({ action: 'stop', desk: 'd' });
    const kept = () => {
      const { real } = table.engine;
      const working = real.ledger
        .workingOrders()
        .map(({ request, triggerTicks }) => [request.clientId, triggerTicks]);
      return [[...real.held.values()], working, table.lots(), [...table.engine.desksStopped]];
    };
    const before = JSON.stringify(kept());
    expect(operate(act(NEW))).toEqual([]);
    expect(operate(act(null))).toEqual([]);
    expect(JSON.stringify(kept())).toBe(before);
    // the stop of the entry still closes what is held
    const [, stop] = orders;
    table.fill(stop!, 95);
    expect(table.lots()).toBe(0);
    expect(table.engine.counts.trades).toBe(1);
  });

  it('may be none: the desk holds, and takes the next one', () => {
    const { table, operate } = asking({ [OLD]: { sources: [speaker(1, 3)] }, [NEW]: NEWER, null: OLDER });
    operate(act(null));
    expect(table.engine.desks[0]!.models).toEqual({ [REFERENCE]: null });
    for (let i = 0; i < 6; i++) expect(table.bar(100)).toEqual([]);
    operate(act(NEW));
    expect(submitted(table.bar(100))).toHaveLength(2);
  });

  it('closes a vote that is open by the parts that asked', () => {
    const outside = remoteSource({
      name: 'outside',
      emits: 'score',
      features: {},
      timeoutMs: 60_000,
      ask: () => ({ topic: 'score', prompt: 1 }),
      read: () => null,
    });
    const pooling = weightedSum({ weights: { model: 1, outside: 0 }, enterFrom: 0.5 });
    const { table, operate } = asking({
      [OLD]: { sources: [speaker(1, 3), outside], pooling },
      [NEW]: { sources: [speaker(0, 8), outside], pooling },
    });
    const asked = table.bar(100);
    expect(asked.map(({ kind }) => kind)).toEqual(['ask-question', 'ask-question']);
    expect(submitted(operate(act(NEW)))).toHaveLength(2);
    const [question] = asked;
    const questionId = question!.kind === 'ask-question' ? question!.questionId : '';
    const { at } = table;
    expect(
      table.step({ kind: 'answer-received', at, eventTime: at, questionId, answer: 1, error: null }),
    ).toEqual([]);
  });

  it('may bring limits of its own', () => {
    const never = {
      name: 'never',
      check: () => ({ kind: 'refuse', objection: { by: 'never', reason: 'no' } }),
    };
    const { table, operate } = asking({
      [OLD]: { sources: [speaker(1, 3)] },
      [NEW]: { sources: [speaker(1, 8)], limits: [never as never] },
    });
    operate(act(NEW));
    expect(submitted(table.bar(100))).toEqual([]);
    expect(table.engine.counts.refusalsByLimit.get('never')).toBe(2);
  });
});

describe('a model that a desk does not take', () => {
  const refusal = (given: OperatorAction, by: Parameters<typeof asking>[0] = EMPTY) =>
    operatorRefusal(asking(by).table.engine, given);

  it.each<[string, OperatorAction, string]>([
    ['of a desk that nobody knows', act(NEW, { desk: 'x' }), 'there is no desk x: d'],
    [
      'of a reference that it does not ask for',
      act(NEW, { reference: 'OTHER@paper' }),
      'desk d does not ask for OTHER@paper: MINE@paper',
    ],
    ['that it has', act(OLD), `MINE@paper of d is ${OLD.slice(0, 12)} already`],
  ])('%s', (_, given, words) => expect(refusal(given)).toBe(words));

  it('of a desk that asks for none', () => {
    expect(operatorRefusal(new Table().engine, act(NEW))).toBe('desk d asks for no models');
  });

  it.each<[keyof DeskParts, Partial<DeskParts>]>([
    ['interval', { interval: '15m' }],
    ['otherIntervals', { otherIntervals: ['1h'] }],
    ['instruments', { instruments: ['GAMMA.X'] }],
    ['watches', { watches: ['GAMMA.X'] }],
    ['graceMs', { graceMs: 1 }],
    ['simulation', { simulation: { feeBps: 1 } }],
    [
      'killSwitch',
      {
        killSwitch: {
          rules: { dayLossMax: 0.5, drawdownMax: 0.5, lossesInARow: 3 },
          group: null,
          flatten: false,
        },
      },
    ],
    ['entry', { entry: { type: 'limit', offsetRate: 0, bars: 1, postOnly: true } }],
  ])('that changes %s', (name, parts) => {
    expect(refusal(act(NEW), { [OLD]: OLDER, [NEW]: { ...NEWER, ...parts } })).toBe(
      `the model changes what d rests on (${name}): it needs a run of its own`,
    );
  });

  it('and that cannot be had is nothing the engine decides about', () => {
    expect(() => refusal(act('c'.repeat(64)))).toThrow('is nowhere');
  });

  it('is told to people with the reason, and the one it has goes on', () => {
    const { table, operate, built } = asking(EMPTY);
    const out = operate(act(NEW, { fault: 'the file is damaged' }));
    expect(out).toEqual([
      {
        kind: 'raise-alert',
        severity: 'warning',
        key: 'model-d',
        text: `d keeps the model ${OLD.slice(0, 12)} for MINE@paper: the file is damaged`,
      },
    ]);
    expect(built).toEqual([]);
    expect(table.engine.desks[0]).toMatchObject({ models: { [REFERENCE]: OLD }, modelsAt: null });
  });

  it('leaves no trace in the state', () => {
    const { table, operate } = asking(EMPTY);
    for (let i = 0; i < 8; i++) table.bar(100 + i);
    const before = JSON.stringify(table.engine.capture());
    operate(act(NEW, { reference: 'OTHER@paper' }));
    expect(JSON.stringify(table.engine.capture())).toBe(before);
  });
});

describe('a snapshot', () => {
  it('of a desk with another model is restored into one that began with the first', () => {
    const { table, operate } = asking(EMPTY);
    for (let i = 0; i < 12; i++) table.bar(100 + i);
    operate(act(NEW));
    enterLong(table);
    const text = JSON.stringify(table.engine.capture());
    const warm = new Engine(table.engine.definition);
    warm.restore(JSON.parse(text));
    expect(JSON.stringify(warm.capture())).toBe(text);
    expect(warm.desks[0]!.parts.sources).not.toBe(warm.definition.desks[0]!.parts.sources);
  });
});
