import type { Depth } from './shapes.ts';

export interface Top {
  readonly bid: number;
  readonly bidSize: number;
  readonly ask: number;
  readonly askSize: number;
}

/** Best bid and ask of a book that comes as a snapshot and changes, each of which begins where the one before ended. */
export class TopOfBook {
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();
  private version: string | null = null;

  /** The book is not known any more: changes are passed over until a snapshot comes. */
  forget(): void {
    this.version = null;
    this.bids.clear();
    this.asks.clear();
  }

  get isKnown(): boolean {
    return this.version !== null;
  }

  /** The best prices afterwards; null where they are not known: a change is missing, a side is empty, or they cross. */
  apply({ depthType, startVersion, endVersion, bids, asks }: Depth): Top | null {
    const isSnapshot = depthType === 'SNAPSHOT';
    if (isSnapshot) this.forget();
    else if (this.version !== startVersion) {
      this.forget();
      return null;
    }
    take(this.bids, bids);
    take(this.asks, asks);
    this.version = endVersion;
    return this.top();
  }

  private top(): Top | null {
    let bid = 0;
    for (const price of this.bids.keys()) bid = Math.max(bid, price);
    let ask = Number.POSITIVE_INFINITY;
    for (const price of this.asks.keys()) ask = Math.min(ask, price);
    if (!(bid > 0 && ask < Number.POSITIVE_INFINITY)) return null;
    if (bid >= ask) {
      this.forget();
      return null;
    }
    return { bid, bidSize: this.bids.get(bid)!, ask, askSize: this.asks.get(ask)! };
  }
}

function take(side: Map<number, number>, levels: Depth['bids']): void {
  for (const { price, size } of levels) {
    if (Number(size) > 0) side.set(Number(price), Number(size));
    else side.delete(Number(price));
  }
}
