export { type FaultModel, NO_FAULTS } from './fault-model.ts';
export { HostileVenue, simulatedVenue } from './faults.ts';
export { feeOn } from './fees.ts';
export { type LegOutcome, LegTracker, type LegTrackerOptions } from './leg-tracker.ts';
export { type ClosedFirst, type PlanOrdersOptions, planOrders } from './planner.ts';
export { NO_REPORTS, type VenueFold } from './port.ts';
export { impactRate, lotsIn, takerTicks, ticksAgainst } from './prices.ts';
export { type RestingQuote, refreshQuotes, restingQuote } from './quotes.ts';
export { SimulatedVenue } from './simulated-venue.ts';
export type * from './venue.ts';
export {
  type ExecutionNoise,
  type FeeQuestion,
  type PriceBand,
  type SimulatedVenueOptions,
  type Slippage,
  venueOptions,
} from './venue-options.ts';
