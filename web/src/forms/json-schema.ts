/** The part of JSON Schema that forms are made from: what zod writes for the server's configurations. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

export type Plain = Readonly<Record<string, unknown>>;

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Follows `$ref` inside the document `root`. */
export function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.replace(/^#\/(\$defs|definitions)\//, '');
  if (name === undefined) return schema;
  const found = name === '#' ? root : (root.$defs?.[name] ?? root.definitions?.[name]);
  return found === undefined ? {} : { ...found, description: schema.description ?? found.description };
}

/** A schema without the choice of null, and whether null may be chosen. */
export function withoutNull(schema: Schema): { readonly inner: Schema; readonly nullable: boolean } {
  if (Array.isArray(schema.type) && schema.type.includes('null')) {
    const rest = (schema.type as readonly string[]).filter((type) => type !== 'null');
    return { inner: { ...schema, type: rest.length === 1 ? rest[0]! : rest }, nullable: true };
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices?.some((choice) => choice.type === 'null')) {
    const rest = choices.filter((choice) => choice.type !== 'null');
    const about = { description: schema.description, default: schema.default };
    if (rest.length === 1) return { inner: { ...about, ...rest[0]! }, nullable: true };
    return { inner: { ...about, anyOf: rest }, nullable: true };
  }
  return { inner: schema, nullable: false };
}

export type Kind =
  | 'choice'
  | 'boolean'
  | 'number'
  | 'text'
  | 'list'
  | 'object'
  | 'record'
  | 'variant'
  | 'any';

/** How a value of a schema is put in. */
export function kindOf(schema: Schema): Kind {
  if (schema.enum !== undefined || schema.const !== undefined) return 'choice';
  if ((schema.anyOf ?? schema.oneOf) !== undefined) return 'variant';
  switch (schema.type) {
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'integer':
      return 'number';
    case 'string':
      return 'text';
    case 'array':
      return schema.items === undefined ? 'any' : 'list';
    case 'object':
      if (schema.properties !== undefined) return 'object';
      return isPlain(schema.additionalProperties) && Object.keys(schema.additionalProperties).length > 0
        ? 'record'
        : 'any';
    default:
      return 'any';
  }
}

export function choicesOf(schema: Schema): readonly unknown[] {
  return schema.enum ?? [schema.const];
}

/** Of several schemas the first that a value fits; else the first one. */
export function variantOf(value: unknown, choices: readonly Schema[], root: Schema): number {
  const whole = choices.findIndex((choice) => validate(value, choice, root).size === 0);
  if (whole >= 0) return whole;
  const tagged = choices.findIndex((choice) => {
    const tags = Object.entries(resolved(choice, root).properties ?? {}).filter(
      ([, part]) => part.const !== undefined,
    );
    return tags.length > 0 && tags.every(([name, part]) => isPlain(value) && value[name] === part.const);
  });
  return Math.max(0, tagged);
}

/** What a variant is called: by its tag, its title or its type. */
export function variantName(schema: Schema, i: number, root: Schema): string {
  const { title, type, properties, const: only } = resolved(schema, root);
  const tag = Object.values(properties ?? {}).find((part) => part.const !== undefined)?.const;
  if (typeof tag === 'string') return tag;
  if (only !== undefined) return String(only);
  return title ?? (typeof type === 'string' ? type : `choice ${i + 1}`);
}

/** A value to begin with. */
export function blank(schema: Schema, root: Schema): unknown {
  const own = resolved(schema, root);
  if (own.default !== undefined) return own.default;
  if (own.const !== undefined) return own.const;
  const { inner, nullable } = withoutNull(own);
  if (nullable) return null;
  switch (kindOf(inner)) {
    case 'choice':
      return choicesOf(inner)[0];
    case 'boolean':
      return false;
    case 'list':
      return [];
    case 'variant':
      return blank((inner.anyOf ?? inner.oneOf)![0]!, root);
    case 'object': {
      const named = Object.entries(inner.properties ?? {}).filter(([name]) => inner.required?.includes(name));
      return Object.fromEntries(named.map(([name, part]) => [name, blank(part, root)]));
    }
    case 'record':
    case 'any':
      return {};
    default:
      return '';
  }
}

export type Errors = ReadonlyMap<string, string>;

