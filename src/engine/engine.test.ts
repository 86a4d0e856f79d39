import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '#base';
import { single } from '#ensemble';
import { venueOptions } from '#execution';
import type { ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import { currency, defineInstrument, type Instrument } from '#market';
import {
  correlatedGroupLimit,
  fixedUnits,
  SIGMA_BREAKER,
  type Sizer,
  safetyLayers,
  sigmaSizer,
  stopLossExit,
  timeExit,
  trailingExit,
} from '#risk';
import { source } from '#signals';
import { tally } from './counts.ts';
import type { DeskParts } from './desk.ts';
import { Engine } from './engine.ts';
import type { Command, Event } from './events.ts';
import { Observations } from './observations.ts';
import type { PortfolioDefinition } from './portfolio.ts';
import { NO_TRACE } from './trace.ts';

const STEP = 5 * MINUTE;
const START = Date.UTC(2024, 0, 1);

const perpetual = (symbol: string, more: Partial<Parameters<typeof defineInstrument>[0]> = {}): Instrument =>
  defineInstrument({
    id: `${symbol}.X`,
    kind: 'linear-perpetual',
    base: symbol,
    settle: 'USDT',
    quote: 'USDT',
    tick: { units: 1, scale: 1 },
    lot: { units: 1, scale: 2 },
    minorScale: 6,
    maxLeverage: 20,
    ...more,
  });

const ALFA = perpetual('ALFA');
const BETA = perpetual('BETA');

/** An engine whose venue is the test: it sees every command and says what the venue reports. */
class Table {
  readonly engine: Engine;
  readonly commands: Command[] = [];
  readonly instruments: readonly Instrument[];
  at = START;
  /** What the desk's source says of each instrument at the next bar. */
  readonly say: Record<string, number> = {};
  private fills = 0;

  constructor(
    parts: Partial<DeskParts> = {},
    instruments: readonly Instrument[] = [ALFA],
    changes: Partial<PortfolioDefinition> = {},
  ) {
    this.instruments = instruments;
    const voice = source({
      name: 'voice',
      emits: 'score',
      features: {},
      signal: (view) => {
        const value = this.say[view.instrument.id] ?? 0;
        return value === 0 ? null : { kind: 'score', source: 'voice', value, horizonMs: HOUR };
      },
    });
    const all: DeskParts = {
      interval: '5m',
      warmUpBars: 0,
      sources: [voice],
      pooling: single(),
      sizer: fixedUnits(1, { leverage: 2 }),
      ...parts,
    };
    const {
      instrumentOf: _,
      seed: __,
      ...shadowVenue
    } = venueOptions({
      instrumentOf: (id) => instruments.find((i) => i.id === id)!,
    });
    this.engine = new Engine({
      name: 'p',
      base: currency('USDT'),
      baseMinorScale: 6,
      cash: 100_000_000_000,
      desks: [{ name: 'd', configuration: 'c', parts: all, instruments, intervalMs: STEP, otherMs: [] }],
      feedMs: () => STEP,
      breaker: all.breaker ?? null,
      platform: null,
      running: true,
      feeRate: null,
      shadowVenue,
      trace: NO_TRACE,
      ...changes,
    });
  }

  step(event: Event): readonly Command[] {
    const out = this.engine.step(event);
    this.commands.push(...out);
    return out;
  }

  /** One bar of every instrument at this price (or prices by id); scores by id for this bar only. */
  bar(price: number | Record<string, number>, say: Record<string, number> = {}): readonly Command[] {
    Object.assign(this.say, say);
    const out: Command[] = [];
    this.at += STEP;
    for (const instrument of this.instruments) {
      const p = typeof price === 'number' ? price : price[instrument.id]!;
      out.push(
        ...this.step({
          kind: 'bar-closed',
          at: this.at,
          eventTime: this.at,
          instrument: instrument.id,
          intervalMs: STEP,
          bar: { time: this.at - STEP, open: p, high: p, low: p, close: p, volume: 100 },
        }),
      );
    }
    for (const key of Object.keys(say)) delete this.say[key];
    return out;
  }

  accept(order: OrderRequest): void {
    const { clientId } = order;
    const stamp = { at: this.at, eventTime: this.at };
    this.step({ kind: 'order-accepted', ...stamp, clientId, venueOrderId: `v${clientId}` });
  }

  fill(order: OrderRequest, price: number, lots = order.lots): readonly Command[] {
    this.fills += 1;
    const { clientId, instrument, side } = order;
    const ticks = price * 10;
    const liquidity = 'taker';
    const fill = {
      fillId: `f${this.fills}`,
      clientId,
      instrument,
      side,
      lots,
      ticks,
      fee: 0,
      liquidity,
    } as const;
    return this.step({ kind: 'order-filled', at: this.at, eventTime: this.at, fill });
  }

  end(
    kind: 'order-rejected' | 'order-canceled' | 'order-expired',
    clientId: ClientOrderId,
  ): readonly Command[] {
    return this.step({ kind, at: this.at, eventTime: this.at, clientId, reason: 'test' });
  }

  lots(instrument: Instrument = ALFA): number {
    return this.engine.real.ledger.net(instrument.id);
  }
}

const submitted = (commands: readonly Command[]): OrderRequest[] =>
  commands.flatMap((c) => (c.kind === 'submit-order' ? [c.order] : []));
const canceled = (commands: readonly Command[]): string[] =>
  commands.flatMap((c) => (c.kind === 'cancel-order' ? [c.clientId as string] : []));

/** Enters one unit (100 lots) long at 100 and returns the orders of the entry. */
function enterLong(table: Table, price = 100): OrderRequest[] {
  const orders = submitted(table.bar(price, { [ALFA.id]: 1 }));
  for (const order of orders) table.accept(order);
  table.fill(orders[0]!, price);
  return orders;
}

const stop = { atr: 'atr:2', atrMultiple: 1, costMultiple: 0, targetMultiple: 2 } as const;
/** One unit with a stop 5 below and a target 10 above. */
const guarded: Sizer = {
  name: 'guarded',
  features: {},
  size: () => ({
    kind: 'sized',
    quantity: 1,
    stopDistance: 5,
    targetDistance: 10,
    leverage: 2,
    riskFraction: null,
    cuts: [],
  }),
};

describe('exits', () => {
  it('are asked again until the position is gone, also where the reason was told only once', () => {
    const table = new Table({ opposite: 'close' });
    enterLong(table);
    const [exit] = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(exit).toMatchObject({ side: 'sell', reduceOnly: true, reason: 'exit:opposite-signal' });
    table.end('order-rejected', exit!.clientId);
    const [again] = submitted(table.bar(100));
    expect(again).toMatchObject({ side: 'sell', lots: 100, reason: 'exit:opposite-signal' });
    table.fill(again!, 100);
    expect(submitted(table.bar(100))).toEqual([]);
    expect(table.lots()).toBe(0);
  });

  it('close what is left of an exit that was canceled half filled', () => {
    const table = new Table({ opposite: 'close' });
    enterLong(table);
    const [exit] = submitted(table.bar(100, { [ALFA.id]: -1 }));
    table.fill(exit!, 100, 60);
    table.end('order-canceled', exit!.clientId);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 40, reduceOnly: true }]);
  });

  it('flatten reaches an entry whose fill crossed its cancellation, also in SHUTDOWN', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    table.accept(entry!);
    const kill = {
      kind: 'operator-acted',
      at: table.at,
      eventTime: table.at,
      by: 'me',
      reason: 'test',
    } as const;
    expect(canceled(table.step({ ...kill, act: { action: 'kill' } }))).toEqual([entry!.clientId]);
    table.fill(entry!, 100);
    expect(submitted(table.bar(100))).toMatchObject([{ side: 'sell', lots: 100, reason: 'exit:flatten' }]);
  });
});

