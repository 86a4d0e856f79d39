import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captureState, restoreState } from '#base';
import {
  HostileVenue,
  NO_FAULTS,
  SimulatedVenue,
  type SimulatedVenueOptions,
  type VenueCommand,
  type VenueFold,
  venueOptions,
} from '#execution';
import {
  type BookId,
  type ClientOrderId,
  Ledger,
  type OrderRequest,
  type OrderType,
  type TimeInForce,
  type VenueReport,
} from '#ledger';
import { currency, type Instrument, type InstrumentId, type MarketEvent } from '#market';
import { perpetual } from '../support/instruments.ts';

const MINUTE = 60_000;
const START = 1_000 * 86_400_000;
const RUNS = 1_000;

const contracts: readonly Instrument[] = ['A.SIM', 'B.SIM'].map((id) =>
  perpetual(id, {
    lot: { units: 1, scale: 0 },
    maxLeverage: 50,
    marginTiers: [{ maxNotional: null, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 50 }],
    fees: [{ from: 0, makerRate: -1_000, takerRate: 5_000 }],
  }),
);
const instrumentOf = (id: InstrumentId) => contracts.find((known) => known.id === id)!;

/** Prices in ticks of 0.1 around 1000, so that a bar reaches many orders. */
const barTicks = fc
  .tuple(
    fc.integer({ min: 960, max: 1040 }),
    fc.integer({ min: 960, max: 1040 }),
    fc.nat(15),
    fc.nat(15),
    fc.nat(300),
  )
  .map(([open, close, up, down, volume]) => {
    const high = Math.max(open, close) + up;
    const low = Math.min(open, close) - down;
    return { open: open / 10, high: high / 10, low: low / 10, close: close / 10, volume };
  });

const TYPES: readonly OrderType[] = [
  'market',
  'market',
  'limit',
  'limit',
  'stop',
  'stop-limit',
  'take-profit',
  'take-profit-limit',
  'trailing-stop',
];
const FORCES: readonly TimeInForce[] = ['GTC', 'GTC', 'GTC', 'IOC', 'FOK', 'GTD', 'DAY'];

interface Asked {
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly side: 'buy' | 'sell';
  readonly lots: number;
  readonly limit: number;
  readonly trigger: number;
  readonly book: number;
  readonly contract: number;
  readonly reduceOnly: boolean;
  readonly postOnly: boolean;
  readonly oco: boolean;
  readonly child: boolean;
  readonly leverage: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  type: fc.constantFrom(...TYPES),
  timeInForce: fc.constantFrom(...FORCES),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  lots: fc.integer({ min: 1, max: 30 }),
  limit: fc.integer({ min: 960, max: 1040 }),
  trigger: fc.integer({ min: 960, max: 1040 }),
  book: fc.nat(1),
  contract: fc.nat(1),
  reduceOnly: fc.boolean(),
  postOnly: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  oco: fc.boolean(),
  child: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  leverage: fc.constantFrom(1, 5, 50),
});

interface Meddling {
  readonly kind: 'cancel-order' | 'amend-order';
  readonly which: number;
  readonly lots: number;
  readonly limit: number | null;
}

const meddling: fc.Arbitrary<Meddling> = fc.record({
  kind: fc.constantFrom('cancel-order' as const, 'amend-order' as const),
  which: fc.nat(40),
  lots: fc.integer({ min: 1, max: 40 }),
  limit: fc.option(fc.integer({ min: 960, max: 1040 })),
});

const step = fc.record({
  orders: fc.array(asked, { maxLength: 3 }),
  meddle: fc.array(meddling, { maxLength: 1 }),
  bars: fc.tuple(barTicks, barTicks),
  funding: fc.integer({ min: 0, max: 5 }).map((n) => (n === 0 ? 0.0001 : null)),
});
const scenario = fc.array(step, { minLength: 1, maxLength: 8 });
type Scenario = (typeof scenario)['generate'] extends (...args: never[]) => { value: infer T } ? T : never;

