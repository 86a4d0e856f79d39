import type { WorkDocument } from '#adapters';
import type { FetchPieces } from './tape-pieces.ts';

/** What a worker has to do a work with. */
export interface WorkPlace {
  readonly threads: number;
  /** Folder for files that a work needs. */
  readonly cache: string;
  /** Whether desks that came as files may be run. */
  readonly runsDeskFiles: boolean;
  readonly fetch: FetchPieces;
}

/** A work that is ready to be done part by part. */
export interface ReadyWork {
  /** Parts that are best taken at once. */
  readonly room: number;
  /** Does one part. Its result is plain data, and the same for the same part wherever it is done. */
  play(item: unknown): Promise<unknown>;
  /** Whether it broke, so that nothing of it can be played before it is made ready again. */
  readonly isBroken: boolean;
  /** Ends it; parts that are being done reject. */
  close(): Promise<void>;
}

/** One sort of work that workers can do. */
export interface WorkKind {
  /**
   * Checks everything of a work before any part of it is taken. Null when data is not there yet. Throws InputError for what
   * this worker cannot or may not do.
   */
  prepare(document: WorkDocument, place: WorkPlace): Promise<ReadyWork | null>;
}
