import { describe, expect, it } from 'vitest';
import { DAY, MINUTE } from '#base';
import { SIGMA_BREAKER, stopLossExit, takeProfitExit } from '#risk';
import { source } from '#signals';
import {
  ALFA,
  BETA,
  canceled,
  enterLong,
  guarded,
  START,
  STEP,
  submitted,
  Table,
} from '../../test/support/engine-table.ts';
import type { DeskParts, KillSwitchPart } from './desk.ts';
import { Engine } from './engine.ts';
import type { OperatorAction } from './events.ts';
import { operatorRefusal } from './operator-acts.ts';
import type { TraceLine } from './trace.ts';

const GROUP = { name: 'g', dayLossMax: 0.05, staleBars: 3, staleDesks: 2, withBreaker: true };
const SWITCH: KillSwitchPart = {
  rules: { dayLossMax: 0.02, drawdownMax: 0.1, lossesInARow: 2 },
  group: GROUP,
  flatten: false,
};
const LONG = { [ALFA.id]: 1 };

function table(
  killSwitch: Partial<KillSwitchPart> = {},
  parts: Partial<DeskParts> = {},
  changes: object = {},
) {
  const lines: TraceLine[] = [];
  const trace = { level: 'decisions' as const, line: (line: TraceLine) => void lines.push(line) };
  const made = new Table({ killSwitch: { ...SWITCH, ...killSwitch }, sizer: guarded, ...parts }, [ALFA], {
    trace,
    ...changes,
  });
  const act = (given: OperatorAction) =>
    made.step({
      kind: 'operator-acted',
      at: made.at,
      eventTime: made.at,
      by: 'ada',
      reason: 'because',
      act: given,
    });
  const why = () => made.engine.kills.states.find(({ cause }) => cause !== null)?.cause ?? null;
  return { made, lines, act, why };
}

/** A long of `quantity` units at 100 that moves to `price`. */
function held(quantity: number, killSwitch: Partial<KillSwitchPart> = {}) {
  const sizer = {
    ...guarded,
    size: () =>
      ({
        kind: 'sized',
        quantity,
        stopDistance: 50,
        targetDistance: 50,
        leverage: 2,
        riskFraction: null,
        cuts: [],
      }) as const,
  };
  const found = table(killSwitch, { sizer });
  const orders = enterLong(found.made);
  return { ...found, orders };
}

describe('a tripped kill switch', () => {
  it('is tripped by the loss of the day of its own desk, at the limit exactly', () => {
    // 2 % of 100,000 are 2,000: 200 units that fall by 10
    const { made, why } = held(200);
    made.bar(90.1);
    expect(why()).toBeNull();
    made.bar(90);
    expect(why()).toMatchObject({ trigger: 'day-loss', measured: expect.closeTo(0.02, 12) });
  });

  it('lets no entry leave, says so, and alerts once', () => {
    const { made, lines } = held(200, { group: null });
    const alerts = [...made.bar(90), ...made.bar(90)].filter(({ kind }) => kind === 'raise-alert');
    expect(alerts).toMatchObject([{ severity: 'critical', key: 'kill-switch-d' }]);
    const [exit] = made.engine.real.ledger.workingOrders();
    made.fill(exit!.request, 90);
    expect(made.lots()).toBe(0);
    expect(submitted(made.bar(90, LONG))).toEqual([]);
    expect(lines.at(-1)).toMatchObject({
      outcome: 'refused',
      objections: [{ by: 'kill-switch', measured: expect.closeTo(0.02, 9), needed: 0.02 }],
    });
  });

  it('cancels entries, leaves protection alone, and lets positions be closed', () => {
    const { made, orders } = held(200);
    const protection = orders.slice(1).map(({ clientId }) => clientId as string);
    const out = made.bar(90);
    expect(canceled(out).filter((id) => protection.includes(id))).toEqual([]);
    expect(made.engine.real.ledger.workingOrders().length).toBe(2);
    expect(submitted(out)).toEqual([]);
  });

  it('closes what is held where the desk says so', () => {
    const { made } = held(200, { flatten: true });
    expect(submitted(made.bar(90))).toMatchObject([
      { side: 'sell', reduceOnly: true, reason: 'exit:kill-switch' },
    ]);
  });

  it('cancels an entry that still works', () => {
    const { made, act } = table();
    const [entry] = submitted(made.bar(100, LONG));
    made.accept(entry!);
    expect(canceled(act({ action: 'kill', desk: 'g' }))).toContain(entry!.clientId);
  });

  it('stays until a person resets it, through days and snapshots', () => {
    const { made, act, why } = held(200);
    made.bar(90);
    made.at += 3 * DAY;
    made.bar(90);
    expect(why()).not.toBeNull();
    const again = new Engine(made.engine.definition);
    again.restore(JSON.parse(JSON.stringify(made.engine.capture())));
    expect(again.kills.states).toEqual(made.engine.kills.states);
    act({ action: 'recover', confirm: null, desk: 'd' });
    expect(why()).toBeNull();
    expect(made.engine.kills.states.find(({ name }) => name === 'd')!.resetAt).toBe(made.at);
  });
});

