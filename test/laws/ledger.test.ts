import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import {
  type BookId,
  type Booking,
  bookId,
  type ClientOrderId,
  Ledger,
  type OrderRequest,
  type Side,
  type VenueReport,
} from '#ledger';
import { currency, defineInstrument, type Instrument, type InstrumentId } from '#market';
import { BBCA, perpetual, rainClaim } from '../support/instruments.ts';

const RUNS = 1000;

const TIERS = [
  { maxNotional: 1e13, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 50 },
  { maxNotional: null, maintenanceRate: 1_000_000, maintenanceAmount: 5e10, maxLeverage: 20 },
];
const FEES = [{ from: 0, makerRate: 20_000, takerRate: 50_000 }];
const LINEAR = perpetual('BTCUSDT.PERP', { base: 'BTC', marginTiers: TIERS, fees: FEES });
/** Nothing divides evenly here: every notional is rounded. */
const ODD = perpetual('ODDUSDT.PERP', {
  base: 'ODD',
  tick: { units: 7, scale: 9 },
  lot: { units: 13, scale: 4 },
  fees: FEES,
});
const INVERSE = defineInstrument({
  id: 'BTCUSD.COIN',
  kind: 'inverse-perpetual',
  base: 'BTC',
  quote: 'USD',
  tick: { units: 5, scale: 1 },
  lot: { units: 1, scale: 0 },
  contractSize: { units: 100, scale: 0 },
  marginTiers: TIERS,
});
const SPOT = defineInstrument({ id: 'ETHUSDT.SPOT', base: 'ETH', quote: 'USDT', fees: FEES });
const CLAIM = rainClaim();
const ALL: readonly Instrument[] = [LINEAR, ODD, INVERSE, SPOT, BBCA, CLAIM];
/** Around which ticks each trades. */
const AROUND = [600_000, 5_000_000, 100_000, 300_000_000_000, 380, 50];
/** Sizes are multiples of this many lots. */
const CHUNK = [1, 1, 1, 1_000_000, 1, 1];
const BY_ID = new Map<InstrumentId, Instrument>(ALL.map((i) => [i.id, i]));

const OPENING = [
  { currency: currency('USDT'), minorScale: 8, amount: 1_000_000_000_000 },
  { currency: currency('BTC'), minorScale: 8, amount: 500_000_000 },
  { currency: currency('IDR'), minorScale: 0, amount: 1_000_000_000 },
  { currency: currency('USD'), minorScale: 4, amount: 100_000_000 },
];

function newLedger(opening = OPENING): Ledger {
  return new Ledger({
    portfolio: 'main',
    base: currency('USDT'),
    baseMinorScale: 8,
    instrumentOf: (id) => BY_ID.get(id)!,
    openingCash: opening,
    at: 0,
    remember: 16,
  });
}

function book(instrument: Instrument, configuration: number): BookId {
  return bookId({
    portfolio: 'main',
    desk: 'law',
    configuration: `c${configuration}`,
    instrument: instrument.id,
  });
}

/** One raw step: what to do, and four numbers it may use. */
type Raw = readonly [action: number, a: number, b: number, c: number, d: number];
const rawStep: fc.Arbitrary<Raw> = fc.tuple(
  fc.nat(99),
  fc.nat(1_000_000),
  fc.nat(1_000_000),
  fc.nat(1_000_000),
  fc.nat(1_000_000),
);
const story = fc.array(rawStep, { minLength: 1, maxLength: 40, size: 'max' });

/** Turns raw numbers into a life of a ledger; keeps only what it needs to refer to earlier orders and fills. */
class Driver {
  readonly ledger: Ledger;
  readonly only: readonly number[];
  readonly orders: OrderRequest[] = [];
  readonly fills: VenueReport[] = [];
  readonly bookings: Booking[] = [];
  /** Signed lots of all booked fills. */
  readonly filled = new Map<InstrumentId, number>();
  at = 0;

