import { parentPort, workerData } from 'node:worker_threads';
import { type BarColumns, columnsOver } from '#market';
import { sweepOf } from './sweep-rules.ts';

/** A thread of bench/sweep.ts: plays its share of the pairs whenever it is told to. */
const { bars, fast, slow } = workerData as {
  readonly bars: BarColumns;
  readonly fast: readonly number[];
  readonly slow: readonly number[];
};
const { play } = sweepOf(columnsOver(bars), fast, slow);
parentPort!.on('message', () => parentPort!.postMessage(play().fills));
