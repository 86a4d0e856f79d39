import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chance, captureState, restoreState } from '#base';
import { computeFlow, type FlowKernel, type FlowTape, flowKinds } from './flow.ts';
import { fitMicroprice, Microprice } from './microprice.ts';
import { BookImbalance, BulkVpin, CumulativeVolumeDelta, OrderFlowImbalance, Vpin } from './order-flow.ts';
import { normalCdf } from './statistics.ts';

const DEPTH = 3;

/** A seeded tape of quotes, prints and books on a tick of 0.5. */
function tapeOf(seed: number, n: number): FlowTape {
  const chance = new Chance(seed);
  const column = () => new Float64Array(n);
  const levels = () => new Float64Array(n * DEPTH);
  const tape = {
    length: n,
    kind: new Uint8Array(n),
    row: new Uint32Array(n),
    quotes: { time: column(), bid: column(), bidSize: column(), ask: column(), askSize: column() },
    prints: { time: column(), price: column(), size: column(), taker: new Int8Array(n) },
    books: {
      depth: DEPTH,
      time: column(),
      bidPrice: levels(),
      bidSize: levels(),
      askPrice: levels(),
      askSize: levels(),
    },
  };
  const rows = [0, 0, 0];
  let ticks = 200;
  for (let i = 0; i < n; i++) {
    const kind = chance.below(3);
    const r = rows[kind]++;
    tape.kind[i] = kind;
    tape.row[i] = r;
    if (chance.happens(0.3)) ticks += chance.below(3) - 1;
    if (kind === flowKinds.quote) {
      tape.quotes.time[r] = i * 100;
      tape.quotes.bid[r] = ticks / 2;
      tape.quotes.ask[r] = (ticks + 1 + chance.below(3)) / 2;
      tape.quotes.bidSize[r] = 1 + chance.below(9);
      tape.quotes.askSize[r] = 1 + chance.below(9);
    } else if (kind === flowKinds.print) {
      tape.prints.time[r] = i * 100;
      tape.prints.price[r] = ticks / 2;
      tape.prints.size[r] = chance.uniform() * 5;
      tape.prints.taker[r] = chance.happens(0.5) ? 1 : -1;
    } else {
      tape.books.time[r] = i * 100;
      for (let k = r * DEPTH; k < (r + 1) * DEPTH; k++) {
        tape.books.bidPrice[k] = (ticks - (k % DEPTH)) / 2;
        tape.books.askPrice[k] = (ticks + 1 + (k % DEPTH)) / 2;
        tape.books.bidSize[k] = chance.below(10);
        tape.books.askSize[k] = chance.below(10);
      }
    }
  }
  return tape;
}

const model = fitMicroprice(tapeOf(1, 3000).quotes, { tick: 0.5, buckets: 4, spreads: 2 });
const makers: Record<string, () => FlowKernel> = {
  ofi: () => new OrderFlowImbalance(7),
  cvd: () => new CumulativeVolumeDelta(),
  vpin: () => new Vpin(4, 5),
  'bulk vpin': () => new BulkVpin(4, 5, 1000, 6),
  'book imbalance': () => new BookImbalance(2),
  microprice: () => new Microprice(model),
};

/** Tells one event to the kernel as a live feed would: with a book of its own. */
function tell(kernel: FlowKernel, tape: FlowTape, i: number): void {
  const r = tape.row[i];
  const { quotes, prints, books } = tape;
  if (tape.kind[i] === flowKinds.quote) {
    kernel.onQuote?.(quotes.time[r], quotes.bid[r], quotes.bidSize[r], quotes.ask[r], quotes.askSize[r]);
  } else if (tape.kind[i] === flowKinds.print) {
    kernel.onPrint?.(prints.time[r], prints.price[r], prints.size[r], prints.taker[r]);
  } else {
    const cut = (x: Float64Array) => x.slice(r * DEPTH, (r + 1) * DEPTH);
    const book = {
      depth: DEPTH,
      bidPrice: cut(books.bidPrice),
      bidSize: cut(books.bidSize),
      askPrice: cut(books.askPrice),
      askSize: cut(books.askSize),
    };
    kernel.onBook?.(books.time[r], book, 0);
  }
}

