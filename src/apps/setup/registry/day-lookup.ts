import type { RunRegistry } from '#adapters';
import type { RegisteredTrial } from '#research';

/** Days of trials, one array for all that have the same. */
export function dayLookup(registry: RunRegistry): (trial: RegisteredTrial) => Int32Array {
  const found = new Map<string, Int32Array>();
  return ({ days, returns }) => {
    const key = `${days.hash} ${returns.length}`;
    let known = found.get(key);
    if (known === undefined) {
      known = registry.days(days.hash).subarray(0, returns.length);
      found.set(key, known);
    }
    return known;
  };
}