  constructor(ledger: Ledger, only: readonly number[] = ALL.map((_, i) => i)) {
    this.ledger = ledger;
    this.only = only;
  }

  private ticks(i: number, n: number): number {
    const around = AROUND[i]!;
    return Math.max(
      1,
      Math.min(i === 5 ? 99 : Number.MAX_SAFE_INTEGER, Math.floor(around * (0.7 + (n % 1000) / 1666))),
    );
  }

  send(report: VenueReport): Booking {
    const booking = this.ledger.report(report);
    this.bookings.push(booking);
    if (report.kind !== 'order-filled' && report.kind !== 'unasked-fill') return booking;
    this.fills.push(report);
    const { instrument, side, lots } = report.fill;
    const signed = !booking.accepted ? 0 : side === 'buy' ? lots : -lots;
    this.filled.set(instrument, (this.filled.get(instrument) ?? 0) + signed);
    return booking;
  }

  submit(a: number, b: number, c: number, d: number): void {
    const i = this.only[a % this.only.length]!;
    const instrument = ALL[i]!;
    const clientId = `o${this.orders.length}` as ClientOrderId;
    const type = (['market', 'limit', 'stop', 'limit'] as const)[d % 4]!;
    const order: OrderRequest = {
      clientId,
      book: book(instrument, b % 3),
      instrument: instrument.id,
      side: c % 2 ? 'buy' : 'sell',
      lots: (1 + (c % 60)) * CHUNK[i]!,
      type,
      limitTicks: type === 'limit' ? this.ticks(i, b) : null,
      triggerTicks: type === 'stop' ? this.ticks(i, b) : null,
      trailRate: null,
      timeInForce: 'GTC',
      expiresAt: null,
      postOnly: false,
      reduceOnly: d % 5 === 0,
      reduceOnlyAtVenue: false,
      ocoGroup: null,
      parent: null,
      leverage: 1 + (d % 7),
      expectedTicks: d % 3 ? this.ticks(i, d) : null,
      reason: 'law',
    };
    this.orders.push(order);
    this.ledger.submit(order, this.at);
  }

  step([action, a, b, c, d]: Raw): void {
    this.at += 1 + (d % 5);
    const stamp = { at: this.at, eventTime: this.at };
    const order = this.orders.length === 0 ? undefined : this.orders[a % this.orders.length]!;
    if (order === undefined || action < 22) {
      this.submit(a, b, c, d);
      return;
    }
    const { clientId, instrument, side } = order;
    const i = ALL.findIndex((known) => known.id === instrument);
    const fill = {
      fillId: `f${this.fills.length}`,
      clientId,
      instrument,
      side,
      lots: (1 + (c % 40)) * CHUNK[i]!,
      ticks: this.ticks(i, b),
      fee: (d % 2000) - 200,
      liquidity: 'taker' as const,
    };
    if (action < 32) this.send({ ...stamp, kind: 'order-accepted', clientId, venueOrderId: `v${a}` });
    else if (action < 58) this.send({ ...stamp, kind: 'order-filled', fill });
    else if (action < 62 && this.fills.length > 0) this.send(this.fills[b % this.fills.length]!);
    else if (action < 64) {
      this.send({ ...stamp, kind: 'order-filled', fill: { ...fill, clientId: 'nobody' as ClientOrderId } });
    } else if (action < 70) {
      const cause = (['liquidation', 'deleveraging', 'manual'] as const)[d % 3]!;
      this.send({
        ...stamp,
        kind: 'unasked-fill',
        book: order.book,
        cause,
        fill: { ...fill, fillId: `u${fill.fillId}` },
      });
    } else if (action < 74) {
      this.send({
        ...stamp,
        kind: 'funding-charged',
        chargeId: `c${stamp.at}/${c}`,
        instrument,
        book: order.book,
        amount: (c % 5000) - 2500,
      });
    } else if (action < 77) this.settle(stamp, d);
    else if (action < 80) {
      const price =
        (AROUND[i]! * (0.7 + (b % 1000) / 1666) * BY_ID.get(instrument)!.tick.units) /
        10 ** BY_ID.get(instrument)!.tick.scale;
      this.ledger.mark(instrument, price, this.at);
    } else if (action < 82)
      this.ledger.fxRate(currency('USD'), currency('USDT'), 0.9 + (b % 100) / 500, this.at);
    else if (action < 83) this.ledger.fxRate(currency('USDT'), currency('IDR'), 15_000 + (b % 2000), this.at);
    else if (action < 84) this.ledger.fxRate(currency('BTC'), currency('USDT'), 30_000 + b / 20, this.at);
    else if (action < 86) {
      const kind = (['deposit', 'dividend', 'borrow', 'interest', 'fee', 'correction'] as const)[b % 6]!;
      this.ledger.cashEntry(kind, BY_ID.get(instrument)!.settle, c % 1000, this.at, order.book);
    } else if (action < 87)
      this.ledger.exchange(currency('USDT'), c % 1000, currency('USD'), d % 1000, this.at);
    else if (action < 88) {
      if (this.only.includes(4)) this.ledger.split(BBCA.id, [2, 5, 0.5, 0.1, 1.5][b % 5]!, this.at);
    } else this.message(action, order, stamp, c, d, i);
  }

