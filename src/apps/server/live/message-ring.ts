import { assert } from '#base';

/** A message of a stream. It is written when the first client gets it, and for all of them at once. */
export class RingMessage {
  /** Position in the journal of the entry it was made from. */
  readonly seq: number;
  private write: (() => Buffer) | null;
  private written: Buffer | null = null;

  constructor(seq: number, write: () => Buffer) {
    this.seq = seq;
    this.write = write;
  }

  get bytes(): Buffer {
    if (this.write !== null) {
      this.written = this.write();
      this.write = null;
    }
    return this.written!;
  }
}

/** Where a client stands: the number of the next message it gets, and the `seq` it is taken to have seen. */
export interface Standing {
  readonly next: number;
  readonly seen: number;
}

/** The newest messages of a stream, numbered from 0 on without holes; older ones are forgotten. */
export class MessageRing {
  private readonly most: number;
  private readonly messages: (RingMessage | undefined)[];
  /** Number that the next message gets. */
  end = 0;
  /** `seq` of the newest message; 0 before there is one: at 0 stands the header, of which no message is made. */
  last = 0;
  /** `seq` of the newest message that is forgotten. */
  private forgotten = 0;

  constructor(most: number) {
    assert(most >= 1, 'a ring without room');
    this.most = most;
    this.messages = Array<RingMessage | undefined>(most);
  }

  /** Number of the oldest message that is kept. */
  get begin(): number {
    return Math.max(0, this.end - this.most);
  }

  push(message: RingMessage): void {
    assert(message.seq > this.last, `message ${message.seq} behind ${this.last}`);
    const at = this.end % this.most;
    const gone = this.messages[at];
    if (gone !== undefined) this.forgotten = gone.seq;
    this.messages[at] = message;
    this.end += 1;
    this.last = message.seq;
  }

  /** A message that is kept. */
  at(number: number): RingMessage {
    const message = number >= this.begin && number < this.end ? this.messages[number % this.most] : undefined;
    assert(message !== undefined, `message ${number} is not kept`);
    return message;
  }

  /** Where a client goes on that saw everything up to `seq`; null when that is too long ago or has not happened yet. */
  behind(seq: number): Standing | null {
    if (seq < this.forgotten || seq > this.last) return null;
    let [low, high] = [this.begin, this.end];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle).seq <= seq) low = middle + 1;
      else high = middle;
    }
    // between two messages nothing was sent: it has seen the one before
    return { next: low, seen: low > this.begin ? this.at(low - 1).seq : this.forgotten };
  }

  /** The newest place. */
  now(): Standing {
    return { next: this.end, seen: this.last };
  }
}
