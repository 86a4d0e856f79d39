/** Places of the whole numbers that a leading thread sets for all; behind them come those that only one kind of work needs. */
export const CONTROL = {
  /** Counts the calls for work; threads wait for it to change. */
  call: 0,
  /** Threads that are still at it, other than the leading one. */
  working: 1,
  work: 2,
  parts: 3,
  /** The next part that nobody has taken. */
  next: 4,
  /** Number of the tree at work, from 0, and the output it is for. */
  tree: 5,
  output: 6,
  /** Nodes of the tree so far. */
  nodes: 7,
  /** Counts the pieces of work, those that the leading thread does alone too. */
  turn: 8,
  /** Rows [from, to) of the list, counted from its start. */
  from: 10,
  to: 11,
  column: 12,
  bin: 13,
  missing: 14,
  /** The list's rows from here on are not in the tree; those before it are. */
  sampled: 15,
  /** From here, per part: where the left rows of a parting end. Per thread: the last turn that it counted in. */
  told: 16,
} as const;

/** Doubles of the same kind. */
export const CONTROL_DOUBLE = { perFirst: 0, perSecond: 1 } as const;

/** Parts of a parting, and threads, at most. */
export const TOLD_MOST = 48;
/** Whole numbers and doubles in all. */
export const CONTROL_WORDS = CONTROL.told + TOLD_MOST;
export const CONTROL_DOUBLES = 8;

/** Whole numbers of a node. */
export const NODE = { left: 0, right: 1, column: 2, bin: 3, missingLeft: 4 } as const;
export const NODE_WORDS = 5;
/** Its doubles: gain of its split, optimal value before the learning rate, sum of second derivatives. */
export const NODE_DOUBLE = { gain: 0, value: 1, cover: 2 } as const;
export const NODE_DOUBLES = 3;

/** A node that waits for a thread. */
export const WAITING = { node: 0, from: 1, to: 2, depth: 3, path: 4, histogram: 5 } as const;
export const WAITING_WORDS = 6;
export const WAITING_DOUBLE = { first: 0, second: 1, lower: 2, upper: 3 } as const;
export const WAITING_DOUBLES = 4;

/** Kinds of work. */
export const WORK = { end: 0, bin: 1, weave: 2, derive: 3, count: 4, part: 5, grow: 6, walk: 7 } as const;
