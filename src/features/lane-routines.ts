import { F64, I32, unsigned, V128 } from '#base';
import {
  add,
  alone,
  below,
  both,
  type Code,
  constant,
  double,
  equals,
  exceeds,
  except,
  firsts,
  get,
  greater,
  LANES,
  lanes,
  lesser,
  load,
  max,
  min,
  minus,
  over,
  plus,
  type Routine,
  repeat,
  root,
  seconds,
  select,
  set,
  step,
  store,
  times,
  when,
  whether,
  zero,
} from './lane-assembler.ts';
import { momentPairs, moments } from './moment-routines.ts';

/** A loop that steps all its addresses, the target's first, until the target's reaches the last parameter. */
function elementwise(name: string, sources: number, value: (offset: number) => Code): Routine {
  const at = Array.from({ length: sources + 1 }, (_, local) => local);
  const pair = (offset: number) => store(get(0), value(offset), offset);
  const steps = at.flatMap((local) => step(local, 32));
  const end = sources + 1;
  return {
    name,
    parameters: Array<number>(end + 1).fill(I32),
    code: repeat([...pair(0), ...pair(16), ...steps], below(get(0), get(end))),
  };
}

const of = (local: number) => (offset: number) => load(get(local), offset);
const [first, second, third] = [of(1), of(2), of(3)];

/**
 * windowSums(to, values, tails, n, end): sums of the last n pairs, added as WindowSum adds them. n is in bytes; `values`
 * begins where a block of n begins, and so do the sums at `to`, whose first block is without the one before.
 */
function windowSums(): Routine {
  const [to, values, tails, n, end, stop, front, back] = [0, 1, 2, 3, 4, 5, 6, 7];
  const less = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
  const newest = [
    ...set(front, add(get(front), load(get(values)))),
    // the tail sum that stands one further, in the block before
    ...store(get(to), add(get(front), load(less(get(tails), get(n)), 16))),
    ...step(to, 16),
    ...step(values, 16),
    ...step(tails, 16),
  ];
  const last = [...store(get(to), add(get(front), load(get(values)))), ...step(to, 16)];
  const tail = [
    ...set(back, add(load(get(values)), get(back))),
    ...store(get(tails), get(back)),
    ...step(values, -16),
    ...step(tails, -16),
  ];
  return {
    name: 'windowSums',
    parameters: Array<number>(5).fill(I32),
    locals: [I32, V128, V128],
    code: repeat(
      [
        ...set(front, zero),
        ...set(back, zero),
        ...set(stop, plus(get(values), less(get(n), constant(16)))),
        ...repeat(newest, below(get(values), get(stop))),
        ...last,
        // back to the first of the block
        ...set(stop, less(get(values), get(n))),
        ...repeat(tail, below(get(stop), get(values))),
        ...set(values, plus(get(values), plus(get(n), constant(16)))),
        ...set(tails, plus(get(tails), plus(get(n), constant(16)))),
      ],
      below(get(to), get(end)),
    ),
  };
}

/**
 * newest(values, positions, shift, end): makes of each value the better of it and the one `shift` bytes after it, and
 * of its position that of the better one; among equals the later.
 */
function newest(name: string, better: (a: Code, b: Code) => Code): Routine {
  const [at, positions, shift, end, a, b, mask] = [0, 1, 2, 3, 4, 5, 6];
  return {
    name,
    parameters: [I32, I32, I32, I32],
    locals: [V128, V128, V128],
    code: repeat(
      [
        ...set(a, load(get(at))),
        ...set(b, load(plus(get(at), get(shift)))),
        ...set(mask, better(get(b), get(a))),
        ...store(get(at), select(get(mask), get(b), get(a))),
        ...store(
          get(positions),
          select(get(mask), load(plus(get(positions), get(shift))), load(get(positions))),
        ),
        ...step(at, 16),
        ...step(positions, 16),
      ],
      below(get(at), get(end)),
    ),
  };
}