describe('the breaker', () => {
  const call = (table: Table, latencyMs: number) =>
    table.step({ kind: 'call-measured', at: table.at, eventTime: table.at, venue: 'X', latencyMs });

  it('closes everything when a loss comes while it halts for another reason', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    call(table, 3_000);
    expect(table.engine.breaker!.state).toBe('HALT');
    expect(submitted(table.bar(100))).toEqual([]);
    expect(submitted(table.bar(85))).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });

  it('closes again what an exit it asked for did not close', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    const [exit] = submitted(table.bar(85));
    expect(exit).toMatchObject({ reason: 'exit:breaker' });
    table.end('order-rejected', exit!.clientId);
    expect(submitted(table.bar(85))).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });

  it('says at once that it halts', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    table.bar(100);
    expect(call(table, 3_000)).toMatchObject([{ kind: 'raise-alert', severity: 'critical', key: 'breaker' }]);
  });

  it('counts an order that could not be sent once', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    const [entry] = submitted(table.bar(100, { [ALFA.id]: 1 }));
    const { clientId } = entry!;
    const lost = {
      kind: 'send-failed',
      at: table.at,
      eventTime: table.at,
      clientId,
      reason: 'down',
    } as const;
    table.step({ ...lost, outcome: 'not-sent' });
    expect(table.engine.breaker!.state).toBe('CLOSED');
  });

  it('counts a rejected entry once, whatever becomes of its protective orders', () => {
    const table = new Table({ sizer: guarded, breaker: SIGMA_BREAKER });
    const orders = submitted(table.bar(100, { [ALFA.id]: 1 }));
    expect(orders).toHaveLength(3);
    for (const { clientId } of orders) table.end('order-rejected', clientId);
    expect(table.engine.breaker!.state).toBe('CLOSED');
  });

  it('asks to be woken for every step down, so that long bars do not hold it up', () => {
    const table = new Table({ breaker: SIGMA_BREAKER });
    table.bar(100);
    call(table, 3_000);
    const from = table.at;
    const steps: [number, string][] = [];
    for (let due = table.engine.nextDue(); due < Infinity; due = table.engine.nextDue()) {
      table.step({ kind: 'timer-fired', at: due, eventTime: due });
      steps.push([(due - from) / 1_000, table.engine.breaker!.state]);
    }
    expect(steps).toEqual([
      [900, 'THROTTLE'],
      [1_200, 'ALERT'],
      [1_260, 'CLOSED'],
    ]);
  });

  it('hears of a loss between bars', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }), breaker: SIGMA_BREAKER });
    enterLong(table);
    table.bar(100);
    table.at += 10_000;
    const mark = { kind: 'mark-updated', at: table.at, eventTime: table.at, instrument: ALFA.id } as const;
    const out = table.step({ ...mark, mark: 85, index: null } as Event);
    expect(submitted(out)).toMatchObject([{ side: 'sell', reason: 'exit:breaker' }]);
  });
});

