import { InputError } from '#base';

/**
 * Reading a model's document (JSON or UBJ as data): every refusal names the place, as
 * `learner.gradient_booster.model.trees[3].left_children`.
 */
export type Members = Readonly<Record<string, unknown>>;

const SAVE_AGAIN = "save it again with booster.save_model('model.json') and read that file whole";

/** Refuses what the document says at `where`. */
export function refuse(where: string, what: string, mend: string = SAVE_AGAIN): never {
  throw new InputError(`the boosted model is not usable: ${where} ${what}`, mend);
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** The object at `holder[key]`. */
export function membersAt(holder: Members, key: string, path: string): Members {
  const value = own(holder, key);
  if (isMembers(value)) return value;
  return refuse(`${path}.${key}`, value === undefined ? 'is missing' : 'is not an object');
}

/** The member of that name, never one that every object inherits. */
export function own(holder: Members, key: string): unknown {
  return Object.hasOwn(holder, key) ? holder[key] : undefined;
}

/** The list at `holder[key]`, whatever it holds. */
export function listAt(holder: Members, key: string, path: string): readonly unknown[] {
  const value = own(holder, key);
  if (Array.isArray(value)) return value;
  return refuse(`${path}.${key}`, value === undefined ? 'is missing' : 'is not a list');
}

/** The numbers at `holder[key]`, `count` of them where it is given. Booleans count as 1 and 0, as in old files. */
export function numbersAt(holder: Members, key: string, path: string, count?: number): ArrayLike<number> {
  const list = listAt(holder, key, path);
  if (count !== undefined && list.length !== count)
    return refuse(`${path}.${key}`, `has ${list.length} entries and not ${count}`);
  for (let i = 0; i < list.length; i++)
    if (typeof list[i] !== 'number' && typeof list[i] !== 'boolean')
      refuse(`${path}.${key}[${i}]`, `is ${shown(list[i])} and not a number`);
  return list.some((entry) => typeof entry === 'boolean') ? list.map(Number) : (list as readonly number[]);
}

/** Texts, such as the names of features. None where the member is missing. */
export function textsAt(holder: Members, key: string, path: string): readonly string[] {
  if (own(holder, key) === undefined) return [];
  return listAt(holder, key, path).map((entry, i) =>
    typeof entry === 'string' ? entry : refuse(`${path}.${key}[${i}]`, `is ${shown(entry)} and not a text`),
  );
}

/** The whole number from 0 at `holder[key]`, written as a number or (as XGBoost does) as a text. */
export function countAt(holder: Members, key: string, path: string, ifMissing?: number): number {
  const value = own(holder, key);
  if (value === undefined && ifMissing !== undefined) return ifMissing;
  const count = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  return refuse(
    `${path}.${key}`,
    value === undefined ? 'is missing' : `is ${shown(value)} and not a whole number`,
  );
}

/** A value as an error shows it, cut where it is long. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
