import { z } from 'zod';
import { pathOf, ROUTES, type RouteId, type RouteShape } from '../../../src/apps/contract/index.ts';
import type { Sent } from './world.ts';

export const ROUTE_IDS = Object.keys(ROUTES) as RouteId[];
export const shapeOf = (id: RouteId): RouteShape => ROUTES[id];

type Json = Record<string, unknown>;

/** Something that a JSON schema takes. Enough of the language for the contract's own schemas. */
export function sampleOf(schema: Json): unknown {
  const { type, enum: choices, const: only, anyOf, oneOf, default: byDefault } = schema;
  if (only !== undefined) return only;
  if (Array.isArray(choices)) return choices[0];
  if (byDefault !== undefined) return byDefault;
  const options = (anyOf ?? oneOf) as Json[] | undefined;
  if (options !== undefined) return sampleOf(options[0]!);
  switch (type) {
    case 'string':
      return 'sample'.padEnd(Number(schema.minLength ?? 0), 'x').slice(0, Number(schema.maxLength ?? 6));
    case 'integer':
    case 'number':
      return Math.max(Number(schema.minimum ?? 1), 1);
    case 'boolean':
      return true;
    case 'array':
      return Number(schema.minItems ?? 0) === 0 ? [] : [sampleOf(schema.items as Json)];
    case 'object': {
      const properties = (schema.properties ?? {}) as Record<string, Json>;
      const required = (schema.required ?? []) as string[];
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? {})]));
    }
    default:
      return {};
  }
}

/** A way to put a text somewhere into an input. */
export interface Field {
  readonly where: 'params' | 'query' | 'body';
  readonly path: readonly string[];
}

/** Every place of a schema where a text may stand. */
function textsIn(schema: Json, path: readonly string[] = []): (readonly string[])[] {
  const options = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (options !== undefined) {
    const all = options.flatMap((option) => textsIn(option, path));
    return [...new Map(all.map((one) => [one.join('.'), one])).values()];
  }
  if (schema.type === 'string' && schema.const === undefined) return [path];
  if (schema.type === 'array') return textsIn(schema.items as Json, [...path, '0']);
  if (schema.type !== 'object') return [];
  const free = schema.additionalProperties;
  const inside = Object.entries((schema.properties ?? {}) as Record<string, Json>);
  const more = typeof free === 'object' && free !== null ? [[...path, 'anything']] : [];
  return [...inside.flatMap(([name, one]) => textsIn(one, [...path, name])), ...more];
}

const jsonSchema = (schema: z.ZodType): Json =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;

/** A request that the contract takes, and the places in it where texts stand. */
export function templateOf(id: RouteId): { sample: Record<Field['where'], unknown>; fields: Field[] } {
  const shape = shapeOf(id);
  const parts = { params: shape.params, query: shape.query, body: shape.body };
  const sample: Record<string, unknown> = {};
  const fields: Field[] = [];
  for (const [where, schema] of Object.entries(parts)) {
    if (schema === undefined) continue;
    const json = jsonSchema(schema);
    sample[where] = sampleOf(json);
    for (const path of textsIn(json)) fields.push({ where: where as Field['where'], path });
  }
  return { sample: sample as Record<Field['where'], unknown>, fields };
}

/** The same value with a text in one place. */
export function withText(value: unknown, [first, ...rest]: readonly string[], text: string): unknown {
  if (first === undefined) return text;
  if (Array.isArray(value) || first === '0')
    return [withText(Array.isArray(value) ? value[0] : undefined, rest, text)];
  const before = (typeof value === 'object' && value !== null ? value : {}) as Json;
  return { ...before, [first]: withText(before[first], rest, text) };
}

/** Method, path and body of a route for an input. */
export function aimedAt(
  id: RouteId,
  input: Partial<Record<Field['where'], unknown>>,
): { path: string } & Sent {
  const { method, path } = pathOf(id);
  const params = (input.params ?? {}) as Record<string, unknown>;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeLoosely(String(params[name] ?? 'sample')),
  );
  const query = Object.entries((input.query ?? {}) as Json)
    .map(([name, value]) => `${name}=${encodeLoosely(String(value))}`)
    .join('&');
  return {
    method,
    path: query === '' ? filled : `${filled}?${query}`,
    ...(input.body !== undefined && method !== 'GET' && { body: input.body }),
  };
}

/** As encodeURIComponent, but for halves of surrogate pairs, which it throws for. */
const encodeLoosely = (text: string) =>
  encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '\ufffd')) || '%20';