describe('flow features', () => {
  it('are the same bits event by event, over a tape, and through a snapshot', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(makers)), fc.nat(1e6), fc.nat(60), (name, seed, cut) => {
        const tape = tapeOf(seed, 60);
        const batch = computeFlow(makers[name](), tape);
        let kernel = makers[name]();
        for (let i = 0; i < tape.length; i++) {
          if (i === cut) {
            const next = makers[name]();
            restoreState(next, JSON.parse(JSON.stringify(captureState(kernel))));
            kernel = next;
          }
          tell(kernel, tape, i);
          for (let k = 0; k < batch.length; k++) {
            if (!Object.is(batch[k][i], kernel.values[k])) throw new Error(`${name} event ${i} output ${k}`);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('stay the same over many rebuilds of their sums, and close to a fresh sum', () => {
    const tape = tapeOf(5, 4000);
    const [sums, events] = computeFlow(new OrderFlowImbalance(7), tape);
    const own: number[] = [];
    for (let i = 0; i < tape.length; i++) {
      if (tape.kind[i] !== flowKinds.quote) continue;
      if (!Number.isNaN(events[i])) own.push(events[i]);
      const expected = own.length < 7 ? Number.NaN : own.slice(-7).reduce((a, b) => a + b, 0);
      expect(sums[i]).toBe(expected);
    }
    expect(own.length).toBeGreaterThan(1000);
  });
});

describe('OrderFlowImbalance', () => {
  it('counts as Cont, Kukanov and Stoikov do', () => {
    const kernel = new OrderFlowImbalance(2);
    const event = (...quote: [number, number, number, number]) => {
      kernel.onQuote(0, ...quote);
      return kernel.values[1];
    };
    expect(event(10, 5, 11, 4)).toBeNaN();
    expect(event(10, 8, 11, 4)).toBe(3); // bid grew by 3
    expect(event(10, 8, 11, 1)).toBe(3); // ask shrank by 3
    expect(kernel.values[0]).toBe(6);
    expect(kernel.values[2]).toBeCloseTo(6 / ((6 + 4.5) / 2), 12);
    expect(event(10.5, 2, 11, 1)).toBe(2); // a better bid counts whole
    expect(event(10, 7, 11, 1)).toBe(-2); // its loss counts what was there
    expect(event(10, 7, 10.5, 6)).toBe(-6); // a better ask counts whole
    expect(event(10, 7, 11, 9)).toBe(6); // its loss counts what was there
  });
});

describe('VPIN', () => {
  const print = (kernel: FlowKernel, size: number, taker: number, price = 1, time = 0) => {
    kernel.onPrint!(time, price, size, taker);
    return kernel.values[0];
  };

  it('fills buckets of equal volume and splits prints between them', () => {
    const kernel = new Vpin(10, 2);
    expect(print(kernel, 6, 1)).toBeNaN();
    expect(print(kernel, 8, -1)).toBeNaN(); // first bucket: 6 bought, 4 sold; 4 sold left over
    expect(print(kernel, 6, -1)).toBeCloseTo((2 + 10) / 20, 12);
    expect(print(kernel, 9, 1)).toBeCloseTo(12 / 20, 12); // not full yet
    expect(print(kernel, 1, -1)).toBeCloseTo((10 + 8) / 20, 12);
  });

  it('survives a print larger than all buckets', () => {
    const kernel = new Vpin(10, 3);
    expect(print(kernel, 1e15 + 5, 1)).toBeCloseTo(1, 12);
    expect(print(kernel, 0, 1)).toBeCloseTo(1, 12);
    for (let k = 0; k < 3; k++) print(kernel, 5, 1);
    for (let k = 0; k < 20; k++) print(kernel, 5, k % 2 ? 1 : -1);
    expect(kernel.values[0]).toBeCloseTo(0, 12);
  });

  it('is between 0 and 1', () => {
    for (const make of [makers.vpin, makers['bulk vpin']]) {
      const values = computeFlow(make(), tapeOf(9, 3000))[0].filter((value) => !Number.isNaN(value));
      expect(values.length).toBeGreaterThan(1000);
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
      }
    }
  });

  it('classifies the volume of time bars by the move of the price', () => {
    const kernel = new BulkVpin(100, 1, 1000, 2);
    const prices = [10, 11, 10, 12];
    prices.forEach((price, k) => {
      print(kernel, 60, 1, price - 3, k * 1000);
      print(kernel, 40, -1, price, k * 1000 + 500);
    });
    // bars close with the first print of the next: changes +1, -1 are known, sigma = sqrt 2, the last change is -1
    const bought = 100 * normalCdf(-1 / Math.SQRT2);
    expect(kernel.values[0]).toBeCloseTo(Math.abs(2 * bought - 100) / 100, 12);
  });
});

describe('CumulativeVolumeDelta and BookImbalance', () => {
  it('add up sides', () => {
    const delta = new CumulativeVolumeDelta();
    delta.onPrint(0, 1, 3, 1);
    delta.onPrint(0, 1, 5, -1);
    expect(delta.values[0]).toBe(-2);
  });

  it('compares the first levels only', () => {
    const book = {
      depth: 3,
      bidPrice: new Float64Array(3),
      bidSize: Float64Array.of(3, 1, 90),
      askPrice: new Float64Array(3),
      askSize: Float64Array.of(1, 3, 5),
    };
    const of = (levels: number) => {
      const kernel = new BookImbalance(levels);
      kernel.onBook(0, book, 0);
      return kernel.values[0];
    };
    expect(of(1)).toBe(0.5);
    expect(of(2)).toBe(0);
    expect(of(10)).toBeCloseTo(85 / 103, 12);
    book.bidSize.fill(0);
    book.askSize.fill(0);
    expect(of(3)).toBeNaN();
  });
});

describe('micro-price', () => {
  /** Quotes at a spread of one tick; the mid goes up with the probability of the bid's share of the sizes. */
  function quotes(n: number) {
    const chance = new Chance('micro-price');
    const column = () => new Float64Array(n);
    const q = { time: column(), bid: column(), bidSize: column(), ask: column(), askSize: column() };
    let ticks = 1000;
    let share = 0.5;
    for (let i = 0; i < n; i++) {
      if (i > 0 && chance.happens(0.5)) ticks += chance.happens(share) ? 1 : -1;
      share = (0.5 + chance.below(10)) / 10;
      q.bid[i] = ticks * 0.01;
      q.ask[i] = (ticks + 1) * 0.01;
      q.bidSize[i] = 100 * share;
      q.askSize[i] = 100 * (1 - share);
    }
    return q;
  }

  it('finds the expected move of the mid from imbalance', () => {
    // The next imbalance is independent, so the whole adjustment is the next move: 0.5 (2 share - 1) ticks over the
    // chance 0.5 of any move, which is geometric: until it comes the share is drawn anew with mean one half.
    const fitted = fitMicroprice(quotes(60_000), { tick: 0.01, buckets: 10, spreads: 1 });
    fitted.adjustment.forEach((adjustment, k) => {
      const share = (0.5 + k) / 10;
      expect(Math.abs(adjustment - 0.01 * 0.5 * (2 * share - 1))).toBeLessThan(0.01 * 0.03);
    });
  });

  it('is antisymmetric and lies between the quotes', () => {
    const fitted = fitMicroprice(quotes(5000), { tick: 0.01 });
    for (let k = 0; k < 10; k++) {
      for (let s = 0; s < fitted.spreads; s++) {
        const there = fitted.adjustment[k * fitted.spreads + s];
        expect(there + fitted.adjustment[(9 - k) * fitted.spreads + s]).toBeCloseTo(0, 12);
      }
    }
    const kernel = new Microprice(fitted);
    kernel.onQuote(0, 10, 90, 10.01, 10);
    expect(kernel.values[0]).toBeGreaterThan(10.005);
    expect(kernel.values[0]).toBeLessThan(10.01);
    expect(kernel.values[1]).toBeCloseTo(10.005, 12);
    expect(kernel.values[2]).toBeCloseTo(10.009, 12);
    kernel.onQuote(0, 10, 0, 10.01, 0);
    expect(kernel.values[0]).toBeNaN();
    kernel.onQuote(0, 10, 5, 10, 5);
    expect(kernel.values[0]).toBeNaN();
  });

  it('adjusts nothing without observations or without moves', () => {
    const none = { time: [], bid: [], bidSize: [], ask: [], askSize: [] };
    const empty = Object.fromEntries(Object.keys(none).map((key) => [key, new Float64Array(0)])) as unknown;
    expect(
      fitMicroprice(empty as ReturnType<typeof quotes>, { tick: 1 }).adjustment.every((a) => a === 0),
    ).toBe(true);
    const still = quotes(100);
    still.bid.fill(10);
    still.ask.fill(10.01);
    expect(fitMicroprice(still, { tick: 0.01 }).adjustment.every((a) => a === 0)).toBe(true);
  });
});
