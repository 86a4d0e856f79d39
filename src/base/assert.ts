/** A broken invariant: a bug, never the weather. It stops trading. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/** Throws {@link InvariantError} unless `condition` holds. Use for what can only be false because of a bug. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * Throws {@link InvariantError}. For checks on hot paths whose message is built from values: `if (!ok) broken(...)`
 * builds it only when it is needed, an argument of {@link assert} always.
 */
export function broken(message: string): never {
  throw new InvariantError(message);
}

/** The default branch of a switch over a closed union: a new kind does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unhandled case: ${JSON.stringify(value)}`);
}

/** An error a person can mend: bad data or configuration. Says what, where and how to mend it. */
export class InputError extends Error {
  override name = 'InputError';
  readonly mend: string;
  constructor(what: string, mend: string) {
    super(what);
    this.mend = mend;
  }
}
