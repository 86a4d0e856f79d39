import { broken, type Instant } from '#base';
import type { BookLevels, FlowKernel } from './flow.ts';
import { Moments } from './moments.ts';
import { normalCdf } from './statistics.ts';
import { History, WindowSum } from './windows.ts';

/**
 * Order-flow imbalance of the best quotes (Cont, Kukanov and Stoikov 2014, eq. 2): what each quote added to the bid
 * or took from the ask, less the reverse, over the last n changes of the quote. `ratio` divides by the mean depth.
 */
export class OrderFlowImbalance implements FlowKernel {
  static readonly configuration = ['outputs'];
  readonly outputs = [
    { suffix: '', unit: 'size' },
    { suffix: 'event', unit: 'size' },
    { suffix: 'ratio', unit: 'ratio' },
  ];
  values = new Float64Array(3).fill(Number.NaN);
  private begun = false;
  private bid = 0;
  private bidSize = 0;
  private ask = 0;
  private askSize = 0;
  private readonly sum: WindowSum;
  private readonly depth: WindowSum;

  constructor(n: number) {
    this.sum = new WindowSum(n);
    this.depth = new WindowSum(n);
  }

  onQuote(_time: Instant, bid: number, bidSize: number, ask: number, askSize: number): void {
    if (this.begun) {
      const event =
        (bid >= this.bid ? bidSize : 0) -
        (bid <= this.bid ? this.bidSize : 0) -
        (ask <= this.ask ? askSize : 0) +
        (ask >= this.ask ? this.askSize : 0);
      const sum = this.sum.next(event);
      const depth = this.depth.next((bidSize + askSize) / 2);
      this.values[0] = sum;
      this.values[1] = event;
      this.values[2] = depth > 0 ? sum / (depth / this.depth.n) : Number.NaN;
    }
    this.begun = true;
    this.bid = bid;
    this.bidSize = bidSize;
    this.ask = ask;
    this.askSize = askSize;
  }
}

/** Cumulative volume delta: size bought by takers less size sold, since the first print. */
export class CumulativeVolumeDelta implements FlowKernel {
  static readonly configuration = ['outputs'];
  readonly outputs = [{ suffix: '', unit: 'size' }];
  values = new Float64Array(1);

  onPrint(_time: Instant, _price: number, size: number, taker: number): void {
    this.values[0] += taker * size;
  }
}

/** Buckets of equal volume and the mean of |bought - sold| over the last n full ones, as a share of the volume. */
class VolumeBuckets {
  readonly volume: number;
  readonly n: number;
  private filled = 0;
  private bought = 0;
  private readonly sum: WindowSum;
  /** VPIN of the last n full buckets; NaN before. */
  toxicity = Number.NaN;

  constructor(volume: number, n: number) {
    if (!(volume > 0 && n >= 1))
      broken(`VPIN needs a positive bucket volume and at least one bucket: ${volume}, ${n}`);
    this.volume = volume;
    this.n = n;
    this.sum = new WindowSum(n);
  }

  /** Adds `size`, of which the fraction `buys` was bought. What is left over goes into the next buckets. */
  add(size: number, buys: number): void {
    let left = size;
    while (left > 0 && this.filled + left >= this.volume) {
      const part = this.volume - this.filled;
      this.close(this.bought + part * buys);
      left -= part;
      // Full buckets of one colour: n of them decide everything, however large the print was.
      const whole = Math.floor(left / this.volume);
      for (let k = Math.min(whole, this.n); k > 0; k--) this.close(this.volume * buys);
      left -= whole * this.volume;
    }
    if (left > 0) {
      this.filled += left;
      this.bought += left * buys;
    }
  }

  private close(bought: number): void {
    this.toxicity = this.sum.next(Math.abs(2 * bought - this.volume)) / (this.n * this.volume);
    this.filled = 0;
    this.bought = 0;
  }
}

/**
 * VPIN (Easley, Lopez de Prado and O'Hara 2012) with the aggressor's side as reported: mean order imbalance of the
 * last n volume buckets, 0..1.
 */
export class Vpin implements FlowKernel {
  static readonly configuration = ['outputs'];
  readonly outputs = [{ suffix: '', unit: 'ratio' }];
  values = new Float64Array(1).fill(Number.NaN);
  private readonly buckets: VolumeBuckets;

  constructor(bucketVolume: number, buckets: number) {
    this.buckets = new VolumeBuckets(bucketVolume, buckets);
  }

  onPrint(_time: Instant, _price: number, size: number, taker: number): void {
    this.buckets.add(size, taker > 0 ? 1 : 0);
    this.values[0] = this.buckets.toxicity;
  }
}

/**
 * VPIN with bulk volume classification, as published: of a time bar's volume the share Phi(dP / sigma) counts as
 * bought, dP being the change of the bars' last prices and sigma its sample deviation over the last `window` bars.
 * Bars before sigma is known are left out; without any deviation the share is one half.
 */
export class BulkVpin implements FlowKernel {
  static readonly configuration = ['outputs'];
  readonly outputs = [{ suffix: '', unit: 'ratio' }];
  values = new Float64Array(1).fill(Number.NaN);
  readonly barMs: number;
  private readonly buckets: VolumeBuckets;
  private readonly changes: History;
  private readonly moments: Moments;
  private bar = Number.NaN;
  private volume = 0;
  private price = 0;
  private priceBefore = Number.NaN;

  constructor(bucketVolume: number, buckets: number, barMs: number, window: number) {
    this.buckets = new VolumeBuckets(bucketVolume, buckets);
    this.barMs = barMs;
    this.changes = new History(window);
    this.moments = new Moments(window);
  }

  onPrint(time: Instant, price: number, size: number, _taker: number): void {
    const bar = Math.floor(time / this.barMs);
    if (bar !== this.bar) {
      if (!Number.isNaN(this.bar)) this.closeBar();
      this.bar = bar;
      this.volume = 0;
    }
    this.volume += size;
    this.price = price;
  }

  private closeBar(): void {
    const change = this.price - this.priceBefore;
    this.priceBefore = this.price;
    if (Number.isNaN(change)) return;
    this.moments.update(this.changes.values, this.changes.push(change));
    if (this.moments.seen < this.moments.n) return;
    const sigma = this.moments.deviation(1);
    this.buckets.add(this.volume, sigma === 0 ? 0.5 : normalCdf(change / sigma));
    this.values[0] = this.buckets.toxicity;
  }
}

/** (bid size - ask size) / (bid size + ask size) over the first levels of the book, -1..1; NaN for an empty book. */
export class BookImbalance implements FlowKernel {
  static readonly configuration = ['outputs'];
  readonly outputs = [{ suffix: '', unit: 'ratio -1..1' }];
  values = new Float64Array(1).fill(Number.NaN);
  readonly levels: number;

  constructor(levels: number) {
    this.levels = levels;
  }

  onBook(_time: Instant, book: BookLevels, offset: number): void {
    let bids = 0;
    let asks = 0;
    const end = offset + Math.min(this.levels, book.depth);
    for (let k = offset; k < end; k++) {
      bids += book.bidSize[k];
      asks += book.askSize[k];
    }
    this.values[0] = (bids - asks) / (bids + asks);
  }
}
