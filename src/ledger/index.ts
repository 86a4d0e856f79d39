export {
  applyFill,
  type FillEffect,
  type FillFacts,
  fillFlow,
  initialMargin,
  isPerpetual,
} from './apply-fill.ts';
export type { Booking, BookingFault } from './booking.ts';
export type { CashKind } from './cash-entry.ts';
export { Ledger } from './ledger.ts';
export type { LedgerOptions } from './ledger-options.ts';
export { isEnded, LIFE_CYCLE, type LifeCycleStep, type OrderReportKind } from './life-cycle.ts';
export {
  liquidationPrice,
  liquidationTicksOf,
  maintenanceTier,
  wholeLiquidationTicks,
} from './liquidation.ts';
export * from './order.ts';
export type { OrderState } from './order-state.ts';
export { type Difference, venueOf } from './reconcile.ts';
export { type BinarySettlement, binaryWorstLoss, settleBinary } from './settle-binary.ts';
export type { Figures, Summary } from './summary.ts';
export type * from './trade.ts';
