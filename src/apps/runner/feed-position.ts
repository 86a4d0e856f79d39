import type { BarStore, StoredBar } from '#adapters';
import { formatInstant, InputError } from '#base';
import type { FeedStore } from './notes.ts';
import type { Session } from './session.ts';

const nameOf = ({ config, time }: StoredBar): string => `${config} ${formatInstant(time)}`;

/** What a position says of the store beside the number; `bar` null where the number is that of the store's end. */
export const feedStoreOf = (store: BarStore, bar: StoredBar | null): FeedStore => ({
  id: store.id,
  bar: bar === null ? null : nameOf(bar),
});

/**
 * Whether a session goes on behind its number in this store; false: it never read one, or another store's. Throws
 * {@link InputError} where the store is an earlier state of the one it read: numbers that were given out are given again
 * there, and bars that have them would be passed over.
 */
export async function goesOnIn(store: BarStore, session: Session): Promise<boolean> {
  const { feedSeq, feedStore } = session;
  if (feedSeq === null || feedStore?.id !== store.id) return false;
  const last = await store.lastSeq();
  if (feedSeq > last)
    throw earlier(session, `the portfolio has read up to bar ${feedSeq}, the store ends at bar ${last}`);
  const [next] = await store.readFrom(feedSeq - 1, 1, null);
  // a bar that was forgotten since says nothing
  if (feedStore.bar !== null && next?.seq === feedSeq && nameOf(next) !== feedStore.bar)
    throw earlier(
      session,
      `bar ${feedSeq} was ${feedStore.bar} when it was read, here it is ${nameOf(next)}`,
    );
  return true;
}

function earlier({ setup, feedStore }: Session, what: string): InputError {
  return new InputError(
    `the store of bars ${feedStore!.id} is not as portfolio ${setup.name} left it: ${what}`,
    'put its newest copy back; or move it away: a new one is begun, and the portfolio goes on in it',
  );
}
