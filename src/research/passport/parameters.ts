import { canonicalJson } from '#base';

/** A number as it is, anything else as canonical text, so that equal values are equal. */
export type ParameterValue = number | string;

export type CanonicalParameters = Readonly<Record<string, ParameterValue>>;

/** A desk's parameters by name, nested ones as `outer.inner`. */
export function parametersOf(parameters: unknown): CanonicalParameters {
  const out: Record<string, ParameterValue> = {};
  const walk = (value: unknown, name: string) => {
    if (typeof value === 'number') out[name] = value;
    else if (typeof value !== 'object' || value === null || Array.isArray(value))
      out[name] = canonicalJson(value);
    else for (const [key, inner] of Object.entries(value)) walk(inner, name === '' ? key : `${name}.${key}`);
  };
  walk(parameters, '');
  return out;
}