const settings = fc.record({
  latencyMs: fc.constantFrom(0, 250, 90_000),
  participation: fc.constantFrom(null, 0.1, 0.5),
  limitFill: fc.constantFrom('through' as const, 'touch' as const, 'queue' as const),
  intrabar: fc.constantFrom('adverse-first' as const, 'ohlc' as const, 'olhc' as const),
  seed: fc.nat(),
});

const noSlip = (given: Partial<SimulatedVenueOptions>) => venueOptions({ instrumentOf, ...given });

/** Commands of every step, named by place, so that two runs send the same. */
function commandsOf(steps: Scenario): VenueCommand[][] {
  const sent: OrderRequest[] = [];
  return steps.map((now, s) => {
    const commands: VenueCommand[] = now.orders.map((ask, i) => {
      const contract = contracts[ask.contract]!;
      const last = sent.findLast((order) => order.instrument === contract.id && order.parent === null);
      const parent = ask.child && last ? last : null;
      const order: OrderRequest = {
        clientId: `s${s}o${i}` as ClientOrderId,
        book: parent?.book ?? (`p/d/c${ask.book}/${contract.id}` as BookId),
        instrument: contract.id,
        side: parent ? (parent.side === 'buy' ? 'sell' : 'buy') : ask.side,
        lots: parent?.lots ?? ask.lots,
        type: ask.type,
        limitTicks: ask.type.endsWith('limit') ? ask.limit : null,
        triggerTicks:
          ask.type === 'market' || ask.type === 'limit' || ask.type === 'trailing-stop' ? null : ask.trigger,
        trailRate: ask.type === 'trailing-stop' ? 1_000_000 : null,
        timeInForce: ask.timeInForce,
        expiresAt: ask.timeInForce === 'GTD' ? START + (s + 2) * MINUTE : null,
        postOnly: ask.postOnly && ask.type === 'limit',
        reduceOnly: parent !== null || ask.reduceOnly,
        reduceOnlyAtVenue: false,
        ocoGroup: ask.oco ? `${contract.id}/${parent?.clientId ?? `s${s}b${ask.book}`}` : null,
        parent: parent?.clientId ?? null,
        leverage: ask.leverage,
        expectedTicks: null,
        reason: 'law',
      };
      sent.push(order);
      return { kind: 'submit-order', order };
    });
    for (const wish of now.meddle) {
      const target = sent[wish.which % Math.max(1, sent.length)];
      if (!target) continue;
      const { clientId } = target;
      if (wish.kind === 'cancel-order') commands.push({ kind: 'cancel-order', clientId, reason: 'law' });
      else {
        const limitTicks = target.limitTicks === null ? null : wish.limit;
        commands.push({ kind: 'amend-order', clientId, lots: wish.lots, limitTicks, triggerTicks: null });
      }
    }
    return commands;
  });
}

/** Market events of one step, A before B unless `swapped`. */
function eventsOf(steps: Scenario, s: number, swapped: boolean): MarketEvent[] {
  const time = START + s * MINUTE;
  const close = time + MINUTE;
  const order = swapped ? [1, 0] : [0, 1];
  const { bars, funding } = steps[s]!;
  const of = (i: number) => contracts[i]!.id;
  const both = (make: (i: number) => MarketEvent) => order.map(make);
  return [
    ...both((i) => ({
      kind: 'bar-opened',
      at: time,
      eventTime: time,
      instrument: of(i),
      intervalMs: MINUTE,
      open: bars[i]!.open,
    })),
    ...(funding === null
      ? []
      : both((i) => ({
          kind: 'funding-due',
          at: close,
          eventTime: close,
          instrument: of(i),
          rate: funding,
          mark: bars[i]!.close,
        }))),
    ...both((i) => ({
      kind: 'bar-closed',
      at: close,
      eventTime: close,
      instrument: of(i),
      intervalMs: MINUTE,
      bar: { time, ...bars[i]! },
    })),
  ];
}

interface Told {
  readonly step: number;
  readonly report: VenueReport;
}

function run(sim: VenueFold, steps: Scenario, swapped = false, from = 0, to = steps.length): Told[] {
  const commands = commandsOf(steps);
  const told: Told[] = [];
  const hear = (s: number, reports: readonly VenueReport[]) => {
    for (const report of reports) told.push({ step: s, report });
  };
  for (let s = from; s < to; s++) {
    hear(s, sim.advanceTo(START + s * MINUTE));
    for (const command of commands[s]!) hear(s, sim.execute(command, START + s * MINUTE));
    for (const event of eventsOf(steps, s, swapped)) hear(s, sim.onMarket(event));
  }
  return told;
}

