import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** CPU seconds (user and system) of one call in this process. */
export async function cpuSeconds(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

setFlagsFromString('--expose-gc');
// Collections are forced below; the code of whoever did not run since the last one must survive them.
setFlagsFromString('--no-flush-bytecode');

/** A full collection, so that what is measured next does not pay for what came before. */
export const collectGarbage = runInNewContext('gc') as () => void;
