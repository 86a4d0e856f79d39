import { StreamsAway } from './bar-streams.ts';

/** Whatever Redis answers instead of doing it (away, out of memory, read only) is the same to who asks: try again. */
export const awayOf = (error: unknown): StreamsAway =>
  error instanceof StreamsAway
    ? error
    : new StreamsAway(error instanceof Error ? error.message : 'Redis does not answer', { cause: error });

/** The answer of a command, or StreamsAway. */
export async function told<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    throw awayOf(error);
  }
}

/** A command that Redis does not answer in time fails here; it may still be carried out, which must do no harm. */
export function within<T>(answerMs: number, command: Promise<T>): Promise<T> {
  return new Promise((done, failed) => {
    const timer = setTimeout(
      () => failed(new StreamsAway(`Redis has not answered within ${answerMs} ms`)),
      answerMs,
    );
    command.then(done, failed).finally(() => clearTimeout(timer));
  });
}
