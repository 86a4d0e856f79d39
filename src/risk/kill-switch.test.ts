import { describe, expect, it } from 'vitest';
import { DAY } from '#base';
import { DeskKillSwitch, GroupKillSwitch } from './kill-switch.ts';

const AT = Date.UTC(2024, 0, 1, 12);
const RULES = { dayLossMax: 0.02, drawdownMax: 0.1, lossesInARow: 6 };
const GROUP = { dayLossMax: 0.05, staleBars: 3, staleDesks: 4, withBreaker: true };
const desk = (changes: Partial<typeof RULES> = {}) => new DeskKillSwitch('d', { ...RULES, ...changes });
const EQUITY = 10_000;

describe('a kill switch of a desk', () => {
  it.each([
    [-199.99, null],
    [-200, 'day-loss'],
    [-201, 'day-loss'],
  ])('at a day of %d of 10,000', (made, trigger) => {
    const one = desk();
    expect(one.look(0, EQUITY, EQUITY, AT)).toBeNull();
    expect(one.look(made, EQUITY, EQUITY, AT + 1)?.trigger ?? null).toBe(trigger);
  });

  it('begins each day anew', () => {
    const one = desk();
    one.look(0, EQUITY, EQUITY, AT);
    expect(one.look(-199, EQUITY, EQUITY, AT + 1)).toBeNull();
    expect(one.look(-199, EQUITY, EQUITY, AT + DAY)).toBeNull();
    expect(one.look(-398, EQUITY, EQUITY, AT + DAY + 1)).toBeNull();
    expect(one.look(-399, EQUITY, EQUITY, AT + DAY + 2)!.measured).toBeCloseTo(0.02, 12);
  });

  it.each([
    [-500, null],
    // height 10,000 + 1,000: a tenth of it is the band
    [-100, null],
    [-100.01, 'drawdown'],
  ])('at a fall to %d from a height of 1,000', (made, trigger) => {
    const one = desk({ dayLossMax: Number.POSITIVE_INFINITY });
    if (made === -500) {
      // no height before: half of the band
      expect(one.look(made, EQUITY, EQUITY, AT)).toBeNull();
      return;
    }
    one.look(1_000, EQUITY, EQUITY, AT);
    expect(one.look(made, EQUITY, EQUITY, AT)?.trigger ?? null).toBe(trigger);
  });

  it('at the sixth trade in a row without a profit, one of nothing included', () => {
    const one = desk();
    for (const net of [-1, -1, 5, -1, 0, -1, -1, -1]) expect(one.closed(net, AT)).toBeNull();
    expect(one.lossesInARow).toBe(5);
    expect(one.closed(0, AT)).toMatchObject({ trigger: 'losses', measured: 6, needed: 6 });
  });

  it('keeps the first cause until a person resets it', () => {
    const one = desk();
    const cause = one.look(-300, EQUITY, EQUITY, AT) ?? one.look(-500, EQUITY, EQUITY, AT)!;
    expect(one.trip(cause)).toBe(true);
    expect(one.trip({ ...cause, text: 'another' })).toBe(false);
    expect(one.cause!.text).toBe('loss of the day');
    one.closed(-1, AT);
    one.reset(-500, AT + 1);
    expect(one).toMatchObject({ cause: null, resetAt: AT + 1, lossesInARow: 0 });
    // what was lost before does not trip it again
    expect(one.look(-500, EQUITY, EQUITY, AT + 2)).toBeNull();
    expect(one.look(-700, EQUITY, EQUITY, AT + 3)?.trigger).toBe('day-loss');
  });

  it('does nothing where it has no rules', () => {
    const none = new DeskKillSwitch('d', { dayLossMax: null, drawdownMax: null, lossesInARow: null });
    for (let i = 0; i < 9; i++) expect(none.closed(-1, AT)).toBeNull();
    expect(none.look(-9_999, EQUITY, EQUITY, AT)).toBeNull();
  });
});

describe('a kill switch of a group', () => {
  it('trips at five in a hundred, exactly', () => {
    const one = new GroupKillSwitch('g', GROUP);
    expect(one.look(0, EQUITY, AT)).toBeNull();
    expect(one.look(-499.99, EQUITY, AT)).toBeNull();
    expect(one.look(-500, EQUITY, AT)).toMatchObject({ trigger: 'day-loss', needed: 0.05 });
  });

  it('trips at four old feeds', () => {
    const one = new GroupKillSwitch('g', GROUP);
    expect(one.feeds(['a', 'b', 'c'], AT)).toBeNull();
    expect(one.feeds(['a', 'b', 'c', 'd'], AT)).toMatchObject({ trigger: 'feed', measured: 4, needed: 4 });
    expect(
      new GroupKillSwitch('g', { ...GROUP, staleDesks: null }).feeds(['a', 'b', 'c', 'd'], AT),
    ).toBeNull();
  });
});
