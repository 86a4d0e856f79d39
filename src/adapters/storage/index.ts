export * from './backup.ts';
export * from './bars/index.ts';
export { replaceFile, withPath } from './durable-file.ts';
export * from './faults.ts';
export { readHeadFile } from './head-file.ts';
export * from './history/index.ts';
export * from './journal-file.ts';
export {
  type ExpectedHead,
  headAt,
  type ReadOptions,
  readJournal,
  type Verification,
  verifyJournal,
} from './journal-reader.ts';
export * from './jsonl-log.ts';
export { makeFolder } from './make-folder.ts';
export { type ParquetColumn, writeParquetTable } from './parquet-table.ts';
export * from './projections/index.ts';
export * from './runs/index.ts';
export * from './snapshot-files.ts';
export * from './writer-lock.ts';
