import type { OrderState } from './order-state.ts';
import type { Difference } from './reconcile.ts';
import type { Position, Trade } from './trade.ts';

/** Why a report was not, or not only, what it should have been. */
export type BookingFault =
  /**
   * The fill id was booked before: no money moves. An order whose fill was told as nobody's before learns of it now.
   */
  | 'duplicate-fill'
  | 'duplicate-charge'
  /** No such order (or forgotten long ago): nothing booked. Query the venue, then book as `unasked-fill`. */
  | 'unknown-order'
  /** More filled than asked for, or a liquidation or settlement larger than the holding: booked. */
  | 'overfill'
  /** Contradicts the order's state: not applied (a fill is booked all the same). */
  | 'bad-transition'
  /** A fill whose instrument or side is not its order's: nothing booked. */
  | 'mismatched-fill'
  /** An order given up as lost is alive: applied. */
  | 'revived'
  /** The venue's account differs from the books; see `differences`. */
  | 'account-differs';

/** What a report did. Money in minor units of the instrument's settle currency. */
export interface Booking {
  /** The order after the report, null when none is concerned. */
  readonly order: OrderState | null;
  /** False when the report changed nothing (repetition, overtaken message, fault). */
  readonly accepted: boolean;
  readonly fault: BookingFault | null;
  /** The book's position after the report, null when flat or when no book is concerned. */
  readonly position: Position | null;
  /** The trade this fill ended. */
  readonly closed: Trade | null;
  /** Gross of fees. */
  readonly realised: number;
  readonly fee: number;
  readonly differences: readonly Difference[];
}

const NO_DIFFERENCES: readonly Difference[] = Object.freeze([]);

export function orderBooking(
  order: OrderState | null,
  accepted: boolean,
  fault: BookingFault | null,
  position: Position | null,
): Booking {
  return {
    order,
    accepted,
    fault,
    position,
    closed: null,
    realised: 0,
    fee: 0,
    differences: NO_DIFFERENCES,
  };
}

export function fillBooking(
  order: OrderState | null,
  fault: BookingFault | null,
  booked: Pick<Booking, 'position' | 'closed' | 'realised'>,
  fee: number,
): Booking {
  const { position, closed, realised } = booked;
  return { order, accepted: true, fault, position, closed, realised, fee, differences: NO_DIFFERENCES };
}

export function accountBooking(differences: readonly Difference[]): Booking {
  const fault = differences.length > 0 ? 'account-differs' : null;
  return {
    order: null,
    accepted: true,
    fault,
    position: null,
    closed: null,
    realised: 0,
    fee: 0,
    differences,
  };
}
