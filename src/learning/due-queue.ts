/** A claim waiting for its horizon. */
export interface DueClaim {
  readonly due: number;
  readonly price: number;
  readonly value: number;
  readonly source: number;
  readonly instrument: number;
  readonly probability: boolean;
}

/**
 * A binary heap by due time in fixed arrays: the earliest first, among equals the one that came first. When full it
 * takes nothing more.
 */
export class DueQueue {
  private readonly due: Float64Array;
  private readonly order: Float64Array;
  private readonly price: Float64Array;
  private readonly value: Float64Array;
  private readonly source: Int32Array;
  private readonly instrument: Int32Array;
  private readonly probability: Uint8Array;
  /** heap[i] is the slot at place i; the places behind `count` hold the free slots. */
  private readonly heap: Int32Array;
  private count = 0;
  private pushed = 0;

  constructor(capacity: number) {
    this.due = new Float64Array(capacity);
    this.order = new Float64Array(capacity);
    this.price = new Float64Array(capacity);
    this.value = new Float64Array(capacity);
    this.source = new Int32Array(capacity);
    this.instrument = new Int32Array(capacity);
    this.probability = new Uint8Array(capacity);
    this.heap = Int32Array.from({ length: capacity }, (_, i) => i);
  }

  get length(): number {
    return this.count;
  }

  /** When the earliest claim is due; Infinity when there is none. */
  get nextDue(): number {
    return this.count === 0 ? Number.POSITIVE_INFINITY : this.due[this.heap[0]!]!;
  }

  /** False when the queue is full. */
  push(
    due: number,
    price: number,
    value: number,
    source: number,
    instrument: number,
    probability: boolean,
  ): boolean {
    if (this.count === this.heap.length) return false;
    const slot = this.heap[this.count]!;
    this.due[slot] = due;
    this.order[slot] = this.pushed;
    this.price[slot] = price;
    this.value[slot] = value;
    this.source[slot] = source;
    this.instrument[slot] = instrument;
    this.probability[slot] = probability ? 1 : 0;
    this.pushed += 1;
    let place = this.count;
    this.count += 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.before(this.heap[place]!, this.heap[parent]!)) break;
      this.swap(place, parent);
      place = parent;
    }
    return true;
  }

  /** Takes the earliest claim out. Call only when there is one. */
  pop(): DueClaim {
    const slot = this.heap[0]!;
    this.count -= 1;
    this.swap(0, this.count);
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && this.before(this.heap[child + 1]!, this.heap[child]!)) child += 1;
      if (!this.before(this.heap[child]!, this.heap[place]!)) break;
      this.swap(place, child);
      place = child;
    }
    return {
      due: this.due[slot]!,
      price: this.price[slot]!,
      value: this.value[slot]!,
      source: this.source[slot]!,
      instrument: this.instrument[slot]!,
      probability: this.probability[slot] === 1,
    };
  }

  private before(a: number, b: number): boolean {
    return this.due[a]! < this.due[b]! || (this.due[a] === this.due[b] && this.order[a]! < this.order[b]!);
  }

  private swap(a: number, b: number): void {
    const slot = this.heap[a]!;
    this.heap[a] = this.heap[b]!;
    this.heap[b] = slot;
  }
}
