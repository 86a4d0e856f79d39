import { assert, sharedWasmMemory } from '#base';
import {
  type BoostingData,
  type BoostingHooks,
  type BoostingOptions,
  type BoostingRound,
  type BoostingRows,
  planBoosting,
  type TrainedBooster,
  trainBoosted,
} from '#research';
import { runInThreads } from '../threads/run-in-threads.ts';
import type { BoostingThreadData } from './boosting-thread.ts';

/** Module of the threads that train together. */
const BOOSTING_THREAD = 'apps/setup/boosting/boosting-thread';

export interface ThreadedBoosting extends BoostingHooks {
  /** 1 trains in this thread. */
  readonly threads: number;
}

/**
 * The model of `trainBoosted`, bit for bit, learned by several threads on one copy of the data in shared memory. Rejects with
 * InputError where `trainBoosted` throws one, and with the signal's reason once it is aborted.
 */
export async function trainBoostedInThreads(
  data: BoostingData,
  options: BoostingOptions,
  { threads, signal = new AbortController().signal, progress }: ThreadedBoosting,
): Promise<TrainedBooster> {
  if (threads === 1) return trainBoosted(data, options, { signal, ...(progress && { progress }) });
  const plan = planBoosting(data, options, threads);
  signal.throwIfAborted();
  const memory = sharedWasmMemory(plan.bytes);
  let trained: TrainedBooster | null = null;
  await runInThreads<BoostingThreadData, number, BoostingRound, TrainedBooster | null>({
    module: BOOSTING_THREAD,
    data: { plan, memory, data: shared(data) },
    threads,
    jobs: Array.from({ length: threads }, (_, thread) => thread),
    signal,
    onDone: (result) => {
      trained ??= result;
    },
    ...(progress && { onSaid: progress }),
  });
  signal.throwIfAborted();
  assert(trained !== null, 'the thread that leads gives a model');
  return trained;
}

function shared(data: BoostingData): BoostingData {
  const { validation } = data;
  return { ...sharedRows(data), ...(validation && { validation: sharedRows(validation) }) };
}

function sharedRows(rows: BoostingRows): BoostingRows {
  const { labels, weights } = rows;
  const matrix =
    'columns' in rows
      ? { columns: rows.columns.map(sharedFloats) }
      : { values: sharedFloats(rows.values), rows: rows.rows, features: rows.features };
  return { ...matrix, labels: sharedFloats(labels), ...(weights && { weights: sharedFloats(weights) }) };
}

function sharedFloats(values: Float32Array): Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