describe('a reversal', () => {
  it('takes the old protection away', () => {
    const table = new Table({ sizer: guarded, opposite: 'reverse' });
    const first = enterLong(table);
    const second = submitted(table.bar(100, { [ALFA.id]: -1 }));
    for (const order of second) table.accept(order);
    for (const order of second.filter((o) => o.parent === null)) table.fill(order, 100);
    expect(table.lots()).toBe(-100);
    const alive = table.engine.real.ledger.workingOrders();
    const asked = new Set(canceled(table.commands));
    for (const { clientId } of first.slice(1)) expect(asked).toContain(clientId);
    const kept = alive.filter(({ request }) => !asked.has(request.clientId)).map(({ request }) => request);
    expect(kept.map(({ side, reason }) => [side, reason])).toEqual([
      ['buy', 'stop-loss'],
      ['buy', 'take-profit'],
    ]);
  });

  it('is not doubled by a stop or an exit that closes the old position first', () => {
    const table = new Table({ sizer: guarded, opposite: 'reverse' });
    const first = enterLong(table);
    const second = submitted(table.bar(100, { [ALFA.id]: -1 }));
    // the old stop fires before the venue sees the reversal
    table.fill(first.find((o) => o.reason === 'stop-loss')!, 95);
    const entries = second.filter((o) => o.parent === null);
    for (const order of entries) {
      if (order.reduceOnly) table.end('order-canceled', order.clientId);
      else table.fill(order, 95);
    }
    expect(table.lots()).toBe(-100);
  });

  it('with an exit at work opens one size only', () => {
    const table = new Table({ opposite: 'reverse', exits: [timeExit({ otherwiseMs: STEP, longestMs: {} })] });
    enterLong(table);
    const out = submitted(table.bar(100, { [ALFA.id]: -1 }));
    expect(out[0]).toMatchObject({ side: 'sell', lots: 100, reason: 'exit:time' });
    const adding = out.filter((o) => !o.reduceOnly).reduce((sum, o) => sum + o.lots, 0);
    expect(adding).toBeLessThanOrEqual(100);
  });
});

