// Trains with our trainer on rows in files and says what it took, as support/xgboost-train.py does for XGBoost:
// boosting-run.ts FOLDER ROWS HELD_OUT FEATURES ROUNDS THREADS
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeBoostedModel } from '#signals';
import { trainBoostedInThreads } from '../../src/apps/setup/boosting/train-in-threads.ts';
import { cpuSeconds } from './measure.ts';

const folder = process.argv[2]!;
const [rows, heldOut, features, rounds, threads] = process.argv.slice(3).map(Number) as [
  number,
  number,
  number,
  number,
  number,
];

/** The first numbers of a file, where threads can share them when there are several. */
function read(name: string, length: number): Float32Array {
  const bytes = readFileSync(join(folder, name));
  if (threads === 1) return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  const shared = new Float32Array(new SharedArrayBuffer(4 * length));
  shared.set(new Float32Array(bytes.buffer, bytes.byteOffset, length));
  return shared;
}

const data = { values: read('values', rows * features), rows, features, labels: read('labels', rows) };
let text = '';
const seconds = await cpuSeconds(async () => {
  const options = { objective: 'binary:logistic', rounds, maxDepth: 6 } as const;
  const { model } = await trainBoostedInThreads(data, options, { threads });
  if (heldOut > 0) text = writeBoostedModel(model);
});
if (heldOut > 0) writeFileSync(join(folder, 'ours.json'), text);
console.log(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
