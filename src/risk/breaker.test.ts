import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import { adverseSlippage, CircuitBreaker } from './breaker.ts';

const fresh = () => new CircuitBreaker();
const T = 1_700_000_000_000;
const S = 1_000;

describe('breaker table', () => {
  it.each([
    [499, 'CLOSED'],
    [500, 'ALERT'],
    [850, 'ALERT'],
    [999, 'ALERT'],
    [1000, 'THROTTLE'],
    [2000, 'THROTTLE'],
    [2999, 'THROTTLE'],
    [3000, 'HALT'],
    [1e9, 'HALT'],
  ])('latency of %d ms -> %s', (ms, state) => {
    const breaker = fresh();
    breaker.latency(ms, T);
    expect(breaker.state).toBe(state);
  });

  it('judges latency by the median of the last five calls', () => {
    const breaker = fresh();
    for (const ms of [100, 100, 5000, 5000]) breaker.latency(ms, T);
    expect(breaker.causes).toMatchObject([{ trigger: 'latency', level: 'THROTTLE', measured: 2550 }]);
    breaker.latency(5000, T); // 100 100 5000 5000 5000
    expect(breaker.state).toBe('HALT');
  });

  it('one slow call among fast ones is nothing', () => {
    const breaker = fresh();
    for (const ms of [100, 100, 9000, 100, 100, 9000, 100]) breaker.latency(ms, T);
    expect(breaker.state).toBe('CLOSED');
  });

  it('counts order failures: 2, 3, 4, 5, 10', () => {
    const breaker = fresh();
    const seen = Array.from({ length: 10 }, () => {
      breaker.orderFailed(T);
      return breaker.state;
    });
    expect(seen).toEqual([
      'CLOSED',
      'ALERT',
      'THROTTLE',
      'THROTTLE',
      'HALT',
      'HALT',
      'HALT',
      'HALT',
      'HALT',
      'SHUTDOWN',
    ]);
  });

  it('a success resets the counter, not the level', () => {
    const breaker = fresh();
    breaker.orderFailed(T);
    breaker.orderFailed(T);
    breaker.orderSucceeded(T);
    expect(breaker.state).toBe('ALERT');
    breaker.orderFailed(T);
    expect(breaker.state).toBe('ALERT');
  });

  it.each([
    [50_049, 'CLOSED'],
    [50_050, 'ALERT'],
    [50_100, 'ALERT'],
    [50_150, 'THROTTLE'],
    [50_249, 'THROTTLE'],
    [50_250, 'HALT'],
    [49_000, 'CLOSED'],
  ])('a buy expected at 50000 and filled at %d -> %s', (filled, state) => {
    const breaker = fresh();
    breaker.slippage(adverseSlippage('buy', 50_000, filled), T);
    expect(breaker.state).toBe(state);
  });

  it('a sell slips downwards', () => {
    expect(adverseSlippage('sell', 50_000, 49_900)).toBeCloseTo(0.002, 12);
    expect(adverseSlippage('sell', 50_000, 50_100)).toBeCloseTo(-0.002, 12);
  });

  it('throttles at a failure rate of 30 % over at least 5 orders in 5 minutes', () => {
    const run = (outcomes: string, stepMs: number) => {
      const breaker = fresh();
      [...outcomes].forEach((o, i) => {
        if (o === 'x') breaker.orderFailed(T + i * stepMs);
        else breaker.orderSucceeded(T + i * stepMs);
      });
      return breaker.state;
    };
    expect(run('x.x.', S)).toBe('CLOSED'); // four orders only
    expect(run('..x.x', S)).toBe('THROTTLE'); // 2 of 5
    expect(run('......x.x', S)).toBe('CLOSED'); // 2 of 9
    expect(run('x.....x..x', S)).toBe('THROTTLE'); // exactly 3 of 10
    expect(run('x.x.x.x.x', 100 * S)).toBe('CLOSED'); // three orders in any 5 minutes
  });

  it('halts at a loss of 5 % within 60 minutes and closes all', () => {
    const breaker = fresh();
    breaker.equity(10_000, T);
    breaker.equity(9_501, T + 30 * 60 * S);
    expect(breaker.state).toBe('CLOSED');
    breaker.equity(9_500, T + 60 * 60 * S);
    expect(breaker.state).toBe('HALT');
    expect(breaker.closesAll).toBe(true);
    const slow = fresh();
    slow.equity(10_000, T);
    slow.equity(9_500, T + 61 * 60 * S);
    expect(slow.state).toBe('CLOSED');
  });

  it('measures the loss from the highest equity of the window', () => {
    const breaker = fresh();
    for (let minute = 0; minute < 200; minute++) breaker.equity(10_000 + minute, T + minute * 60 * S);
    breaker.equity(10_199 * 0.951, T + 200 * 60 * S);
    expect(breaker.state).toBe('CLOSED');
    breaker.equity(10_199 * 0.95, T + 201 * 60 * S);
    expect(breaker.state).toBe('HALT');
  });

  it.each([
    ['minor', 'ALERT', false],
    ['moderate', 'THROTTLE', false],
    ['severe', 'HALT', false],
    ['critical', 'HALT', true],
  ] as const)('monitor severity %s -> %s, close all %s', (severity, state, closesAll) => {
    const breaker = fresh();
    breaker.monitor(null, T);
    expect(breaker.state).toBe('CLOSED');
    breaker.monitor(severity, T);
    expect(breaker.state).toBe(state);
    expect(breaker.closesAll).toBe(closesAll);
  });

  it('halts on an expectancy collapse without closing all', () => {
    const breaker = fresh();
    breaker.expectancyCollapse(T);
    expect(breaker.state).toBe('HALT');
    expect(breaker.closesAll).toBe(false);
    breaker.monitor('critical', T);
    expect(breaker.closesAll).toBe(true);
  });

  it.each(['corruption', 'security', 'kill-command'] as const)('%s shuts down at once', (kind) => {
    const breaker = fresh();
    breaker.critical(kind, T);
    expect(breaker.state).toBe('SHUTDOWN');
    expect(breaker.causes).toEqual([{ trigger: kind, level: 'SHUTDOWN', at: T, measured: 1 }]);
    expect(breaker.closesAll).toBe(false);
    expect(breaker.exitsAllowed()).toBe(false);
    expect(breaker.exitsAllowed(true)).toBe(true);
  });

  it('takes numbers that are not numbers for corrupt data', () => {
    for (const feed of [
      (b: CircuitBreaker) => b.equity(Number.NaN, T),
      (b: CircuitBreaker) => b.latency(Number.NaN, T),
      (b: CircuitBreaker) => b.slippage(Number.NaN, T),
    ]) {
      const breaker = fresh();
      feed(breaker);
      expect(breaker.state).toBe('SHUTDOWN');
    }
  });
});

