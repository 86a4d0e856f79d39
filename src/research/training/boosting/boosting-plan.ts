import { InputError, WASM_BYTES_MOST } from '#base';
import { CUTS_ROOM } from './bin-kernel.ts';
import type { BoostingSettings } from './boosting-options.ts';
import {
  CONTROL_DOUBLES,
  CONTROL_WORDS,
  NODE_DOUBLES,
  NODE_WORDS,
  TOLD_MOST,
  WAITING_DOUBLES,
  WAITING_WORDS,
} from './control-words.ts';
import { BIN_BYTES, CHOSEN_AT_ONCE, PAIR_BYTES } from './row-kernels.ts';
import { SCANNED_BYTES } from './scan-kernel.ts';

/** What the memory of a training must hold. */
export interface BoostingShape {
  readonly rows: number;
  readonly validationRows: number;
  readonly features: number;
  /** Whether rows carry weights. */
  readonly weighted: boolean;
  readonly threads: number;
}

/**
 * Where everything lies in the one memory that all threads of a training work on, as byte addresses. Arrays of rows have an even
 * length: derivatives are made two at a time.
 */
export interface BoostingPlan {
  readonly shape: BoostingShape;
  readonly settings: BoostingSettings;
  /** Bytes of a row of bins. */
  readonly stride: number;
  /** Bins that a histogram holds per column. */
  readonly slots: number;
  /** Columns that a tree may see. */
  readonly columns: number;
  readonly histogramBytes: number;
  /** Histograms a thread needs: one for each level below a node that is split further. */
  readonly depthRoom: number;
  /** Histograms of nodes that wait for a thread. */
  readonly waitingRoom: number;
  /** Nodes a tree may have. */
  readonly nodesMost: number;
  /** Bytes of margins, and of derivatives, from one output to the next. */
  readonly outputApart: number;
  readonly validationApart: number;
  /** Bytes of the working memory of one thread while values are put into bins, and while trees grow. */
  readonly sortingBytes: number;
  readonly blockBytes: number;
  readonly bytes: number;
  readonly at: Readonly<Record<Region, number>>;
}

export type Region =
  | 'control'
  | 'doubles'
  | 'binCounts'
  | 'missing'
  | 'cuts'
  | 'columnBins'
  | 'validationBins'
  | 'rowBins'
  | 'sorting'
  | 'labels'
  | 'weights'
  | 'margins'
  | 'validationMargins'
  | 'pairs'
  | 'rows'
  | 'buffer'
  | 'blocks'
  | 'scanned'
  | 'histograms'
  | 'waiting'
  | 'waitingWords'
  | 'waitingDoubles'
  | 'chosen'
  | 'nodes'
  | 'nodeDoubles';

/** Rows that are gathered at once: with their derivatives they fit the cache nearest to the processor. */
export const BLOCK_ROWS = 512;
/** Waiting nodes per thread: enough for the slowest not to be waited for long. */
const WAITING_PER_THREAD = 8;

const ALIGNMENT = 64;
const upTo = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Rows that threads take at once where they share the rows among them. */
export const SLICE_ROWS = 16_384;

/** Throws InputError where the data do not fit one memory. */
export function boostingPlan(settings: BoostingSettings, shape: BoostingShape): BoostingPlan {
  const { rows, validationRows, features, weighted, threads } = shape;
  if (!Number.isInteger(threads) || threads < 1 || threads > TOLD_MOST) {
    throw new InputError(`${threads} threads`, `take 1 to ${TOLD_MOST}`);
  }
  const { outputs, maxDepth, maxBin, colsampleByTree } = settings;
  const stride = upTo(features, 8);
  // one more for missing values, and an even number: bins are looked at in twos
  const slots = upTo(Math.min(256, maxBin + 1), 2);
  const columns = Math.max(1, Math.floor(colsampleByTree * features));
  const histogramBytes = upTo(columns, CHOSEN_AT_ONCE) * slots * BIN_BYTES;
  const depthRoom = Math.max(1, maxDepth - 1);
  const waitingRoom = threads === 1 ? 1 : threads * WAITING_PER_THREAD;
  const nodesMost = Math.min(2 ** (maxDepth + 1), 2 * rows) - 1;
  const pairedRows = upTo(rows, 2);
  const pairedValidation = upTo(validationRows, 2);
  const outputApart = pairedRows * PAIR_BYTES;
  const validationApart = pairedValidation * Float64Array.BYTES_PER_ELEMENT;
  const sortingBytes = upTo(Math.max(rows, validationRows) * 12, ALIGNMENT);
  const blockBytes = upTo(BLOCK_ROWS * (stride + BIN_BYTES) + outputs * BIN_BYTES, ALIGNMENT);

  const at: Partial<Record<Region, number>> = {};
  // nothing lies at address 0
  let end = ALIGNMENT;
  const take = (region: Region, bytes: number) => {
    at[region] = end;
    end += upTo(bytes, ALIGNMENT);
  };
  take('control', 4 * CONTROL_WORDS);
  take('doubles', 8 * CONTROL_DOUBLES);
  take('binCounts', 4 * features);
  take('missing', 4 * features);
  take('cuts', 4 * CUTS_ROOM * features);
  take('columnBins', features * rows);
  take('validationBins', features * validationRows);
  take('rowBins', rows * stride);
  // what is needed to put values into bins makes room for the rest
  take('sorting', 0);
  take('labels', 4 * pairedRows);
  take('weights', weighted ? 4 * pairedRows : 0);
  take('margins', outputs * outputApart);
  take('validationMargins', outputs * validationApart);
  take('pairs', outputs * outputApart);
  take('rows', 4 * rows);
  take('buffer', 4 * rows);
  take('blocks', threads * blockBytes);
  take('scanned', threads * SCANNED_BYTES);
  take('histograms', threads * depthRoom * histogramBytes);
  take('waiting', (waitingRoom + threads) * histogramBytes);
  take('waitingWords', 4 * WAITING_WORDS * waitingRoom);
  take('waitingDoubles', 8 * WAITING_DOUBLES * waitingRoom);
  take('chosen', 4 * features);
  take('nodes', 4 * NODE_WORDS * nodesMost);
  take('nodeDoubles', 8 * NODE_DOUBLES * nodesMost);
  const bytes = Math.max(end, at.sorting! + threads * sortingBytes);
  if (bytes > WASM_BYTES_MOST) {
    throw new InputError(
      `${rows} rows of ${features} features need ${Math.ceil(bytes / 2 ** 20)} MiB at once, more than 4 GiB`,
      'train on fewer rows or features, on fewer threads, or with a smaller maxDepth or maxBin',
    );
  }
  return {
    shape,
    settings,
    stride,
    slots,
    columns,
    histogramBytes,
    depthRoom,
    waitingRoom,
    nodesMost,
    outputApart,
    validationApart,
    sortingBytes,
    blockBytes,
    bytes,
    at: at as Record<Region, number>,
  };
}
