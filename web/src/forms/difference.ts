import { isPlain } from './json-schema.ts';

export interface Difference {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Every value in which two trees differ, by path. */
export function differencesOf(before: unknown, after: unknown, path = ''): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const both = (isPlain(before) && isPlain(after)) || (Array.isArray(before) && Array.isArray(after));
  if (!both) return [{ path: path === '' ? '(all)' : path, before, after }];
  const [one, other] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.flatMap((name) =>
    differencesOf(one[name], other[name], path === '' ? name : `${path}.${name}`),
  );
}
