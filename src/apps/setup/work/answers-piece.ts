import { z } from 'zod';
import type { Piece, Shipment } from '#adapters';
import { InputError, sha256 } from '#base';
import type { KnownAnswers } from '../answers-file.ts';
import type { FetchPieces } from './tape-pieces.ts';

/** Name of the pieces of recorded answers. */
const ANSWERS = 'answers';

const answersSchema = z.array(
  z.tuple([z.string(), z.strictObject({ answer: z.json(), delayMs: z.int().min(0) })]),
);

/** Adds recorded answers to what is shipped; none where there are none. */
export function shipAnswers(
  answers: KnownAnswers | null,
  shipment: Shipment,
  pieces: Record<string, Piece[]>,
): void {
  if (answers !== null) pieces[ANSWERS] = shipment.add(Buffer.from(JSON.stringify([...answers])));
}

/** Undefined when they are not there yet. */
export async function fetchAnswers(
  pieces: Readonly<Record<string, Piece[]>>,
  answersHash: string | null,
  fetch: FetchPieces,
): Promise<KnownAnswers | null | undefined> {
  if (answersHash === null) return null;
  const block = await fetch(pieces[ANSWERS] ?? []);
  if (block === null) return undefined;
  const bytes = Buffer.from(new Uint8Array(block));
  let data: unknown = null;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    // refused below
  }
  const read = answersSchema.safeParse(data);
  if (!read.success) {
    throw new InputError(
      `the recorded answers of the work are damaged (${sha256(bytes).slice(0, 12)})`,
      'start it again',
    );
  }
  return new Map(read.data);
}
