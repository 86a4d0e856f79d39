/** Wall clock and waiting, injected so that tests decide how long a second is. */
export interface FeedClock {
  /** Epoch ms. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls once after `ms`; the returned function takes it back. */
  later(ms: number, call: () => void): () => void;
}

export const systemClock: FeedClock = {
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  later: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** Exponential back-off with full jitter over its upper half: attempt 0, 1, 2 ... `random` in [0, 1). */
export function backoffMs(attempt: number, baseMs: number, mostMs: number, random: number): number {
  const ceiling = Math.min(mostMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.5 + 0.5 * random));
}

/** The other side cannot be reached, after all retries. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
  readonly mend: string;
  constructor(what: string, mend = 'check the network and the address, or work from recorded files') {
    super(what);
    this.mend = mend;
  }
}

/** The venue answered and said no. */
export class VenueRefusal extends Error {
  override name = 'VenueRefusal';
  readonly status: number;
  readonly code: number | null;
  constructor(message: string, status: number, code: number | null) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
