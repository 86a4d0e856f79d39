import type { Instant } from '#base';
import type { Currency, Instrument, InstrumentId } from '#market';

export interface LedgerOptions {
  readonly portfolio: string;
  /** What the ids of its trades begin with. Default: the portfolio. */
  readonly tradesAs?: string;
  readonly base: Currency;
  /** Decimal places of the base currency's minor unit. */
  readonly baseMinorScale: number;
  /** The definition in force. */
  readonly instrumentOf: (id: InstrumentId) => Instrument;
  /** Amounts in minor units. */
  readonly openingCash: readonly {
    readonly currency: Currency;
    readonly minorScale: number;
    readonly amount: number;
  }[];
  readonly at: Instant;
  /** Age from which a rate counts as stale. Default 72 h: a weekend without currency trading is no fault. */
  readonly fxStaleAfterMs?: number;
  /** Ended orders remembered, and ids of charges and of unasked fills (of these up to twice as many). Default 4096 each. */
  readonly remember?: number;
}