  private settle(stamp: { at: number; eventTime: number }, d: number): void {
    for (const position of this.ledger.positions()) {
      if (position.instrument !== CLAIM.id) continue;
      this.send({
        ...stamp,
        kind: 'unasked-fill',
        book: position.book,
        cause: 'settlement',
        fill: {
          fillId: `s${this.fills.length}`,
          clientId: 'settlement' as ClientOrderId,
          instrument: CLAIM.id,
          side: position.lots > 0 ? 'sell' : 'buy',
          lots: Math.abs(position.lots),
          ticks: d % 2 ? 100 : 0,
          fee: 0,
          liquidity: 'settlement',
        },
      });
    }
  }

  private message(
    action: number,
    { clientId }: OrderRequest,
    stamp: { at: number; eventTime: number },
    c: number,
    d: number,
    i: number,
  ): void {
    const reason = 'law';
    if (action < 90) {
      const lots = (1 + (c % 70)) * CHUNK[i]!;
      this.send({
        ...stamp,
        kind: 'order-amended',
        clientId,
        lots,
        limitTicks: this.ticks(i, d),
        triggerTicks: null,
      });
    } else if (action < 92) this.send({ ...stamp, kind: 'order-canceled', clientId, reason });
    else if (action < 93) this.send({ ...stamp, kind: 'order-expired', clientId, reason });
    else if (action < 94) this.send({ ...stamp, kind: 'order-rejected', clientId, reason });
    else if (action < 95) this.send({ ...stamp, kind: 'order-triggered', clientId });
    else if (action < 96) this.send({ ...stamp, kind: 'order-unknown', clientId });
    else if (action < 97) this.send({ ...stamp, kind: 'cancel-rejected', clientId, reason });
    else if (action < 98) this.ledger.cancelRequested(clientId, this.at);
    else if (action < 99) this.ledger.amendRequested(clientId, this.at);
    else this.send({ ...stamp, kind: 'account-reported', venue: 'PERP', nets: [], openOrders: [clientId] });
  }
}

function checkBooks(ledger: Ledger, at: number): void {
  for (const [code, sum] of ledger.trialBalance()) {
    if (sum !== 0) throw new Error(`${code} is out by ${sum}`);
    const f = ledger.currencySummary(code)!;
    const identity = f.cashStart + f.realised - f.fees - f.funding + f.unrealised;
    if (f.equity !== identity) throw new Error(`${code}: equity ${f.equity}, identity ${identity}`);
    for (const value of Object.values(f))
      if (!Number.isSafeInteger(value)) throw new Error(`${code}: ${value}`);
  }
  const s = ledger.summary(at);
  if (s.equity !== ledger.equity(at)) throw new Error('summary and equity differ');
  if (s.equity !== s.cashStart + s.realised - s.fees - s.funding + s.unrealised + s.fxDifference) {
    throw new Error('base identity');
  }
}