describe('what trips it', () => {
  it('losing trades in a row', () => {
    const { made, why } = table();
    for (let i = 0; i < 2; i++) {
      expect(why()).toBeNull();
      const [entry] = enterLong(made);
      expect(entry).toBeDefined();
      const stop = made.engine.real.ledger
        .workingOrders()
        .find(({ request }) => request.reason === 'stop-loss')!;
      made.accept(stop.request);
      made.fill(stop.request, 95);
    }
    expect(why()).toMatchObject({ trigger: 'losses', measured: 2 });
  });

  it('a fall beyond the band', () => {
    const rules = { dayLossMax: null, drawdownMax: 0.1, lossesInARow: null };
    const { made, why } = held(1_000, { rules, group: null });
    made.bar(90);
    expect(why()).toBeNull();
    made.bar(89.9);
    expect(why()).toMatchObject({ trigger: 'drawdown', needed: 0.1 });
  });

  it('what the desk watches of its sources, before that very slice enters', () => {
    const { made, why } = table({
      watch: (signals) =>
        signals.some(({ source: name }) => name === 'voice')
          ? { text: 'too old', measured: 15, needed: 14 }
          : null,
    });
    expect(submitted(made.bar(100, LONG))).toEqual([]);
    expect(why()).toMatchObject({ trigger: 'watch', text: 'too old', measured: 15, needed: 14 });
  });

  it('the breaker at HALT, for the group', () => {
    const { made, why } = table({}, { breaker: SIGMA_BREAKER });
    made.bar(100);
    made.step({
      kind: 'operator-acted',
      at: made.at,
      eventTime: made.at,
      by: 'ada',
      reason: 'x',
      act: { action: 'kill' },
    });
    expect(made.engine.breaker!.state).toBe('SHUTDOWN');
    made.bar(100);
    expect(why()).toMatchObject({ trigger: 'breaker', text: 'breaker SHUTDOWN' });
  });

  it('a person, and only such switches as there are', () => {
    const { made, act, why } = table();
    expect(operatorRefusal(made.engine, { action: 'kill', desk: 'x' })).toBe(
      'there is no kill switch x: g, d',
    );
    expect(operatorRefusal(made.engine, { action: 'recover', confirm: null, desk: 'g' })).toBe(
      'kill switch g has not tripped',
    );
    act({ action: 'kill', desk: 'g' });
    expect(why()).toMatchObject({ trigger: 'manual', text: 'ada: because' });
    expect(operatorRefusal(made.engine, { action: 'kill', desk: 'g' })).toBe(
      'kill switch g has tripped already',
    );
    expect(made.engine.running).toBe(true);
    act({ action: 'recover', confirm: null, desk: 'g' });
    expect(why()).toBeNull();
    expect(new Table().engine.kills.states).toEqual([]);
    expect(operatorRefusal(new Table().engine, { action: 'kill', desk: 'd' })).toBe(
      'there is no kill switch d',
    );
  });
});

