/** A way in that has just been closed. */
export interface Ended {
  readonly userId: string;
  /** The one credential that ended; null for all that the user had. */
  readonly credential: string | null;
  /** One credential that goes on when all others end. */
  readonly except: string | null;
}

/** Tells the server which WebSockets to close: a log-out ends them at once. */
export class Endings {
  private readonly listeners = new Set<(ended: Ended) => void>();

  /** Returns the function that stops listening. */
  listen(listener: (ended: Ended) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(userId: string, credential: string | null, except: string | null = null): void {
    for (const listener of this.listeners) listener({ userId, credential, except });
  }
}

/** Whether this is about somebody who came in with `credential`. */
export const endsFor = (ended: Ended, who: { readonly id: string; readonly credential: string }): boolean =>
  ended.userId === who.id &&
  (ended.credential === null ? ended.except !== who.credential : ended.credential === who.credential);
