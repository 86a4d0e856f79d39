import { broken, type Instant } from '#base';
import type { FeatureOutput } from './kernel.ts';

/** The first levels of a book, best first, from `offset` on in each array; a missing level has size 0. */
export interface BookLevels {
  readonly depth: number;
  readonly bidPrice: Float64Array;
  readonly bidSize: Float64Array;
  readonly askPrice: Float64Array;
  readonly askSize: Float64Array;
}

/**
 * A feature over quotes, prints and books. It is told every event in order, one method per kind, and keeps its
 * newest values in `values`, NaN while undefined. State lives in fields; nothing is allocated per event.
 */
export interface FlowKernel {
  readonly outputs: readonly FeatureOutput[];
  readonly values: Float64Array;
  onQuote?(time: Instant, bid: number, bidSize: number, ask: number, askSize: number): void;
  /** `taker`: 1 when the aggressor bought, -1 when it sold. */
  onPrint?(time: Instant, price: number, size: number, taker: number): void;
  onBook?(time: Instant, book: BookLevels, offset: number): void;
}

export interface QuoteColumns {
  readonly time: Float64Array;
  readonly bid: Float64Array;
  readonly bidSize: Float64Array;
  readonly ask: Float64Array;
  readonly askSize: Float64Array;
}

export interface PrintColumns {
  readonly time: Float64Array;
  readonly price: Float64Array;
  readonly size: Float64Array;
  /** 1 bought, -1 sold. */
  readonly taker: Int8Array | Float64Array;
}

export interface BookColumns extends BookLevels {
  readonly time: Float64Array;
}

export const flowKinds = { quote: 0, print: 1, book: 2 } as const;

/** Events in order: event i is row `row[i]` of the columns of its kind. Row r of a book begins at r * depth. */
export interface FlowTape {
  readonly length: number;
  readonly kind: Uint8Array;
  readonly row: Uint32Array;
  readonly quotes: QuoteColumns;
  readonly prints: PrintColumns;
  readonly books: BookColumns;
}

/** The kernel's values after every event of the tape: one array per output, as long as the tape. */
export function computeFlow(kernel: FlowKernel, tape: FlowTape): Float64Array[] {
  const out = kernel.outputs.map(() => new Float64Array(tape.length));
  const { quotes, prints, books } = tape;
  for (let i = 0; i < tape.length; i++) {
    const r = tape.row[i];
    switch (tape.kind[i]) {
      case flowKinds.quote:
        kernel.onQuote?.(quotes.time[r], quotes.bid[r], quotes.bidSize[r], quotes.ask[r], quotes.askSize[r]);
        break;
      case flowKinds.print:
        kernel.onPrint?.(prints.time[r], prints.price[r], prints.size[r], prints.taker[r]);
        break;
      default:
        if (!(tape.kind[i] === flowKinds.book)) broken(`unknown kind of flow event: ${tape.kind[i]}`);
        kernel.onBook?.(books.time[r], books, r * books.depth);
    }
    for (let k = 0; k < out.length; k++) out[k][i] = kernel.values[k];
  }
  return out;
}