/** Sum of what working orders set aside, per currency, against the account. */
function checkReservations(ledger: Ledger): void {
  const sums = new Map<string, number>();
  for (const order of ledger.workingOrders()) {
    const settle = BY_ID.get(order.request.instrument)!.settle;
    sums.set(settle, (sums.get(settle) ?? 0) + order.reserved);
    if (order.reserved < 0 || order.reserved > order.reservation) throw new Error('reserved out of range');
  }
  for (const code of ledger.currencies()) {
    const reserved = ledger.currencySummary(code)!.reserved;
    if (reserved !== (sums.get(code) ?? 0)) throw new Error(`${code} reserves ${reserved}`);
  }
}

describe('the books', () => {
  it('balance to zero in every currency, and the identity holds, after every step of any life', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const driver = new Driver(newLedger());
        for (const step of steps) {
          driver.step(step);
          checkBooks(driver.ledger, driver.at);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('set aside exactly what working orders ask for, and nothing without them', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const driver = new Driver(newLedger());
        for (const step of steps) driver.step(step);
        checkReservations(driver.ledger);
        for (const { request } of driver.ledger.workingOrders()) {
          const stamp = { at: driver.at, eventTime: driver.at };
          driver.send({ ...stamp, kind: 'order-canceled', clientId: request.clientId, reason: 'end' });
        }
        expect(driver.ledger.workingOrders()).toEqual([]);
        for (const code of driver.ledger.currencies()) {
          expect(driver.ledger.currencySummary(code)!.reserved).toBe(0);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('derive the net of a venue as the sum over books', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const driver = new Driver(newLedger());
        const net = new Map<InstrumentId, number>();
        for (const step of steps) driver.step(step);
        for (const position of driver.ledger.positions()) {
          net.set(position.instrument, (net.get(position.instrument) ?? 0) + position.lots);
          expect(position.lots).not.toBe(0);
          expect(position.cost).toBeGreaterThanOrEqual(0);
        }
        for (const instrument of ALL) {
          const total = driver.ledger.net(instrument.id);
          expect(total).toBe(net.get(instrument.id) ?? 0);
          // splits aside, it is what the booked fills add up to
          if (instrument !== BBCA) expect(total).toBe(driver.filled.get(instrument.id) ?? 0);
          const size = Math.abs(total);
          if (size === 0) continue;
          const [reducing, enlarging]: Side[] = total > 0 ? ['sell', 'buy'] : ['buy', 'sell'];
          const ask = (side: Side, lots: number) =>
            driver.ledger.reduceOnlyReducesNet({ instrument: instrument.id, side, lots });
          expect([ask(reducing!, size), ask(reducing!, size + 1), ask(enlarging!, 1)]).toEqual([
            true,
            false,
            false,
          ]);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('go on after capture and restore as if nothing had happened', () => {
    fc.assert(
      fc.property(story, story, (before, after) => {
        const one = new Driver(newLedger());
        for (const step of before) one.step(step);
        const saved = JSON.parse(JSON.stringify(captureState(one.ledger)));
        const two = new Driver(newLedger());
        restoreState(two.ledger, saved);
        two.orders.push(...one.orders);
        two.fills.push(...one.fills);
        two.at = one.at;
        expect(captureState(two.ledger)).toEqual(saved);
        one.bookings.length = 0;
        for (const step of after) {
          one.step(step);
          two.step(step);
        }
        expect(two.bookings).toEqual(one.bookings);
        expect(captureState(two.ledger)).toEqual(captureState(one.ledger));
      }),
      { numRuns: RUNS },
    );
  });

  it('remember no more than their window, however long they live', () => {
    const driver = new Driver(newLedger());
    for (let i = 0; i < 2000; i++) {
      driver.submit(0, i, i, 0);
      const order = driver.orders[driver.orders.length - 1]!;
      const { clientId, instrument, side, lots } = order;
      const stamp = { at: i, eventTime: i };
      const fill = {
        fillId: `f${i}`,
        clientId,
        instrument,
        side,
        lots,
        ticks: 600_000,
        fee: 1,
        liquidity: 'maker',
      } as const;
      driver.ledger.report({ ...stamp, kind: 'order-filled', fill });
    }
    // 16 to 32 orders, as many fill ids, three books
    expect(JSON.stringify(captureState(driver.ledger)).length).toBeLessThan(40_000);
  });
});

describe('duplicates', () => {
  /** Fills of two orders, in a given order, each repeated at any later place. */
  it('change nothing, wherever they come', () => {
    const facts = fc.array(fc.tuple(fc.nat(1), fc.integer({ min: 1, max: 9 }), fc.nat(999)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(facts, fc.array(fc.tuple(fc.nat(11), fc.nat(30))), (fills, repeats) => {
        const play = (withRepeats: boolean) => {
          const driver = new Driver(newLedger(), [0]);
          driver.submit(0, 0, 59, 1); // a buy of 60
          driver.submit(0, 0, 58, 1); // a sell of 59
          const reports = fills.map(([which, lots, price], i): VenueReport => {
            const { clientId, instrument, side } = driver.orders[which]!;
            const ticks = 600_000 + price;
            const fill = {
              fillId: `f${i}`,
              clientId,
              instrument,
              side,
              lots,
              ticks,
              fee: lots,
              liquidity: 'taker',
            } as const;
            return { kind: 'order-filled', at: i, eventTime: i, fill };
          });
          const sent = reports.map((report, i) => ({ report, i }));
          if (withRepeats) {
            for (const [which, later] of repeats) {
              const first = sent.findIndex((entry) => entry.i === which % reports.length);
              const place = first + 1 + (later % (sent.length - first));
              sent.splice(place, 0, sent[first]!);
            }
          }
          let faults = 0;
          for (const { report } of sent) if (driver.send(report).fault === 'duplicate-fill') faults += 1;
          const state = captureState(driver.ledger);
          return { faults, extra: sent.length - reports.length, state };
        };
        const plain = play(false);
        const repeated = play(true);
        expect(repeated.faults).toBe(repeated.extra);
        expect(repeated.state).toEqual(plain.state);
      }),
      { numRuns: RUNS },
    );
  });
});

/** A fraction of big integers: the oracle shares no arithmetic with the ledger. */
interface Ratio {
  n: bigint;
  d: bigint;
}
const ratio = (n: bigint, d = 1n): Ratio => ({ n, d });
const plus = (a: Ratio, b: Ratio): Ratio => reduce({ n: a.n * b.d + b.n * a.d, d: a.d * b.d });
const times = (a: Ratio, n: bigint, d: bigint): Ratio => reduce({ n: a.n * n, d: a.d * d });
function reduce({ n, d }: Ratio): Ratio {
  let [a, b] = [n < 0n ? -n : n, d];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? { n: 0n, d: 1n } : { n: n / a, d: d / a };
}
/** How far `a` lies above a whole number; exact before it becomes a float. */
const above = (a: Ratio, b: number): number => asNumber(plus(a, ratio(BigInt(-b))));
const asNumber = ({ n, d }: Ratio): number => Number((n * 1_000_000n) / d) / 1e6;

/** Average-cost accounting of linear perpetuals in exact fractions of a minor unit, straight from the definitions. */
class Oracle {
  readonly books = new Map<string, { lots: bigint; cost: Ratio; instrument: Instrument }>();
  readonly marks = new Map<InstrumentId, bigint>();
  cash = ratio(0n);
  realised = ratio(0n);
  fees = 0n;
  funding = 0n;
  parts = 0;

  private worth(instrument: Instrument, ticks: bigint, lots: bigint): Ratio {
    const { tick, lot, contractSize, minorScale } = instrument;
    const n = ticks * lots * BigInt(tick.units) * BigInt(lot.units) * BigInt(contractSize.units);
    return reduce({
      n: n * 10n ** BigInt(minorScale),
      d: 10n ** BigInt(tick.scale + lot.scale + contractSize.scale),
    });
  }

  fill(id: BookId, instrument: Instrument, side: Side, size: number, ticks: number, fee: number): void {
    let held = this.books.get(id) ?? { lots: 0n, cost: ratio(0n), instrument };
    let lots = BigInt(side === 'buy' ? size : -size);
    const price = BigInt(ticks);
    if (held.lots * lots < 0n) {
      const magnitude = (x: bigint) => (x < 0n ? -x : x);
      const closed = magnitude(lots) < magnitude(held.lots) ? lots : -held.lots;
      // cost is signed like lots: what a closing part frees is its share of it
      const freed = times(held.cost, -closed, held.lots);
      const gained = this.worth(instrument, price, -closed);
      const profit = plus(gained, times(freed, -1n, 1n));
      this.realised = plus(this.realised, profit);
      this.cash = plus(this.cash, profit);
      held = { lots: held.lots + closed, cost: plus(held.cost, times(freed, -1n, 1n)), instrument };
      lots -= closed;
      this.parts += 1;
    }
    if (lots !== 0n) {
      held = {
        lots: held.lots + lots,
        cost: plus(held.cost, this.worth(instrument, price, lots)),
        instrument,
      };
      this.parts += 1;
    }
    if (held.lots === 0n) this.books.delete(id);
    else this.books.set(id, held);
    if (!this.marks.has(instrument.id)) this.marks.set(instrument.id, price);
    this.fees += BigInt(fee);
  }

  equity(opening: bigint): Ratio {
    let sum = plus(this.cash, ratio(opening - this.fees - this.funding));
    for (const { lots, cost, instrument } of this.books.values()) {
      sum = plus(
        sum,
        plus(this.worth(instrument, this.marks.get(instrument.id)!, lots), times(cost, -1n, 1n)),
      );
    }
    return sum;
  }
}

describe('an independent oracle in exact fractions', () => {
  /**
   * Bounds: each opening or closing part of a fill rounds its notional by less than one minor unit against us, and so
   * does each open position's mark. Realised profit also carries the rounding of the released cost (less than one per
   * closing part), which comes back when the position is closed.
   */
  it('agrees on linear perpetuals: lots, average cost, realised, fees, funding, equity at every step', () => {
    const opening = 1_000_000_000_000;
    const move = fc.tuple(
      fc.nat(9),
      fc.nat(1),
      fc.nat(2),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(999),
    );
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 20, size: 'max' }), (moves) => {
        const ledger = newLedger([{ currency: currency('USDT'), minorScale: 8, amount: opening }]);
        const oracle = new Oracle();
        moves.forEach(([action, which, configuration, buy, lots, n], i) => {
          const instrument = ALL[which]!;
          const id = book(instrument, configuration);
          const stamp = { at: i, eventTime: i };
          const ticks = Math.floor(AROUND[which]! * (0.7 + n / 1666));
          if (action === 0) {
            ledger.report({
              ...stamp,
              kind: 'funding-charged',
              chargeId: `c${i}`,
              instrument: instrument.id,
              book: id,
              amount: n - 500,
            });
            oracle.funding += BigInt(n - 500);
          } else if (action === 1) {
            ledger.mark(instrument.id, (ticks * instrument.tick.units) / 10 ** instrument.tick.scale, i);
            oracle.marks.set(instrument.id, BigInt(ticks));
          } else {
            const side: Side = buy ? 'buy' : 'sell';
            const fill = {
              fillId: `f${i}`,
              clientId: `o${i}` as ClientOrderId,
              instrument: instrument.id,
              side,
              lots,
              ticks,
              fee: n,
              liquidity: 'taker' as const,
            };
            ledger.report({ ...stamp, kind: 'unasked-fill', book: id, cause: 'manual', fill });
            oracle.fill(id, instrument, side, lots, ticks, n);
          }
          const figures = ledger.currencySummary(currency('USDT'))!;
          const open = ledger.positions();
          expect(open).toHaveLength(oracle.books.size);
          const behind = above(oracle.equity(BigInt(opening)), figures.equity);
          expect(behind).toBeGreaterThanOrEqual(0);
          expect(behind).toBeLessThanOrEqual(oracle.parts + open.length);
          expect(Math.abs(above(oracle.realised, figures.realised))).toBeLessThanOrEqual(2 * oracle.parts);
          expect(BigInt(figures.fees)).toBe(oracle.fees);
          expect(BigInt(figures.funding)).toBe(oracle.funding);
          for (const position of open) {
            const held = oracle.books.get(position.book)!;
            expect(BigInt(position.lots)).toBe(held.lots);
            expect(Math.abs(Math.abs(asNumber(held.cost)) - position.cost)).toBeLessThanOrEqual(
              2 * oracle.parts,
            );
            const perLot = Math.abs(asNumber(held.cost)) / Math.abs(position.lots);
            const price = position.entryPrice * 10 ** instrument.minorScale;
            const size = (v: Instrument) =>
              (v.lot.units * v.contractSize.units) / 10 ** (v.lot.scale + v.contractSize.scale);
            const unit = size(BY_ID.get(position.instrument)!);
            expect(Math.abs(price * unit - perLot)).toBeLessThanOrEqual(1e-9 * perLot + 1e-6);
          }
        });
        for (const sum of ledger.trialBalance().values()) expect(sum).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('trades', () => {
  it('add up to the account: closed trades and open positions hold every realised unit, fee and funding', () => {
    fc.assert(
      fc.property(story, (steps) => {
        const driver = new Driver(newLedger([OPENING[0]!]), [0, 1, 3]);
        // what has no open trade to belong to is left out of this law
        const orderly = steps.filter(
          ([action]) => action < 70 || (action >= 77 && action < 80) || action >= 88,
        );
        for (const step of orderly) driver.step(step);
        // close everything
        for (const position of driver.ledger.positions()) {
          const fill = {
            fillId: `z${position.book}`,
            clientId: 'z' as ClientOrderId,
            instrument: position.instrument,
            side: position.lots > 0 ? ('sell' as const) : ('buy' as const),
            lots: Math.abs(position.lots),
            ticks: 1000,
            fee: 5,
            liquidity: 'taker' as const,
          };
          driver.send({
            at: driver.at,
            eventTime: driver.at,
            kind: 'unasked-fill',
            book: position.book,
            cause: 'manual',
            fill,
          });
        }
        const trades = driver.bookings.flatMap((booking) => booking.closed ?? []);
        const figures = driver.ledger.currencySummary(currency('USDT'))!;
        expect(driver.ledger.positions()).toEqual([]);
        expect(trades.reduce((sum, trade) => sum + trade.realised, 0)).toBe(figures.realised);
        expect(trades.reduce((sum, trade) => sum + trade.fees, 0)).toBe(figures.fees);
        expect(trades.reduce((sum, trade) => sum + trade.net, 0)).toBe(figures.equity - figures.cashStart);
        expect(figures.margin).toBe(0);
        expect(new Set(trades.map((trade) => trade.id)).size).toBe(trades.length);
        for (const trade of trades) expect(trade.closedAt).toBeGreaterThanOrEqual(trade.openedAt);
      }),
      { numRuns: RUNS },
    );
  });
});
