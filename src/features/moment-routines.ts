import { F64, I32, V128 } from '#base';
import {
  add,
  alone,
  below,
  block,
  both,
  double,
  firsts,
  get,
  greater,
  lesser,
  load,
  minus,
  over,
  type Routine,
  repeat,
  seconds,
  set,
  step,
  store,
  times,
  unless,
  when,
} from './lane-assembler.ts';

/**
 * moments(state, values, old, end, means, squares, n): the loop of Moments. The state is anchor, sum, sum of squares,
 * peak, and then the address of the value it stopped before, as a double.
 */
export function moments(): Routine {
  const [state, at, old, end, means, squares, n] = [0, 1, 2, 3, 4, 5, 6];
  const [anchor, sum, sumSquares, peak, d, gone, nextSum, next, shift, rest] = [
    7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
  ];
  const { add, minus, times, over } = alone;
  const kept = [anchor, sum, sumSquares, peak];
  return {
    name: 'moments',
    parameters: [I32, I32, I32, I32, I32, I32, F64],
    locals: Array<number>(10).fill(F64),
    code: [
      ...kept.flatMap((local, k) => set(local, alone.load(get(state), 8 * k))),
      ...block(
        repeat(
          [
            ...set(d, minus(alone.load(get(at)), get(anchor))),
            ...set(gone, minus(alone.load(get(old)), get(anchor))),
            ...set(nextSum, add(get(sum), minus(get(d), get(gone)))),
            ...set(next, add(get(sumSquares), times(minus(get(d), get(gone)), add(get(d), get(gone))))),
            ...set(shift, over(get(nextSum), get(n))),
            ...set(rest, minus(get(next), times(get(nextSum), get(shift)))),
            ...unless(alone.reaches(get(rest), times(double(1e-4), get(peak)))),
            ...unless(alone.reaches(get(rest), times(double(1e-4), get(next)))),
            ...when(alone.exceeds(get(next), get(peak)), set(peak, get(next))),
            ...set(sum, get(nextSum)),
            ...set(sumSquares, get(next)),
            ...alone.store(get(means), add(get(anchor), get(shift))),
            ...alone.store(get(squares), get(rest)),
            ...[at, old, means, squares].flatMap((local) => step(local, 8)),
          ],
          below(get(at), get(end)),
        ),
      ),
      ...kept.flatMap((local, k) => alone.store(get(state), get(local), 8 * k)),
      ...alone.store(get(state), [...get(at), 0xb8], 32),
    ],
  };
}

/**
 * momentPairs(state, values, old, end, means, squares, n): the loop of Moments for two values at a time and without its
 * stops. Anchor, sum and sum of squares are read from the state; behind its first eight values it leaves the new sums,
 * in each lane the largest sum of squares and in each lane the smallest square.
 */
export function momentPairs(): Routine {
  const [state, at, old, end, means, squares, n_] = [0, 1, 2, 3, 4, 5, 6];
  const [n, anchor, sums, peak, least, value, gone, delta, product, sum, total, mean] = [
    7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
  ];
  return {
    name: 'momentPairs',
    parameters: [I32, I32, I32, I32, I32, I32, F64],
    locals: Array<number>(12).fill(V128),
    code: [
      ...set(n, both(get(n_))),
      ...set(anchor, both(alone.load(get(state)))),
      ...set(sums, load(get(state), 8)),
      ...set(peak, both(alone.load(get(state), 24))),
      ...set(least, both(double(Number.POSITIVE_INFINITY))),
      ...repeat(
        [
          ...set(value, minus(load(get(at)), get(anchor))),
          ...set(gone, minus(load(get(old)), get(anchor))),
          ...set(delta, minus(get(value), get(gone))),
          ...set(product, times(get(delta), add(get(value), get(gone)))),
          // sum and sum of squares side by side after the first value, then after the second
          ...set(total, add(get(sums), firsts(get(delta), get(product)))),
          ...set(sums, add(get(total), seconds(get(delta), get(product)))),
          ...set(sum, firsts(get(total), get(sums))),
          ...set(total, seconds(get(total), get(sums))),
          ...set(mean, over(get(sum), get(n))),
          ...set(sum, minus(get(total), times(get(sum), get(mean)))),
          ...set(peak, greater(get(peak), get(total))),
          ...set(least, lesser(get(least), get(sum))),
          ...store(get(means), add(get(anchor), get(mean))),
          ...store(get(squares), get(sum)),
          ...[at, old, means, squares].flatMap((local) => step(local, 16)),
        ],
        below(get(at), get(end)),
      ),
      ...store(get(state), get(sums), 64),
      ...store(get(state), get(peak), 80),
      ...store(get(state), get(least), 96),
    ],
  };
}