/** shares(to, pairs, end): the first of each pair over the second, 0 where that is 0. */
function shares(): Routine {
  const [to, pairs, end, all] = [0, 1, 2, 3];
  const two = [load(get(pairs)), load(get(pairs), 16)] as const;
  return {
    name: 'shares',
    parameters: [I32, I32, I32],
    locals: [V128],
    code: repeat(
      [
        ...set(all, seconds(...two)),
        ...store(get(to), except(over(firsts(...two), get(all)), equals(get(all), zero))),
        ...step(to, 16),
        ...step(pairs, 32),
      ],
      below(get(to), get(end)),
    ),
  };
}

/**
 * trail(tops, bottoms, to, end, state, step, limit): the parabolic stop. Without branches but for the hit, and with one
 * way for both directions: a short position's prices are negated and change places. The state is stop, extreme and
 * factor as they count in that way, and -0 for short, 0 for long.
 */
function trail(): Routine {
  const [tops, bottoms, to, end, state, step_, limit_, step, limit] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [stop, extreme, factor, turn, top, bottom, before, other] = [9, 10, 11, 12, 13, 14, 15, 16];
  const splat = (address: Code, offset = 0): Code => [...address, LANES, 10, 3, ...unsigned(offset)];
  const xor = (a: Code, b: Code): Code => lanes(0x51, a, b);
  const and = (a: Code, b: Code): Code => lanes(0x4e, a, b);
  const one = (a: Code): Code => [...a, LANES, 33, 0];
  const negative = both(double(-0));
  const price = (address: Code): Code => xor(splat(address), get(turn));
  const earlier = (address: Code): Code => price([...address, ...constant(8), 0x6b]);
  const hit = [
    // the stop jumps to the extreme, or beyond the last two bars
    ...set(before, earlier(get(tops))),
    ...set(stop, greater(greater(get(extreme), get(before)), get(top))),
    ...alone.store(get(to), one(add(xor(get(stop), get(turn)), zero))),
    ...set(stop, xor(get(stop), negative)),
    ...set(extreme, xor(get(bottom), negative)),
    ...set(bottom, xor(get(top), negative)),
    ...set(before, xor(get(before), negative)),
    ...set(factor, get(step)),
    ...set(turn, xor(get(turn), negative)),
    ...set(other, get(tops)),
    ...set(tops, get(bottoms)),
    ...set(bottoms, get(other)),
  ];
  const missed = [
    ...set(before, earlier(get(bottoms))),
    ...alone.store(get(to), one(add(xor(get(stop), get(turn)), zero))),
    ...set(factor, lesser(add(get(factor), and(get(step), exceeds(get(top), get(extreme)))), get(limit))),
    ...set(extreme, greater(get(extreme), get(top))),
  ];
  const ahead = add(get(stop), times(get(factor), minus(get(extreme), get(stop))));
  return {
    name: 'trail',
    parameters: [I32, I32, I32, I32, I32, F64, F64],
    locals: [...Array<number>(9).fill(V128), I32],
    code: [
      ...set(step, both(get(step_))),
      ...set(limit, both(get(limit_))),
      ...[stop, extreme, factor, turn].flatMap((local, k) => set(local, splat(get(state), 8 * k))),
      ...repeat(
        [
          ...set(top, price(get(tops))),
          ...set(bottom, price(get(bottoms))),
          ...whether(alone.atMost(one(get(bottom)), one(get(stop))), hit, missed),
          ...set(stop, lesser(lesser(ahead, get(before)), get(bottom))),
          ...[tops, bottoms, to].flatMap((local) => [
            ...get(local),
            ...constant(8),
            0x6a,
            0x21,
            ...unsigned(local),
          ]),
        ],
        below(get(to), get(end)),
      ),
      ...[stop, extreme, factor, turn].flatMap((local, k) => alone.store(get(state), one(get(local)), 8 * k)),
    ],
  };
}

/**
 * distances(to, end, values, means, anchors, n, odd): sums of |value - anchor - mean| over the last n values, those at
 * odd and at even places apart, as Cci adds them. n is in bytes and without the newest value when it is odd.
 */
