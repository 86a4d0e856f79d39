import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanPlace } from '../traces/spans.ts';
import type { Call } from './context.ts';

/** A call, and where its trace is. */
interface Noted {
  readonly call: Call;
  readonly place: SpanPlace | null;
}

/** Which call the work at hand belongs to, so that what is kept of an act can name who asked and from where. */
export class CallNotes {
  private readonly storage = new AsyncLocalStorage<Noted>();

  during<T>(call: Call, place: SpanPlace | null, work: () => T): T {
    return this.storage.run({ call, place }, work);
  }

  /** Null outside of a call, such as in the answer to a message of a chat. */
  current(): Call | null {
    return this.storage.getStore()?.call ?? null;
  }

  /** Null outside of a call, and where no traces are collected. */
  place(): SpanPlace | null {
    return this.storage.getStore()?.place ?? null;
  }
}