describe('what each state allows', () => {
  const at = (state: string) => {
    const breaker = fresh();
    if (state === 'ALERT') breaker.monitor('minor', T);
    if (state === 'THROTTLE') breaker.monitor('moderate', T);
    if (state === 'HALT') breaker.monitor('severe', T);
    if (state === 'SHUTDOWN') breaker.critical('kill-command', T);
    expect(breaker.state).toBe(state);
    return breaker;
  };
  it.each([
    ['CLOSED', true, true, true, 1, true],
    ['ALERT', true, true, true, 1, true],
    ['THROTTLE', false, false, true, 0.5, true],
    ['HALT', false, false, false, 0, true],
    ['SHUTDOWN', false, false, false, 0, false],
  ])('%s', (state, low, seven, high, multiplier, exits) => {
    const breaker = at(state);
    expect([0.1, 0.7, 0.71].map((c) => breaker.allowsEntry(c))).toEqual([low, seven, high]);
    expect([0.1, 0.7, 0.71].map((c) => breaker.entryObjection(c) === null)).toEqual([low, seven, high]);
    expect(breaker.allowsEntry(Number.NaN)).toBe(false);
    expect(breaker.sizeMultiplier).toBe(multiplier);
    expect(breaker.exitsAllowed()).toBe(exits);
  });
});

describe('the way down', () => {
  it('takes 900, 300 and 60 seconds, one level each', () => {
    const breaker = fresh();
    breaker.monitor('critical', T);
    breaker.tick(T + 899 * S);
    expect(breaker.state).toBe('HALT');
    breaker.tick(T + 900 * S);
    expect([breaker.state, breaker.closesAll, breaker.since]).toEqual(['THROTTLE', false, T + 900 * S]);
    breaker.tick(T + 1199 * S);
    expect(breaker.state).toBe('THROTTLE');
    breaker.tick(T + 1200 * S);
    expect(breaker.state).toBe('ALERT');
    breaker.tick(T + 1260 * S);
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.causes).toEqual([]);
    expect(breaker.history.map((move) => `${move.from}>${move.to} ${move.why}`)).toEqual([
      'CLOSED>HALT monitor',
      'HALT>THROTTLE cool-down',
      'THROTTLE>ALERT cool-down',
      'ALERT>CLOSED cool-down',
    ]);
  });

  it('goes down one level for one tick, however late it comes', () => {
    const breaker = fresh();
    breaker.monitor('severe', T);
    breaker.tick(T + 1e9);
    expect(breaker.state).toBe('THROTTLE');
  });

  it('a trigger of the current level restarts the clock, a lower one does not', () => {
    const breaker = fresh();
    breaker.monitor('moderate', T);
    breaker.monitor('minor', T + 200 * S);
    breaker.tick(T + 300 * S);
    expect(breaker.state).toBe('ALERT');
    const again = fresh();
    again.monitor('moderate', T);
    again.monitor('moderate', T + 200 * S);
    again.tick(T + 300 * S);
    expect(again.state).toBe('THROTTLE');
    again.tick(T + 500 * S);
    expect(again.state).toBe('ALERT');
  });

  it('goes straight to the highest level and stays there for lower triggers', () => {
    const breaker = fresh();
    breaker.slippage(0.0051, T);
    expect(breaker.state).toBe('HALT');
    breaker.monitor('minor', T);
    expect(breaker.state).toBe('HALT');
  });

  it('never leaves SHUTDOWN by itself', () => {
    const breaker = fresh();
    breaker.critical('security', T);
    for (let i = 1; i < 20; i++) breaker.tick(T + i * 1e8);
    expect(breaker.state).toBe('SHUTDOWN');
  });
});