const requestsOf = (steps: Scenario): Map<string, OrderRequest> =>
  new Map(
    commandsOf(steps)
      .flat()
      .flatMap((c) => (c.kind === 'submit-order' ? [[c.order.clientId, c.order] as const] : [])),
  );

const law = (name: string, check: (given: Partial<SimulatedVenueOptions>, steps: Scenario) => void) =>
  it(name, () => fc.assert(fc.property(settings, scenario, check), { numRuns: RUNS }));

describe('laws of the simulated venue', () => {
  law('no order fills more than it asks for', (given, steps) => {
    const requests = requestsOf(steps);
    const size = new Map<string, number>();
    const filled = new Map<string, number>();
    for (const { report } of run(new SimulatedVenue(noSlip(given)), steps)) {
      if (report.kind === 'order-amended') size.set(report.clientId, report.lots);
      if (report.kind !== 'order-filled') continue;
      const { clientId, lots } = report.fill;
      expect(lots).toBeGreaterThan(0);
      const sum = (filled.get(clientId) ?? 0) + lots;
      filled.set(clientId, sum);
      expect(sum).toBeLessThanOrEqual(size.get(clientId) ?? requests.get(clientId)!.lots);
    }
  });

  law('reduce-only never opens and never flips its book', (given, steps) => {
    const requests = requestsOf(steps);
    const held = new Map<string, number>();
    for (const { report } of run(new SimulatedVenue(noSlip(given)), steps)) {
      if (report.kind !== 'order-filled' && report.kind !== 'unasked-fill') continue;
      const { fill } = report;
      const order = report.kind === 'order-filled' ? requests.get(fill.clientId)! : null;
      const book = report.kind === 'unasked-fill' ? report.book : order!.book;
      const before = held.get(book) ?? 0;
      const after = before + (fill.side === 'buy' ? fill.lots : -fill.lots);
      held.set(book, after);
      if (report.kind === 'unasked-fill') expect(after).toBe(0);
      else if (order!.reduceOnly) {
        expect(Math.abs(after)).toBeLessThan(Math.abs(before));
        expect(after === 0 || Math.sign(after) === Math.sign(before)).toBe(true);
      }
    }
  });

  law('of a group at most one fills whole', (given, steps) => {
    const requests = requestsOf(steps);
    const filled = new Map<string, number>();
    for (const { report } of run(new SimulatedVenue(noSlip(given)), steps)) {
      if (report.kind !== 'order-filled') continue;
      filled.set(report.fill.clientId, (filled.get(report.fill.clientId) ?? 0) + report.fill.lots);
    }
    const whole = new Map<string, number>();
    for (const [id, lots] of filled) {
      const { ocoGroup, lots: asked } = requests.get(id)!;
      if (ocoGroup !== null && lots >= asked) whole.set(ocoGroup, (whole.get(ocoGroup) ?? 0) + 1);
    }
    // what arrives after the group has fired is a new member of it, so only members sent together are judged
    for (const [group, count] of whole) {
      const members = [...requests.values()].filter((order) => order.ocoGroup === group);
      const together = new Set(members.map((order) => order.clientId.split('o')[0])).size === 1;
      if (together && given.latencyMs === 0) expect(count).toBeLessThanOrEqual(1);
    }
  });

  law('without slippage every fill lies within its bar and no limit is made worse', (given, steps) => {
    const requests = requestsOf(steps);
    const limits = new Map<string, number | null>([...requests].map(([id, order]) => [id, order.limitTicks]));
    for (const { step: s, report } of run(new SimulatedVenue(noSlip(given)), steps)) {
      if (report.kind === 'order-amended') limits.set(report.clientId, report.limitTicks);
      if (report.kind !== 'order-filled') continue;
      const { fill } = report;
      const bar = steps[s]!.bars[contracts.findIndex((known) => known.id === fill.instrument)]!;
      expect(fill.ticks).toBeGreaterThanOrEqual(Math.round(bar.low * 10));
      expect(fill.ticks).toBeLessThanOrEqual(Math.round(bar.high * 10));
      const limit = limits.get(fill.clientId);
      if (limit) expect((fill.ticks - limit) * (fill.side === 'buy' ? 1 : -1)).toBeLessThanOrEqual(0);
    }
  });

  law('slippage makes no limit worse and leaves the bar only against us', (given, steps) => {
    const slippage = { kind: 'fixed', rate: 1_000_000 } as const;
    const requests = requestsOf(steps);
    const limits = new Map<string, number | null>([...requests].map(([id, order]) => [id, order.limitTicks]));
    for (const { step: s, report } of run(new SimulatedVenue(noSlip({ ...given, slippage })), steps)) {
      if (report.kind === 'order-amended') limits.set(report.clientId, report.limitTicks);
      if (report.kind !== 'order-filled') continue;
      const { fill } = report;
      const bar = steps[s]!.bars[contracts.findIndex((known) => known.id === fill.instrument)]!;
      if (fill.side === 'buy') expect(fill.ticks).toBeGreaterThanOrEqual(Math.round(bar.low * 10));
      else expect(fill.ticks).toBeLessThanOrEqual(Math.round(bar.high * 10));
      const limit = limits.get(fill.clientId);
      if (limit) expect((fill.ticks - limit) * (fill.side === 'buy' ? 1 : -1)).toBeLessThanOrEqual(0);
    }
  });

  law('all fills of a bar together stay within the participation cap', (given, steps) => {
    const participation = given.participation ?? 0.25;
    const perBar = new Map<string, number>();
    for (const { step: s, report } of run(new SimulatedVenue(noSlip({ ...given, participation })), steps)) {
      if (report.kind !== 'order-filled') continue;
      const key = `${s}/${report.fill.instrument}`;
      perBar.set(key, (perBar.get(key) ?? 0) + report.fill.lots);
    }
    for (const [key, lots] of perBar) {
      const [s, id] = key.split('/');
      const bar = steps[Number(s)]!.bars[contracts.findIndex((known) => known.id === id)]!;
      expect(lots).toBeLessThanOrEqual(participation * bar.volume + 1e-9);
    }
  });

  const noisy = { slippageFrom: 0.5, slippageTo: 2, latencySigma: 0.5, skippedFills: 0.2 };
  const slippage = { kind: 'impact', halfSpreadRate: 10_000, k: 0.5, windowBars: 5 } as const;

  law(
    'the same seed repeats every report; what is told at one instant has no time before it',
    (given, steps) => {
      const options = noSlip({ ...given, noise: noisy, slippage });
      const first = run(new SimulatedVenue(options), steps);
      expect(run(new SimulatedVenue(options), steps)).toEqual(first);
      let at = Number.NEGATIVE_INFINITY;
      for (const { report } of first) {
        expect(report.at).toBeGreaterThanOrEqual(at);
        at = report.at;
      }
    },
  );

  law('the order of instruments at one instant changes nothing', (given, steps) => {
    const options = noSlip({ ...given, noise: noisy, slippage });
    const of = (told: Told[], contract: Instrument) => {
      const requests = requestsOf(steps);
      return told.filter(({ report }) => {
        if (report.kind === 'order-filled' || report.kind === 'unasked-fill')
          return report.fill.instrument === contract.id;
        if (report.kind === 'funding-charged') return report.instrument === contract.id;
        return (
          report.kind !== 'account-reported' && requests.get(report.clientId)?.instrument === contract.id
        );
      });
    };
    const [straight, swapped] = [
      run(new SimulatedVenue(options), steps),
      run(new SimulatedVenue(options), steps, true),
    ];
    for (const contract of contracts) expect(of(swapped, contract)).toEqual(of(straight, contract));
  });

  it('a captured venue, restored, goes on as if nothing had happened', () => {
    fc.assert(
      fc.property(settings, scenario, fc.nat(8), fc.boolean(), (given, steps, cut, hostile) => {
        const faults = {
          ...NO_FAULTS,
          seed: 7,
          lostReport: 0.2,
          delay: 0.3,
          duplicate: 0.2,
          slowCancel: 0.5,
        };
        const options = noSlip({ ...given, slippage });
        const make = () => (hostile ? new HostileVenue(options, faults) : new SimulatedVenue(options));
        const whole = run(make(), steps);
        const middle = Math.min(cut, steps.length);
        const first = make();
        const head = run(first, steps, false, 0, middle);
        const second = make();
        restoreState(second, JSON.parse(JSON.stringify(captureState(first))));
        expect([...head, ...run(second, steps, false, middle)]).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('venue and ledger', () => {
  law('the books find no fault in what the venue says and hold what it holds', (given, steps) => {
    const sim = new SimulatedVenue(noSlip({ ...given, slippage: { kind: 'fixed', rate: 50_000 } }));
    const ledger = new Ledger({
      portfolio: 'p',
      base: currency('USDT'),
      baseMinorScale: 8,
      instrumentOf,
      openingCash: [{ currency: currency('USDT'), minorScale: 8, amount: 1e14 }],
      at: START,
    });
    for (const contract of contracts) ledger.admit(contract);
    const hear = (reports: readonly VenueReport[]) => {
      for (const report of reports) {
        const booking = ledger.report(report);
        expect(booking.fault, JSON.stringify(report)).toBeNull();
      }
    };
    const commands = commandsOf(steps);
    for (let s = 0; s < steps.length; s++) {
      const at = START + s * MINUTE;
      hear(sim.advanceTo(at));
      for (const command of commands[s]!) {
        if (command.kind === 'submit-order') ledger.submit(command.order, at);
        hear(sim.execute(command, at));
      }
      for (const event of eventsOf(steps, s, false)) hear(sim.onMarket(event));
    }
    const end = START + steps.length * MINUTE + 120_000;
    hear(sim.advanceTo(end));
    expect(ledger.report(sim.accountReport(end)).differences).toEqual([]);
    for (const balance of ledger.trialBalance().values()) expect(balance).toBe(0);
  });
});

describe('laws of the hostile venue', () => {
  it('once it is calm, queries reveal every fill, once, and they add up to what the venue holds', () => {
    const chance = fc.constantFrom(0, 0.2, 0.6);
    const model = fc.record({
      seed: fc.nat(),
      lostSend: chance,
      rejectedSend: chance,
      lostReport: chance,
      lostFill: chance,
      duplicate: chance,
      delay: chance,
      split: chance,
      slowCancel: chance,
      lostWhileDown: chance,
      disconnectEveryMs: fc.constantFrom(null, 2 * MINUTE),
    });
    fc.assert(
      fc.property(settings, scenario, model, (given, steps, faults) => {
        const end = START + steps.length * MINUTE + 120_000;
        const options = noSlip({ ...given, faults: { ...NO_FAULTS, ...faults, until: end } });
        const sim = new HostileVenue(options, options.faults!);
        const told: VenueReport[] = run(sim, steps).map(({ report }) => report);
        told.push(...sim.advanceTo(end));
        for (const clientId of requestsOf(steps).keys()) {
          told.push(...sim.execute({ kind: 'query-order', clientId: clientId as ClientOrderId }, end));
        }
        told.push(...sim.advanceTo(end + 10 * MINUTE));
        const fills = new Map<string, number>();
        const nets = new Map<string, number>();
        for (const report of told) {
          if (report.kind !== 'order-filled' && report.kind !== 'unasked-fill') continue;
          const { fillId, instrument, side, lots } = report.fill;
          if (fills.has(fillId)) {
            expect(lots).toBe(fills.get(fillId));
            continue;
          }
          fills.set(fillId, lots);
          nets.set(instrument, (nets.get(instrument) ?? 0) + (side === 'buy' ? lots : -lots));
        }
        const account = sim.accountReport(end + 10 * MINUTE);
        const held = [...nets]
          .filter(([, lots]) => lots !== 0)
          .map(([instrument, lots]) => ({ instrument, lots }));
        expect(account.kind === 'account-reported' && account.nets).toEqual(
          held.sort((a, b) => (a.instrument < b.instrument ? -1 : 1)),
        );
      }),
      { numRuns: RUNS },
    );
  });
});
