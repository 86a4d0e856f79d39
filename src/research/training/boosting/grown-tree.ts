import type { BoostedTree } from '#signals';
import { CUTS_ROOM } from './bin-kernel.ts';
import type { BoostingHand } from './boosting-hand.ts';
import { CONTROL, NODE, NODE_DOUBLE, NODE_DOUBLES, NODE_WORDS } from './control-words.ts';

/** Above every finite number but itself, and below: thresholds where missing values part from all others. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** The tree that was grown, level by level from left to right, whatever order its nodes were grown in. */
export function grownTree({ plan, words, doubles, floats }: BoostingHand): BoostedTree {
  const { at, settings } = plan;
  const count = words[(at.control >>> 2) + CONTROL.nodes]!;
  const left = new Int32Array(count).fill(-1);
  const right = new Int32Array(count).fill(-1);
  const feature = new Int32Array(count);
  const condition = new Float32Array(count);
  const defaultLeft = new Uint8Array(count);
  const gain = new Float32Array(count);
  const cover = new Float32Array(count);
  const weight = new Float32Array(count);
  /** The threshold that a bin ends at. */
  const thresholdOf = (column: number, bin: number) => {
    if (bin < 0) return -LARGEST;
    const bins = words[(at.binCounts >>> 2) + column]!;
    return bin === bins - 1 ? LARGEST : floats[(at.cuts >>> 2) + column * CUTS_ROOM + bin]!;
  };
  const order = [0];
  for (let node = 0; node < count; node++) {
    const word = (at.nodes >>> 2) + order[node]! * NODE_WORDS;
    const double = (at.nodeDoubles >>> 3) + order[node]! * NODE_DOUBLES;
    const value = doubles[double + NODE_DOUBLE.value]!;
    gain[node] = doubles[double + NODE_DOUBLE.gain]!;
    cover[node] = doubles[double + NODE_DOUBLE.cover]!;
    weight[node] = value;
    if (words[word + NODE.left]! < 0) {
      condition[node] = settings.eta * value;
      weight[node] = settings.eta * value;
      continue;
    }
    left[node] = order.length;
    right[node] = order.length + 1;
    order.push(words[word + NODE.left]!, words[word + NODE.right]!);
    feature[node] = words[word + NODE.column]!;
    condition[node] = thresholdOf(feature[node]!, words[word + NODE.bin]!);
    defaultLeft[node] = words[word + NODE.missingLeft]!;
  }
  return { left, right, feature, condition, defaultLeft, gain, cover, weight };
}
