/** How often a beat is made while something is waited for. */
const BEAT_MS = 100;

/** A beat threw: nothing that asking again would mend. */
export class LoopBroke extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

/**
 * What a task gives, with a beat every tenth of a second until it does, told how long that has taken so far in real
 * milliseconds. Null when the signal came first. Rejects as the task does, or with {@link LoopBroke} when a beat throws.
 */
export function withBeat<T>(
  task: Promise<T>,
  signal: AbortSignal,
  beat: (waitedMs: number) => void,
): Promise<T | null> {
  const since = performance.now();
  return new Promise<T | null>((give, refuse) => {
    const timer = setInterval(() => {
      try {
        beat(performance.now() - since);
      } catch (cause) {
        end();
        refuse(new LoopBroke(cause));
      }
    }, BEAT_MS);
    const stopped = () => {
      end();
      give(null);
    };
    const end = () => {
      clearInterval(timer);
      signal.removeEventListener('abort', stopped);
    };
    signal.addEventListener('abort', stopped, { once: true });
    task.then(give, refuse).finally(end);
  });
}
