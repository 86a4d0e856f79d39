export { barsOver, type ColumnBlock } from './column-block.ts';
export {
  type DatedSeries,
  HistoryStore,
  type LoadedSeries,
  type ReadFrom,
  type StoreOptions,
} from './history-store.ts';
export {
  type ImportedFile,
  type ImportedSeries,
  type ImportOutcome,
  type ImportRequest,
  importFiles,
  removeSeries,
} from './import-files.ts';
export type { ImportRecord, StoredSeries } from './manifest.ts';
export { DEFAULT_STORE, isSeriesArgument, readSeries } from './read-series.ts';
export { type DatedKind, formatSeriesName, parseSeriesName, type SeriesName } from './series-name.ts';
export { type StoredQuality, type StoreQuality, storeQuality } from './store-quality.ts';
