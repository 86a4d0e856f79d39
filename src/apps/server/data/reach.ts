import type { ProjectionStore } from '#adapters';
import { isBusy } from '../answer-errors.ts';
import { type ConsoleContext, Problem } from '../context.ts';

/** What a part that cannot be reached means for a route that needs it. */
function outOfReach(cause: unknown): Problem {
  return new Problem(
    503,
    'projections-unreachable',
    `the projections cannot be read: ${(cause as Error).message.split('\n')[0]}`,
    'the running program brings them up again; kill, flatten, stop and status go on without them',
  );
}

/** Reads from the projections of a portfolio. Throws {@link Problem} 503 whatever keeps it from that. */
export async function fromProjections<T>(
  { portfolios }: Pick<ConsoleContext, 'portfolios'>,
  name: string,
  read: (store: ProjectionStore) => Promise<T>,
): Promise<T> {
  try {
    return await read(await portfolios.projections(name));
  } catch (error) {
    // a lock that another process holds for a moment is waited for by whoever called
    throw error instanceof Problem || isBusy(error) ? error : outOfReach(error);
  }
}

/** The same for an answer that has more to say: null where the projections are out of reach, and why. */
export async function perhaps<T>(
  context: Pick<ConsoleContext, 'portfolios'>,
  name: string,
  read: (store: ProjectionStore) => Promise<T>,
): Promise<{ readonly value: T | null; readonly error: string | null }> {
  try {
    return { value: await fromProjections(context, name, read), error: null };
  } catch (error) {
    const away = isBusy(error) || (error instanceof Problem && error.status === 503);
    if (away) return { value: null, error: (error as Error).message };
    throw error;
  }
}
