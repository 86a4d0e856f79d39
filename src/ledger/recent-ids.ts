/**
 * Remembers at least the last `window` ids and at most twice as many, each with its owner (ids are unique per owner
 * only). Two generations instead of one queue: constant time, and no scan over deleted entries.
 */
export class RecentIds {
  static readonly configuration = ['window'];
  private readonly window: number;
  private recent = new Map<string, string>();
  private older = new Map<string, string>();

  constructor(window: number) {
    this.window = window;
  }

  /** Remembers an id. False when its owner has used it before. */
  claim(id: string, owner: string): boolean {
    const known = this.recent.get(id) ?? this.older.get(id);
    if (known === owner) return false;
    // the rare id that two owners share is kept under a longer name
    if (known !== undefined) return this.claim(`${owner}:${id}`, owner);
    this.recent.set(id, owner);
    if (this.recent.size >= this.window) {
      this.older = this.recent;
      this.recent = new Map();
    }
    return true;
  }

  /** Whether its owner has used an id. */
  has(id: string, owner: string): boolean {
    const known = this.recent.get(id) ?? this.older.get(id);
    if (known === undefined) return false;
    return known === owner || this.has(`${owner}:${id}`, owner);
  }

  get size(): number {
    return this.recent.size + this.older.size;
  }
}