describe('a switch that several desks share', () => {
  const two = (staleDesks = 2, rules = SWITCH.rules) => {
    const say: Record<string, number> = {};
    const voice = (name: string) =>
      source({
        name: 'voice',
        emits: 'score',
        features: {},
        signal: () =>
          say[name] ? { kind: 'score', source: 'voice', value: say[name]!, horizonMs: MINUTE } : null,
      });
    const base = new Table().engine.definition.desks[0]!;
    const deskOf = (name: string, instrument: typeof ALFA) => ({
      ...base,
      name,
      instruments: [instrument],
      parts: {
        ...base.parts,
        sources: [voice(name)],
        killSwitch: { ...SWITCH, rules, group: { ...GROUP, staleDesks } },
      },
    });
    const made = new Table({}, [ALFA, BETA], { desks: [deskOf('a', ALFA), deskOf('b', BETA)] });
    return { made, say };
  };

  it('adds up what they lose, and stops all of them, at the limit exactly', () => {
    const { made, say } = two(2, { dayLossMax: null, drawdownMax: null, lossesInARow: null });
    Object.assign(say, { a: 1, b: 1 });
    for (const order of submitted(made.bar(100))) made.fill(order, 100);
    Object.assign(say, { a: 0, b: 0 });
    // 2,500 units each, most of them by hand: a fall of 1 is 2.5 % of the equity for each
    for (const { instruments } of made.engine.desks)
      made.unasked(instruments[0]!.book, instruments[0]!.instrument, 'buy', 249_900, 1_000);
    made.bar({ [ALFA.id]: 99, [BETA.id]: 99.1 });
    expect(made.engine.kills.isTripped('g')).toBe(false);
    made.bar(99);
    expect(made.engine.kills.states.filter(({ cause }) => cause !== null)).toMatchObject([
      { name: 'g', kind: 'group', desks: ['a', 'b'], cause: { trigger: 'day-loss', needed: 0.05 } },
    ]);
    expect(['a', 'b'].map((desk) => made.engine.entryObjection(desk, 1)?.by)).toEqual([
      'kill-switch',
      'kill-switch',
    ]);
  });

  const close = (made: Table, instrument: typeof ALFA, at: number) => {
    made.at = Math.max(made.at, at);
    const time = at - STEP;
    const bar = { time, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    made.step({
      kind: 'bar-closed',
      at: made.at,
      eventTime: at,
      instrument: instrument.id,
      intervalMs: STEP,
      bar,
    });
  };
  const tick = (made: Table, at: number) => {
    made.at = at;
    made.step({ kind: 'timer-fired', at, eventTime: at });
  };
  const cause = (made: Table) => made.engine.kills.states[0]!.cause;

  it('trips when enough feeds are more than three bars old, not at three', () => {
    const { made } = two();
    close(made, ALFA, START + STEP);
    close(made, BETA, START + STEP);
    const old = START + STEP + 3 * STEP;
    expect(made.engine.nextDue()).toBe(old + 1);
    tick(made, old);
    expect(cause(made)).toBeNull();
    tick(made, old + 1);
    expect(cause(made)).toMatchObject({ trigger: 'feed', measured: 2, needed: 2 });
    expect(made.engine.nextDue()).toBe(Infinity);
  });

  it('does not trip by one feed alone', () => {
    const { made } = two();
    close(made, ALFA, START + STEP);
    close(made, BETA, START + STEP);
    for (let k = 2; k < 9; k++) close(made, BETA, START + k * STEP);
    expect(cause(made)).toBeNull();
  });

  it('does not hold against a feed what it could not bring while the program stood still', () => {
    const { made } = two();
    close(made, ALFA, START + STEP);
    close(made, BETA, START + STEP);
    const at = START + DAY;
    made.step({ kind: 'run-resumed', at, eventTime: at });
    tick(made, at + 3 * STEP);
    expect(cause(made)).toBeNull();
    tick(made, at + 3 * STEP + 1);
    expect(cause(made)).toMatchObject({ trigger: 'feed' });
  });

  it('is refused where desks state other rules for it', () => {
    const base = new Table().engine.definition.desks[0]!;
    const deskOf = (name: string, dayLossMax: number) => ({
      ...base,
      name,
      parts: { ...base.parts, killSwitch: { ...SWITCH, group: { ...GROUP, dayLossMax } } },
    });
    const make = (a: number, b: number) => () =>
      new Table({}, [ALFA], { desks: [deskOf('a', a), deskOf('b', b)] });
    expect(make(0.05, 0.05)).not.toThrow();
    expect(make(0.05, 0.04)).toThrow('other rules');
  });
});

describe('facts of another version', () => {
  it('keep a switch tripped and reset as people did', () => {
    const { made, act } = table();
    const engine = new Engine(made.engine.definition);
    const fact = (given: OperatorAction, at: number) =>
      engine.fact({ kind: 'operator-acted', at, eventTime: at, by: 'ada', reason: 'r', act: given });
    act({ action: 'kill', desk: 'd' });
    fact({ action: 'kill', desk: 'd' }, START);
    expect(engine.kills.isTripped('d')).toBe(true);
    expect(engine.running).toBe(true);
    fact({ action: 'recover', confirm: null, desk: 'd' }, START + 1);
    expect(engine.kills.isTripped('d')).toBe(false);
  });
});

describe('stops that are drawn in', () => {
  /** Says `share` of the stop whatever else it says. */
  const drawing = (share: { now: number | null }) =>
    table({}, { stopShare: () => share.now, exits: [stopLossExit(), takeProfitExit()] });

  it('move to half of their distance, once, and never away again', () => {
    const share: { now: number | null } = { now: null };
    const { made } = drawing(share);
    const [entry, stop, target] = submitted(made.bar(100, LONG));
    for (const order of [entry!, stop!, target!]) made.accept(order);
    made.fill(entry!, 100);
    expect(stop!.triggerTicks).toBe(950);
    share.now = 0.5;
    const [amended, ...more] = made.bar(100, LONG).filter(({ kind }) => kind === 'amend-order');
    expect(amended).toMatchObject({ clientId: stop!.clientId, triggerTicks: 975, limitTicks: null });
    expect(more).toEqual([]);
    expect(made.engine.real.held.values().next().value).toMatchObject({ stopPrice: 97.5, stopShare: 0.5 });
    // asked again only once it was answered
    expect(made.bar(100, LONG).filter(({ kind }) => kind === 'amend-order')).toEqual([]);
    made.step({
      kind: 'amend-rejected',
      at: made.at,
      eventTime: made.at,
      clientId: stop!.clientId,
      reason: 'busy',
    });
    expect(made.bar(100, LONG).filter(({ kind }) => kind === 'amend-order')).toHaveLength(1);
    const { lots } = stop!;
    made.step({
      kind: 'order-amended',
      at: made.at,
      eventTime: made.at,
      clientId: stop!.clientId,
      lots,
      limitTicks: null,
      triggerTicks: 975,
    });
    share.now = 0.8;
    expect(made.bar(100, LONG).filter(({ kind }) => kind === 'amend-order')).toEqual([]);
    expect(made.engine.real.held.values().next().value).toMatchObject({ stopPrice: 97.5 });
  });

  it('close what has passed them already', () => {
    const share: { now: number | null } = { now: null };
    const { made } = drawing(share);
    enterLong(made);
    share.now = 0.5;
    expect(submitted(made.bar(97.5, LONG))).toMatchObject([{ side: 'sell', reason: 'exit:stop-drawn-in' }]);
  });

  it('leave alone what a share of one or nothing asks for', () => {
    const share: { now: number | null } = { now: 1 };
    const { made } = drawing(share);
    enterLong(made);
    expect(made.bar(96, LONG).filter(({ kind }) => kind === 'amend-order')).toEqual([]);
    share.now = Number.NaN;
    expect(made.bar(96, LONG).filter(({ kind }) => kind === 'amend-order')).toEqual([]);
  });
});
