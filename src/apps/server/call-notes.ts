import { AsyncLocalStorage } from 'node:async_hooks';
import type { Call } from './context.ts';

/** Which call the work at hand belongs to, so that what is kept of an act can name who asked and from where. */
export class CallNotes {
  private readonly storage = new AsyncLocalStorage<Call>();

  during<T>(call: Call, work: () => T): T {
    return this.storage.run(call, work);
  }

  /** Null outside of a call, such as in the answer to a message of a chat. */
  current(): Call | null {
    return this.storage.getStore() ?? null;
  }
}
