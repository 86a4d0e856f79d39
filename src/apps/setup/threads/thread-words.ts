import { InputError } from '#base';

/** What a thread is handed. */
export interface ThreadTask<Job> {
  readonly task: number;
  readonly job: Job;
}

/** An error on its way between threads: copies lose their class. */
export interface FailedTask {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** Of an error that a person can mend. */
  readonly mend: string | null;
}

/** What a thread says of a task: something on the way, its result, or why it has none. */
export type ThreadWord<Said, Result> =
  | { readonly task: number; readonly said: Said }
  | { readonly task: number; readonly result: Result }
  | { readonly task: number; readonly failed: FailedTask };

export function failureOf(error: unknown): FailedTask {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  // by name: a desk in a folder of its own may bring a second copy of the class
  const { mend } = error as { mend?: unknown };
  return {
    name,
    message,
    stack: stack ?? null,
    mend: name === 'InputError' && typeof mend === 'string' ? mend : null,
  };
}

export function errorOf({ name, message, stack, mend }: FailedTask): Error {
  if (mend !== null) return new InputError(message, mend);
  const error = new Error(message);
  error.name = name;
  // the place it came from, which the copy does not have
  if (stack !== null) error.stack = stack;
  return error;
}