describe('recover and override', () => {
  it('a person closes it with a reason', () => {
    const breaker = fresh();
    breaker.orderFailed(T);
    breaker.orderFailed(T);
    expect(breaker.recover({ reason: ' ' }, T)).toMatchObject({ kind: 'refused' });
    expect(breaker.recover({ reason: 'venue is back' }, T + 1)).toEqual({ kind: 'ok' });
    expect(breaker.state).toBe('CLOSED');
    breaker.orderFailed(T + 2);
    expect(breaker.state).toBe('CLOSED');
  });

  it('drops the evidence: the same loss does not halt again', () => {
    const breaker = fresh();
    breaker.equity(100, T);
    breaker.equity(90, T + S);
    expect(breaker.state).toBe('HALT');
    breaker.recover({ reason: 'seen' }, T + 2 * S);
    breaker.equity(90, T + 3 * S);
    expect(breaker.state).toBe('CLOSED');
  });

  it('leaves SHUTDOWN only with the confirmation', () => {
    const breaker = fresh();
    breaker.critical('kill-command', T);
    expect(breaker.recover({ reason: 'try' }, T).kind).toBe('refused');
    expect(breaker.recover({ reason: 'try', confirm: 'restart' }, T).kind).toBe('refused');
    expect(breaker.state).toBe('SHUTDOWN');
    expect(breaker.recover({ reason: 'checked', confirm: 'RESTART' }, T).kind).toBe('ok');
    expect(breaker.state).toBe('CLOSED');
  });

  it('an override forces HALT until it is lifted', () => {
    const breaker = fresh();
    expect(breaker.override({ enabled: true, reason: '' }, T).kind).toBe('refused');
    breaker.override({ enabled: true, reason: 'maintenance' }, T);
    breaker.tick(T + 1e9);
    expect([breaker.state, breaker.closesAll, breaker.allowsEntry(1)]).toEqual(['HALT', false, false]);
    expect(breaker.recover({ reason: 'try' }, T).kind).toBe('refused');
    breaker.critical('security', T);
    expect(breaker.state).toBe('SHUTDOWN');
    const other = fresh();
    other.monitor('minor', T);
    other.override({ enabled: true, reason: 'maintenance' }, T);
    other.override({ enabled: false, reason: 'done' }, T + S);
    expect(other.state).toBe('ALERT');
  });
});

it('survives capture and restore in every part', () => {
  const original = fresh();
  original.equity(10_000, T);
  original.latency(600, T);
  original.orderFailed(T);
  original.critical('kill-command', T);
  const copy = fresh();
  restoreState(copy, JSON.parse(JSON.stringify(captureState(original))));
  expect(copy.state).toBe('SHUTDOWN');
  for (const breaker of [original, copy]) {
    breaker.recover({ reason: 'r', confirm: 'RESTART' }, T + 1);
    breaker.equity(10_000, T + 2);
    breaker.equity(9_000, T + 3);
  }
  expect(captureState(copy)).toEqual(captureState(original));
  expect(copy.history).toEqual(original.history);
});

it('keeps a bounded history', () => {
  const breaker = fresh();
  for (let i = 0; i < 1000; i++) breaker.override({ enabled: i % 2 === 0, reason: 'x' }, T + i);
  expect(breaker.history).toHaveLength(256);
});

describe('what people who watch the breaker see', () => {
  it('is what its thresholds are compared with, and looking changes nothing', () => {
    const breaker = fresh();
    const nothing = {
      latencyMs: null,
      failures: 0,
      failureRate: null,
      ordersInWindow: 0,
      slippage: null,
      loss: null,
    };
    expect(breaker.measuresAt(T)).toEqual(nothing);
    for (const ms of [10, 30, 20]) breaker.latency(ms, T);
    breaker.orderSucceeded(T - 400 * S);
    breaker.orderSucceeded(T);
    breaker.orderFailed(T);
    breaker.slippage(0.0005, T);
    breaker.equity(1_000, T);
    breaker.equity(980, T + S);
    const before = JSON.stringify(captureState(breaker));
    expect(breaker.measuresAt(T + S)).toEqual({
      latencyMs: 20,
      failures: 1,
      failureRate: 0.5,
      ordersInWindow: 2,
      slippage: 0.0005,
      loss: 0.02,
    });
    expect(JSON.stringify(captureState(breaker))).toBe(before);
    expect(breaker.thresholds.loss.share).toBe(0.05);
    expect(breaker.recover({ reason: 'seen' }, T + 2 * S)).toEqual({ kind: 'ok' });
    expect(breaker.measuresAt(T + 2 * S)).toEqual(nothing);
    expect(breaker.isOverridden).toBe(false);
    breaker.override({ enabled: true, reason: 'look' }, T + 3 * S);
    expect(breaker.isOverridden).toBe(true);
  });
});