describe('limits', () => {
  it('see what was ordered in the same slice and has not filled', () => {
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    // each takes half of equity as margin; both follow each other (prior correlation 0.85)
    const table = new Table({ sizer: fixedUnits(1_000, { leverage: 2 }), limits }, [ALFA, BETA]);
    const orders = submitted(table.bar(100, { [ALFA.id]: 1, [BETA.id]: 1 }));
    expect(orders).toHaveLength(1);
  });

  it('see an entry that rests for bars', () => {
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    const entry = { type: 'limit', offsetRate: 0.01, bars: 10, postOnly: false } as const;
    const table = new Table({ sizer: fixedUnits(1_000, { leverage: 2 }), limits, entry }, [ALFA, BETA]);
    expect(submitted(table.bar(100, { [ALFA.id]: 1 }))).toHaveLength(1);
    expect(submitted(table.bar(100, { [BETA.id]: 1 }))).toHaveLength(0);
  });
});

describe('what is paid outright', () => {
  const share = (name: string) =>
    defineInstrument({
      id: `${name}.NYSE`,
      kind: 'equity',
      quote: 'USDT',
      minorScale: 6,
      lot: { units: 1, scale: 0 },
    });

  it('counts with all it is worth where limits look for margin', () => {
    const [ONE, TWO] = [share('ONE'), share('TWO')];
    const limits = [correlatedGroupLimit({ rho: 0.7, max: 0.6 })];
    const table = new Table({ sizer: fixedUnits(500), limits }, [ONE, TWO]);
    const [order] = submitted(table.bar(100, { [ONE.id]: 1 }));
    const { clientId, instrument, side, lots } = order!;
    const fill = {
      fillId: 'o',
      clientId,
      instrument,
      side,
      lots,
      ticks: 1e10,
      fee: 0,
      liquidity: 'taker',
    } as const;
    table.step({ kind: 'order-filled', at: table.at, eventTime: table.at, fill });
    // half of equity is held, another half of it would make a whole
    expect(submitted(table.bar(100, { [TWO.id]: 1 }))).toEqual([]);
  });

  it('a claim that is sold needs its payout', () => {
    const CLAIM = defineInstrument({
      id: 'RAIN.KALSHI',
      kind: 'binary',
      quote: 'USDT',
      minorScale: 6,
      tick: { units: 1, scale: 2 },
      lot: { units: 1, scale: 0 },
      payoutTicks: 100,
    });
    const sold = (units: number) => {
      const safety = safetyLayers({ allowed: null, marginMax: 1, riskMax: 1 });
      const table = new Table({ sizer: fixedUnits(units), safetyLayers: safety }, [CLAIM]);
      return submitted(table.bar(0.05, { [CLAIM.id]: -1 })).map(({ lots }) => lots);
    };
    expect(sold(100_000)).toEqual([100_000]);
    // 95,000 of 100,000 is tied up by that; more than what the payout allows is cut
    expect(sold(200_000)[0]).toBeLessThanOrEqual(105_264);
  });
});

describe('currencies', () => {
  const RUPIAH = defineInstrument({
    id: 'BBCA.IDX',
    kind: 'equity',
    quote: 'IDR',
    tick: { units: 25, scale: 0 },
    lot: { units: 100, scale: 0 },
    minorScale: 0,
  });
  const tenth: Sizer = sigmaSizer({
    regimes: null,
    volatility: null,
    leverage: 1,
    stop: { ...stop, atr: 'atr:2' },
  });

  it('without a rate nothing is entered', () => {
    const table = new Table({ sizer: fixedUnits(1_000) }, [RUPIAH]);
    expect(submitted(table.bar(9_000, { [RUPIAH.id]: 1 }))).toEqual([]);
    expect([...table.engine.counts.refusalsByLimit.keys()]).toContain('fx-rate');
  });

  it('sizes in the instrument’s own currency', () => {
    const table = new Table({ sizer: tenth }, [RUPIAH]);
    const rate = { kind: 'fx-rate-updated', at: table.at, eventTime: table.at } as const;
    table.step({ ...rate, from: currency('USDT'), to: currency('IDR'), rate: 15_000 });
    const prices = [9_000, 9_100, 9_000];
    for (const p of prices) table.bar(p);
    const [order] = submitted(table.bar(9_100, { [RUPIAH.id]: 1 }));
    // 100,000 USDT = 1.5e9 IDR, 0.5 % of it at a stop of some 100 IDR: some 75,000 shares = 750 lots
    expect(order!.lots).toBeGreaterThan(600);
    expect(order!.lots).toBeLessThan(1_100);
  });
});