/** What is wrong with a value, by path such as `exits.0.atr`; empty when nothing is. The server has the last word. */
export function validate(value: unknown, schema: Schema, root: Schema, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  const own = resolved(schema, root);
  const { inner, nullable } = withoutNull(own);
  if (value === null && nullable) return found;
  const say = (text: string) => found.set(path, text);
  const include = (part: unknown, of: Schema, name: string | number) => {
    for (const [at, text] of validate(part, of, root, path === '' ? `${name}` : `${path}.${name}`))
      found.set(at, text);
  };
  switch (kindOf(inner)) {
    case 'choice':
      if (!choicesOf(inner).includes(value)) say(`choose one of ${choicesOf(inner).map(String).join(', ')}`);
      break;
    case 'boolean':
      if (typeof value !== 'boolean') say('choose yes or no');
      break;
    case 'number': {
      const text = numberFault(value, inner);
      if (text !== null) say(text);
      break;
    }
    case 'text': {
      const text = textFault(value, inner);
      if (text !== null) say(text);
      break;
    }
    case 'list':
      if (!Array.isArray(value)) say('needs a list');
      else {
        if (value.length < (inner.minItems ?? 0)) say(`needs at least ${inner.minItems}`);
        if (inner.maxItems !== undefined && value.length > inner.maxItems)
          say(`takes at most ${inner.maxItems}`);
        for (const [i, item] of value.entries()) include(item, inner.items!, i);
      }
      break;
    case 'record':
      if (!isPlain(value)) say('needs names with values');
      else
        for (const [name, part] of Object.entries(value)) {
          include(part, inner.additionalProperties as Schema, name);
          const fault = inner.propertyNames === undefined ? null : textFault(name, inner.propertyNames);
          if (fault !== null) found.set(path === '' ? name : `${path}.${name}`, `the name ${fault}`);
        }
      break;
    case 'object':
      if (!isPlain(value)) {
        say('needs values by name');
        break;
      }
      for (const name of inner.required ?? [])
        if (value[name] === undefined && inner.properties?.[name]?.default === undefined)
          found.set(path === '' ? name : `${path}.${name}`, 'is needed');
      for (const [name, part] of Object.entries(value)) {
        const known = inner.properties?.[name];
        if (known !== undefined) {
          if (part !== undefined) include(part, known, name);
        } else if (inner.additionalProperties === false)
          found.set(path === '' ? name : `${path}.${name}`, 'is not known: take it out');
      }
      break;
    case 'variant': {
      const choices = (inner.anyOf ?? inner.oneOf)!;
      const chosen = choices[variantOf(value, choices, root)]!;
      for (const [at, text] of validate(value, chosen, root, path)) found.set(at, text);
      break;
    }
    case 'any':
      if (value === undefined) say('is needed');
      else if (inner.type === 'object' && !isPlain(value))
        say('needs an object in JSON, such as {"name": 1}');
      else if (inner.type === 'array' && !Array.isArray(value)) say('needs a list in JSON, such as [1, 2]');
  }
  return found;
}

function numberFault(value: unknown, schema: Schema): string | null {
  const bounds = boundsOf(schema);
  const needs = `${schema.type === 'integer' ? 'needs a whole number' : 'needs a number'}${bounds === '' ? '' : ` ${bounds}`}`;
  if (typeof value !== 'number' || !Number.isFinite(value)) return needs;
  if (schema.type === 'integer' && !Number.isInteger(value)) return needs;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const within =
    (minimum === undefined || value >= minimum) &&
    (maximum === undefined || value <= maximum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (exclusiveMaximum === undefined || value < exclusiveMaximum);
  return within ? null : needs;
}

function textFault(value: unknown, schema: Schema): string | null {
  if (typeof value !== 'string') return 'needs text';
  if (value.length < (schema.minLength ?? 0))
    return value === '' ? 'is needed' : `needs at least ${schema.minLength} characters`;
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return `takes at most ${schema.maxLength} characters`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value))
    return `must match ${schema.pattern}`;
  return null;
}

/** Such as `from 0 to 1` or `above 0`. */
export function boundsOf(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const large = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  const parts: string[] = [];
  if (!large(minimum)) parts.push(large(maximum) ? `of at least ${minimum}` : `from ${minimum}`);
  if (exclusiveMinimum !== undefined) parts.push(`above ${exclusiveMinimum}`);
  if (!large(maximum)) parts.push(parts.length > 0 && !large(minimum) ? `to ${maximum}` : `up to ${maximum}`);
  if (exclusiveMaximum !== undefined) parts.push(`below ${exclusiveMaximum}`);
  return parts.join(' ');
}