function distances(): Routine {
  const [to, end, newest, means, anchors, n, odd, at, anchor, mean, sum] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const distance = (values: Code): Code => [
    ...minus(minus(values, get(anchor)), get(mean)),
    LANES,
    ...unsigned(0xec),
  ];
  const lane = (k: number): Code => [...get(sum), LANES, 33, k];
  const firstOnly: Code = [LANES, 12, ...Array<number>(8).fill(255), ...Array<number>(8).fill(0)];
  return {
    name: 'distances',
    parameters: Array<number>(7).fill(I32),
    locals: [I32, V128, V128, V128],
    code: repeat(
      [
        ...set(anchor, both(alone.load(get(anchors)))),
        ...set(mean, both(alone.load(get(means)))),
        ...set(sum, zero),
        ...when(get(odd), set(sum, [...distance(load(get(newest))), ...firstOnly, LANES, 0x4e])),
        ...set(at, [...plus(get(newest), constant(8)), ...get(n), 0x6b]),
        ...when(get(odd), step(at, -8)),
        ...repeat(
          [...set(sum, add(get(sum), distance(load(get(at))))), ...step(at, 16)],
          below(get(at), get(newest)),
        ),
        ...alone.store(get(to), alone.add(lane(0), lane(1))),
        ...[to, newest, means, anchors].flatMap((local) => step(local, 8)),
      ],
      below(get(to), get(end)),
    ),
  };
}

/** deviations(at, end, n, factor): factor * sqrt(squares / n), in place. */
function deviations(): Routine {
  const [at, end, n, factor, count, scale] = [0, 1, 2, 3, 4, 5];
  const pair = (offset: number) =>
    store(get(at), times(get(scale), root(over(load(get(at), offset), get(count)))), offset);
  return {
    name: 'deviations',
    parameters: [I32, I32, F64, F64],
    locals: [V128, V128],
    code: [
      ...set(count, both(get(n))),
      ...set(scale, both(get(factor))),
      ...repeat([...pair(0), ...pair(16), ...step(at, 32)], below(get(at), get(end))),
    ],
  };
}

/**
 * bands(at, end, values, n, factor): Bollinger bands of the values. Regions from `at` on, the second with means, the
 * third with squares, become upper, middle, lower, position in the bands and width.
 */
function bands(region: number): Routine {
  const [at, end, values, n, factor, count, scale, mean, half, wide] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const place = (k: number) => load(get(at), k * region);
  const put = (k: number, value: Code) => store(get(at), value, k * region);
  const share = add(both(double(0.5)), over(minus(load(get(values)), get(mean)), get(wide)));
  return {
    name: 'bands',
    parameters: [I32, I32, I32, F64, F64],
    locals: [V128, V128, V128, V128, V128],
    code: [
      ...set(count, both(get(n))),
      ...set(scale, both(get(factor))),
      ...repeat(
        [
          ...set(mean, place(1)),
          ...set(half, times(get(scale), root(over(place(2), get(count))))),
          ...set(wide, times(both(double(2)), get(half))),
          ...put(3, select(exceeds(get(half), zero), share, both(double(Number.NaN)))),
          ...put(4, over(get(wide), get(mean))),
          ...put(0, add(get(mean), get(half))),
          ...put(2, minus(get(mean), get(half))),
          ...step(at, 16),
          ...step(values, 16),
        ],
        below(get(at), get(end)),
      ),
    ],
  };
}

/** The routines of `Lanes`; `region`: bytes of a region of its memory. */
export const laneRoutines = (region: number): readonly Routine[] => [
  elementwise('higher', 2, (k) => max(first(k), second(k))),
  elementwise('lower', 2, (k) => min(first(k), second(k))),
  windowSums(),
  newest('newestHighest', (a, b) => lanes(0x4c, a, b)),
  newest('newestLowest', (a, b) => lanes(0x4b, a, b)),
  shares(),
  elementwise('ultimate', 3, (k) => {
    const total = add(add(times(both(double(4)), first(k)), times(both(double(2)), second(k))), third(k));
    return over(times(both(double(100)), total), both(double(7)));
  }),
  moments(),
  momentPairs(),
  trail(),
  distances(),
  deviations(),
  bands(region),
];