describe('instruments that change', () => {
  const SHARE = defineInstrument({
    id: 'ACME.NYSE',
    kind: 'equity',
    quote: 'USDT',
    settle: 'USDT',
    tick: { units: 1, scale: 2 },
    lot: { units: 1, scale: 0 },
    minorScale: 6,
  });
  const split = (table: Table, ratio: number) =>
    table.step({
      kind: 'instrument-changed',
      at: table.at,
      eventTime: table.at,
      instrument: SHARE.id,
      change: { change: 'split', ratio },
    });
  const buy = (table: Table, price: number) => {
    const orders = submitted(table.bar(price, { [SHARE.id]: 1 }));
    for (const order of orders) table.accept(order);
    const { clientId, instrument, side, lots } = orders[0]!;
    const fill = {
      fillId: 's1',
      clientId,
      instrument,
      side,
      lots,
      ticks: price * 100,
      fee: 0,
      liquidity: 'taker',
    } as const;
    table.step({ kind: 'order-filled', at: table.at, eventTime: table.at, fill });
    return orders;
  };

  it('a split moves stop, target and best price with it', () => {
    const table = new Table(
      { sizer: guarded, exits: [stopLossExit(), trailingExit({ distances: {}, otherwise: 0.01 })] },
      [SHARE],
    );
    const orders = buy(table, 100);
    table.bar(103);
    split(table, 4);
    for (const { clientId } of orders.slice(1)) table.end('order-canceled', clientId);
    expect(submitted(table.bar(25.7))).toEqual([]);
    expect(submitted(table.bar(23.6))).toMatchObject([{ reason: 'exit:stop-loss' }]);
  });

  it('a holding that a split pays out leaves nothing behind', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    split(table, 0.1);
    expect(table.engine.real.held.size).toBe(0);
    expect(submitted(table.bar(1_000, { [SHARE.id]: 1 }))).toHaveLength(1);
  });

  it('figures that are no figures are refused', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    const stamp = { at: table.at, eventTime: table.at, instrument: SHARE.id } as const;
    split(table, Number.NaN);
    split(table, 0);
    for (const amountPerUnit of [Number.NaN, Number.POSITIVE_INFINITY]) {
      table.step({
        kind: 'instrument-changed',
        ...stamp,
        change: { change: 'dividend', amountPerUnit },
      } as Event);
    }
    expect(table.engine.real.ledger.position(table.engine.desks[0]!.instruments[0]!.book)!.lots).toBe(1);
  });

  it('a lot that changes while it is held is an alert and no crash', () => {
    const table = new Table({}, [SHARE]);
    buy(table, 100);
    const definition = { ...SHARE, lot: { units: 10, scale: 0 } };
    const stamp = { at: table.at, eventTime: table.at, instrument: SHARE.id } as const;
    const out = table.step({
      kind: 'instrument-changed',
      ...stamp,
      change: { change: 'changed', definition },
    } as Event);
    expect(out).toMatchObject([{ kind: 'raise-alert', severity: 'critical' }]);
    expect(table.engine.isHalted(SHARE.id)).toBe(true);
  });
});

describe('memories', () => {
  it('of an entry that never filled do not pass to another position', () => {
    const entry = { type: 'limit', offsetRate: 0.01, bars: 10, postOnly: false } as const;
    const table = new Table({ sizer: guarded, entry });
    const orders = submitted(table.bar(100, { [ALFA.id]: 1 }));
    for (const order of orders) table.accept(order);
    table.end('order-expired', orders[0]!.clientId);
    const book = orders[0]!.book;
    const clientId = 'by-hand' as ClientOrderId;
    const fill = {
      fillId: 'm',
      clientId,
      instrument: ALFA.id,
      side: 'sell',
      lots: 10,
      ticks: 1_000,
      fee: 0,
      liquidity: 'taker',
    } as const;
    table.step({ kind: 'unasked-fill', at: table.at, eventTime: table.at, book, cause: 'manual', fill });
    expect(table.engine.real.held.get(book)).toMatchObject({
      direction: -1,
      stopPrice: null,
      targetPrice: null,
    });
  });
});

