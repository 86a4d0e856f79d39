import type { BarStreams, DeadLetter } from '#adapters';
import { InputError } from '#base';

/** A bar that nobody could use, for people and programs. */
export interface DeadLetterLine {
  readonly id: string;
  readonly stream: string;
  /** Null where the entry is no bar. */
  readonly config: string | null;
  readonly barTime: number | null;
  readonly receivedAt: number | null;
  readonly deliveries: number;
  readonly reason: string;
  readonly at: number;
  /** What became of it. `kept`: it is no bar of a stream of this feed and can only be looked at. */
  readonly state: 'dead' | 'revived' | 'kept';
}

/**
 * The newest dead letters, put back into the queue where they are wanted: of `revive`, an id or `all`. Throws
 * {@link InputError} for an id that is not there.
 */
export async function deadLetters(
  streams: BarStreams,
  count: number,
  revive: string | null,
): Promise<DeadLetterLine[]> {
  // all of them where all are to be put back, and where one is looked for
  const letters = await streams.deadLetters(revive === null ? count : streams.limits.deadMost);
  if (revive === null) return letters.map((letter) => lineOf(letter, 'dead'));
  const wanted = revive === 'all' ? letters : letters.filter(({ id }) => id === revive);
  if (wanted.length === 0 && revive !== 'all')
    throw new InputError(`there is no dead letter ${revive}`, 'quorum ingest dead lists them');
  const lines: DeadLetterLine[] = [];
  // oldest first: bars come back in the order in which they were lost
  for (const letter of wanted.toReversed()) {
    const isRevived = await streams.revive(letter.id);
    lines.push(lineOf(letter, isRevived ? 'revived' : 'kept'));
  }
  return lines;
}

function lineOf({ id, stream, entry, deliveries, reason, at }: DeadLetter, state: DeadLetterLine['state']) {
  return {
    id,
    stream,
    config: entry?.config ?? null,
    barTime: entry?.barTime ?? null,
    receivedAt: entry?.receivedAt ?? null,
    deliveries,
    reason,
    at,
    state,
  };
}
