/** Containers within containers deeper than this are no model. */
export const DEPTH_MAX = 64;

/** Ten thousand trees of five hundred nodes stay below: half a gigabyte. */
const SPACE_MAX = 2 ** 26;
const ENTRY = 1;
/** What an object or a list takes beside its entries, in numbers of a list. */
const CONTAINER = 16;
/** A member has a name. */
const MEMBER = 8;

/**
 * What reading a document may take of memory, whatever its bytes claim: a byte or two can stand for an empty list, which takes dozens.
 * Counted in numbers of a list, eight bytes each. Every call says false once too much was asked for.
 */
export class DocumentBudget {
  private left = SPACE_MAX;

  entry(): boolean {
    return this.spend(ENTRY);
  }

  member(): boolean {
    return this.spend(MEMBER);
  }

  container(): boolean {
    return this.spend(CONTAINER);
  }

  private spend(numbers: number): boolean {
    this.left -= numbers;
    return this.left >= 0;
  }
}

/** What a reader says of a document that asks for more. */
export const TOO_LARGE = 'holds more than any model does';