describe('what sources see', () => {
  it('is the close of the bar, also when a price came after it', () => {
    const seen: number[] = [];
    const late = source({
      name: 'late',
      features: {},
      signal: (view) => {
        seen.push(view.close);
        return null;
      },
    });
    const table = new Table({ sources: [late] }, [ALFA, BETA]);
    table.bar(100);
    table.at += STEP;
    const bar = { time: table.at - STEP, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    const stamp = { at: table.at, eventTime: table.at } as const;
    table.step({ kind: 'bar-closed', ...stamp, instrument: ALFA.id, intervalMs: STEP, bar });
    const mark = { kind: 'mark-updated', at: table.at + 1_000, eventTime: table.at + 1_000 } as const;
    table.step({ ...mark, instrument: ALFA.id, mark: 90, index: null } as Event);
    table.step({ kind: 'timer-fired', at: table.at + 2_000, eventTime: table.at + 2_000 });
    expect(seen.at(-1)).toBe(100);
  });

  it('does not hold bars from the future', () => {
    const table = new Table();
    table.bar(100);
    const time = table.at + HOUR;
    const bar = { time, open: 50, high: 50, low: 50, close: 50, volume: 1 };
    table.step({
      kind: 'bar-closed',
      at: table.at,
      eventTime: time + STEP,
      instrument: ALFA.id,
      intervalMs: STEP,
      bar,
    });
    expect(table.engine.counts.barsRefused.get('from-the-future')).toBe(1);
    table.bar(101);
    expect(table.engine.counts.bars).toBe(2);
  });

  it('bars that are told late do not move the books back to old prices', () => {
    const table = new Table();
    table.bar(100);
    const book = table.engine.desks[0]!.instruments[0]!.book;
    expect(book).toBeDefined();
    table.at += 4 * HOUR;
    const mark = { kind: 'mark-updated', at: table.at, eventTime: table.at, instrument: ALFA.id } as const;
    table.step({ ...mark, mark: 80, index: null } as Event);
    const time = START + STEP;
    const bar = { time, open: 100, high: 100, low: 100, close: 100, volume: 1 };
    table.step({
      kind: 'bar-closed',
      at: table.at,
      eventTime: time + STEP,
      instrument: ALFA.id,
      intervalMs: STEP,
      bar,
    });
    expect(table.engine.real.ledger.lastMark(ALFA.id)!.ticks).toBe(800);
  });
});

describe('an order the venue has lost', () => {
  it('ends once the account and the query both say so', () => {
    const table = new Table({ sizer: guarded });
    const orders = enterLong(table);
    const stopId = orders.find((o) => o.reason === 'stop-loss')!.clientId;
    const stamp = { at: table.at, eventTime: table.at } as const;
    const unknown: VenueReport = { kind: 'order-unknown', ...stamp, clientId: stopId };
    table.step(unknown);
    expect(table.engine.real.ledger.order(stopId)!.status).toBe('working');
    const target = orders.find((o) => o.reason === 'take-profit')!.clientId;
    const nets = [{ instrument: ALFA.id, lots: 100 }];
    const out = table.step({ kind: 'account-reported', ...stamp, venue: 'X', nets, openOrders: [target] });
    expect(out).toContainEqual({ kind: 'query-order', clientId: stopId });
    table.step(unknown);
    expect(table.engine.real.ledger.order(stopId)!.status).toBe('canceled');
  });
});

describe('a shadow', () => {
  /** Never sized, always followed. */
  const followed: Sizer = {
    name: 'followed',
    features: {},
    size: (context) => {
      const sized = guarded.size(context, {});
      if (sized.kind !== 'sized') throw new Error('guarded sizes always');
      return { kind: 'not-sized', objection: { by: 'expectancy', reason: 'test' }, shadow: sized };
    },
  };

  it('ends with the opposite signal as a real position would', () => {
    const trades: string[] = [];
    const table = new Table({ sizer: followed, opposite: 'close' });
    table.engine.observer = { traded: (trade, _desk, shadow) => void trades.push(`${trade.id} ${shadow}`) };
    table.bar(100, { [ALFA.id]: 1 });
    table.bar(100);
    table.bar(100, { [ALFA.id]: -1 });
    table.bar(100);
    table.bar(100);
    // its trades have names of their own
    expect(trades).toEqual(['p-d-shadow-T1 true']);
    expect(submitted(table.commands)).toEqual([]);
  });

  it('window that shows an edge waits for a person unless the run says otherwise', () => {
    const words = (autoResume: boolean) => {
      const changes = autoResume ? { autoResume } : {};
      const table = new Table({ sizer: followed, shadow: { window: 1 } }, [ALFA], changes);
      for (const price of [100, 100, 111, 111, 111]) table.bar(price, price === 100 ? { [ALFA.id]: 1 } : {});
      return [...table.engine.counts.edges.keys()];
    };
    expect(words(false)).toEqual(['edge-returned']);
    expect(words(true)).toEqual(['resumed']);
  });
});

describe('what grows', () => {
  it('is bounded: names in counters, subjects of observations', () => {
    const names = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) tally(names, `reason ${i}`);
    expect(names.size).toBeLessThanOrEqual(257);
    expect([...names.values()].reduce((a, b) => a + b, 0)).toBe(10_000);
    const observations = new Observations();
    const publish = (subject: string, at: number) =>
      observations.publish({
        kind: 'observation-published',
        at,
        eventTime: at,
        source: 's',
        subject,
        value: at,
        publishedAt: at,
      });
    publish('weather', 0);
    for (let i = 1; i < 5_000; i++) publish(`game ${i}`, i);
    expect(observations.observation('weather', 5_000)).toBeNull();
    expect(observations.observation('game 4999', 5_000)?.value).toBe(4_999);
  });
});

