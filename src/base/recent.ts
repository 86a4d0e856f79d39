/**
 * The newest `capacity` entries by the time their key came; the oldest is deleted for the next one. A state for
 * snapshots: values must be plain data. Many thousand large values that come and go quickly are better not kept here:
 * what a map has held for long dies only in a full collection.
 */
export class RecentMap<K extends string, V> {
  static readonly configuration = ['capacity'];
  private readonly capacity: number;
  private readonly entries = new Map<K, V>();
  /** A ring of the keys in order of age; an empty text where one was taken out. */
  private readonly keys: (K | '')[] = [];
  private next = 0;

  /** `capacity`: whole number, 1 or more. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  /** A known key keeps its age. */
  set(key: K, value: V): void {
    if (!this.entries.has(key)) this.makeRoom(key);
    this.entries.set(key, value);
  }

  private makeRoom(key: K): void {
    const { keys } = this;
    if (keys.length < this.capacity) {
      keys.push(key);
      return;
    }
    const oldest = keys[this.next]!;
    if (oldest !== '') this.entries.delete(oldest);
    keys[this.next] = key;
    this.next = (this.next + 1) % this.capacity;
  }

  delete(key: K): void {
    if (this.entries.delete(key)) this.keys[this.keys.indexOf(key)] = '';
  }

  /** Oldest first, but for keys that were set again after they had been deleted. */
  values(): IterableIterator<V> {
    return this.entries.values();
  }
}
