/**
 * What built-in parts do, as data, kept beside them. A description belongs to one object: a copy of it with another
 * function inside has none, so what is read here is always true of the part.
 */
export class Descriptions<D> {
  private readonly known = new WeakMap<object, D>();

  /** Describes a part and returns it. */
  describe<P extends object>(part: P, description: D): P {
    this.known.set(part, description);
    return part;
  }

  /** Null for a part that nobody described. */
  find(part: object): D | null {
    return this.known.get(part) ?? null;
  }
}