describe('a snapshot of another version', () => {
  it('hands over the day, its opening equity and the track record', () => {
    const table = new Table({ sizer: fixedUnits(500, { leverage: 2 }) });
    const [entry] = enterLong(table);
    const [exit] = submitted(table.bar(90, {}));
    expect(exit).toBeUndefined();
    const stamp = { at: table.at, eventTime: table.at, by: 'me', reason: 'r' } as const;
    const [flat] = submitted(
      table.step({ kind: 'operator-acted', ...stamp, act: { action: 'flatten', desk: null } }),
    );
    table.fill(flat!, 90);
    expect(entry!.lots).toBe(50_000);
    const next = new Table({ sizer: fixedUnits(500, { leverage: 2 }) });
    next.engine.takeOver(JSON.parse(JSON.stringify(table.engine.capture())));
    expect(next.engine.desks[0]!.record.trackRecord()).toMatchObject({ n: 1, expectancy: -5_000 });
    next.at = table.at;
    next.bar(90);
    const account = next.engine.account(next.engine.real);
    expect(account.equityAtDayStart - account.equity).toBe(5_000_000_000);
  });
});

describe('the track record', () => {
  it('is kept in the base currency', () => {
    const SHARE = defineInstrument({
      id: 'TLKM.IDX',
      kind: 'equity',
      quote: 'IDR',
      minorScale: 0,
      tick: { units: 1, scale: 1 },
    });
    const table = new Table({}, [SHARE]);
    const stamp = { at: table.at, eventTime: table.at } as const;
    table.step({
      kind: 'fx-rate-updated',
      ...stamp,
      from: currency('USDT'),
      to: currency('IDR'),
      rate: 10_000,
    });
    const { book } = table.engine.desks[0]!.instruments[0]!;
    const by = (side: 'buy' | 'sell', ticks: number) => {
      const clientId = `m-${side}` as ClientOrderId;
      const lots = 100_000_000;
      const fill = {
        fillId: side,
        clientId,
        instrument: SHARE.id,
        side,
        lots,
        ticks,
        fee: 0,
        liquidity: 'taker',
      } as const;
      table.step({ kind: 'unasked-fill', ...stamp, book, cause: 'manual', fill });
    };
    by('buy', 40_000);
    by('sell', 90_000);
    // 5,000 rupiah won are half a dollar
    expect(table.engine.desks[0]!.record.trackRecord().expectancy).toBeCloseTo(0.5, 6);
  });
});
