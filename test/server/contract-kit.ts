import { createRequire } from 'node:module';
import type { RouteId } from '../../src/apps/contract/index.ts';
import { openApi } from '../../src/apps/server/openapi.ts';

export type Json = Record<string, unknown>;

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: RouteId | 'liveFeed';
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: Json }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { schema: Json }> };
  readonly responses: Record<string, { content?: Record<string, { schema: Json }> }>;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly tags: readonly string[];
  readonly summary: string;
}

export const document = openApi('quorum-test') as Json & {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Record<string, Json> };
  tags: { name: string }[];
};

export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    ...operation,
    method: method.toUpperCase(),
    path,
  })),
);

/** What a reference leads to; undefined for one that leads nowhere. */
export function resolved(schema: Json): Json {
  const { $ref } = schema as { $ref?: string };
  if ($ref === undefined) return schema;
  const name = $ref.replace('#/components/schemas/', '');
  return document.components.schemas[name] as Json;
}

interface Validator {
  validateSchema(schema: unknown): boolean;
  addSchema(schema: unknown, key: string): Validator;
  compile(schema: unknown): (value: unknown) => boolean;
  errorsText(): string;
}

/** The JSON schema validator that the HTTP framework brings along, for drafts of 2020-12 as OpenAPI 3.1 uses them. */
export function validator(): Validator {
  const require = createRequire(createRequire(import.meta.url).resolve('@fastify/ajv-compiler'));
  const { default: Ajv } = require('ajv/dist/2020') as { default: new (options: Json) => Validator };
  return new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true, formats: { uri: true } });
}

/** The smallest value a schema takes. */
export function smallest(given: Json): unknown {
  const schema = resolved(given) as Json & {
    type?: string;
    enum?: unknown[];
    const?: unknown;
    anyOf?: Json[];
    oneOf?: Json[];
    properties?: Record<string, Json>;
    required?: string[];
    items?: Json;
    minItems?: number;
    minLength?: number;
    minimum?: number;
    exclusiveMinimum?: number;
    pattern?: string;
  };
  if ('const' in schema) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice !== undefined) return smallest(choice);
  switch (schema.type) {
    case 'object': {
      const required = schema.required ?? [];
      const all = Object.entries(schema.properties ?? {}).filter(([name]) => required.includes(name));
      return Object.fromEntries(all.map(([name, of]) => [name, smallest(of)]));
    }
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => smallest(schema.items ?? {}));
    case 'string':
      return 'why not '.repeat(20).slice(0, Math.max(schema.minLength ?? 1, 7));
    case 'integer':
    case 'number':
      return schema.minimum ?? (schema.exclusiveMinimum === undefined ? 1 : schema.exclusiveMinimum + 1);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

/** Values that a schema does not take, by its type. */
export function wrongFor(given: Json): unknown[] {
  const { type } = resolved(given) as { type?: string };
  switch (type) {
    case 'string':
      return [7, true, {}, ['x']];
    case 'integer':
    case 'number':
      return ['seven', {}, [1], 'NaN'];
    case 'boolean':
      return ['perhaps', 7, {}];
    case 'object':
      return ['text', 7, [1]];
    case 'array':
      return ['text', 7, {}];
    default:
      return [];
  }
}

const deep = (levels: number): unknown => (levels === 0 ? 'x' : { a: deep(levels - 1) });

/** Bodies that nobody means well with. */
export const HOSTILE_BODIES: readonly unknown[] = [
  null,
  7,
  'text',
  [],
  [null],
  {},
  { __proto__: null, constructor: { prototype: { x: 1 } } },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { reason: 'x'.repeat(100_000) },
  { reason: { $gt: '' } },
  { unknownKey: 1, reason: 'r' },
  deep(500),
  Array.from({ length: 5_000 }, (_, i) => i),
  { reason: '\u0000\ud800' },
];

export const HOSTILE_TEXTS: readonly string[] = [
  '%00',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e%2fconsole.sqlite',
  "'%20OR%201=1--",
  '%3Cscript%3E',
  'x'.repeat(700),
  '%F0%9F%92%A3',
  '__proto__',
  '-1',
  '99999999999999999999',
  'NaN',
  '%ud800',
];
