import { InputError } from '#base';
import { programHash } from '../code-hash.ts';
import { type FoundDesk, findDesk } from '../load-desk.ts';
import { placeDesk, type ShippedDesk } from './desk-files.ts';
import type { WorkPlace } from './work-kind.ts';

/** What a work says of its desk and of the program it belongs to. */
export interface DeskClaim {
  readonly desk: string;
  readonly deskSource: string;
  readonly codeHash: string;
}

/**
 * Loads the desk of a work: its name or path here, and what was found there. Throws InputError for another version of the
 * program, a desk file where none may be run, and a desk that is not the one claimed.
 */
export async function shippedDesk(
  shipped: ShippedDesk,
  claim: DeskClaim,
  place: WorkPlace,
): Promise<{ readonly desk: string; readonly found: FoundDesk }> {
  if (claim.codeHash !== programHash()) {
    throw new InputError(
      'it belongs to another version of the program',
      'install the same one on every machine',
    );
  }
  if (shipped.kind === 'files' && !place.runsDeskFiles) {
    throw new InputError(
      `it runs built-in desks only, and ${claim.desk} is a desk file`,
      'start the worker without --built-in-only',
    );
  }
  const desk = placeDesk(shipped, place.cache);
  const found = await findDesk(desk);
  if (found.sourceHash !== claim.deskSource) {
    throw new InputError(`the desk ${claim.desk} is not the one that was sent`, 'start it again');
  }
  return { desk, found };
}
