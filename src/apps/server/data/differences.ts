import { canonicalJson } from '#base';

/** One changed value; a path such as `exits.0.atr`, empty for the whole. What was not there is null. */
export interface Difference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

const MOST = 1_000;

/** What differs between two values of JSON, in the order of their keys; at most 1,000 places. */
export function differencesOf(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = [];
  compare('', before, after, found);
  return found;
}

function compare(path: string, before: unknown, after: unknown, found: Difference[]): void {
  if (found.length >= MOST || same(before, after)) return;
  const [a, b] = [membersOf(before), membersOf(after)];
  if (a === null || b === null || Array.isArray(before) !== Array.isArray(after)) {
    found.push({ path, before: before ?? null, after: after ?? null });
    return;
  }
  for (const key of new Set([...a.keys(), ...b.keys()]))
    compare(path === '' ? key : `${path}.${key}`, a.get(key), b.get(key), found);
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));

function membersOf(value: unknown): Map<string, unknown> | null {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null;
}
