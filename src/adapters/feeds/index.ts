export {
  type BarProvider,
  type ProvidedBar,
  type ProviderRequest,
  resampleProvided,
} from './bar-provider.ts';
export { faultsText, type ReadBars, type ReadBarsOptions, readBars, readBarsFile } from './bars-file.ts';
export { BinanceBars } from './binance-bars.ts';
export type { BinanceUsdmFeedOptions } from './binance-feed-options.ts';
export {
  type BinanceRestOptions,
  BinanceUsdmRest,
  type FundingRecord,
  type Kline,
} from './binance-rest.ts';
export { instrumentOfSymbol, type SymbolInfo } from './binance-shapes.ts';
export { BinanceUsdmFeed } from './binance-usdm.ts';
export { ClockFile, setClockFile } from './clock-file.ts';
export { parseDouble } from './csv.ts';
export { backoffMs, type FeedClock, systemClock, UnreachableError, VenueRefusal } from './feed-clock.ts';
export * from './history.ts';
export {
  intervalFor,
  type LiveAddress,
  type LiveFeed,
  type LiveFeedRequest,
  type LiveVenue,
  type WarmUp,
} from './live-venue.ts';
export { openDataFile, parseFileArgument, symbolOfFile } from './open-file.ts';
export * from './quality.ts';
export { ReconnectingSocket, type SocketOptions } from './reconnecting-socket.ts';
export * from './sample.ts';
export * from './series.ts';
export type { TimeSigns } from './session-shift.ts';
export * from './survivorship.ts';
export type { SuspectedSplit } from './suspected-splits.ts';
export * from './synthetic.ts';
export * from './tape.ts';
export { kindOfHeader, openTape, readTapeFile } from './tape-files.ts';
export { TwelveData, type TwelveDataOptions } from './twelve-data.ts';
export {
  type Counter,
  CreditBudget,
  type CreditLimits,
  FREE_CREDITS,
  OwnCounter,
} from './twelve-data-credits.ts';
export { assertVenueUrlAllowed, isLoopback, isPublicData } from './venue-guard.ts';
export { csvBytes, type WritableBars, writeBarsFile } from './write-bars.ts';
