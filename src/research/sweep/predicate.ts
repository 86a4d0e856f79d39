import { InputError } from '#base';
import { nearest } from '#features';
import type { GridValue } from './grid.ts';

/** The values of a combination's parameters by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Whether a combination takes part. Throws InputError where the expression compares what cannot be compared. */
export type Predicate = (values: Values) => boolean;

/** Longest expression: also bounds how deep it can be nested. */
const LENGTH_MAX = 500;

const EXAMPLE = 'write for example fast < slow && slow <= 4 * fast';

/** What a part of an expression gives. */
type Value = number | string | boolean | null;
type Part = (values: Values) => Value;

interface Token {
  readonly kind: 'number' | 'name' | 'text' | 'sign' | 'end';
  readonly text: string;
  /** Where it begins, from 1. */
  readonly at: number;
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|"([^"]*)"|'([^']*)'|(&&|\|\||[<>=!]=|[-+*/<>!()]))/y;

/**
 * Reads a condition over parameters: names, numbers, text in quotes, true, false, null, `+ - * /`, `< <= > >= == !=`,
 * `&& || !` and parentheses, with the usual precedence. Nothing else can be said in it and nothing is run as code. A
 * parameter that is missing or not a number cannot be reckoned with; `==` and `!=` compare anything. `names` are the
 * parameters there are. Throws InputError naming the place.
 */
export function readPredicate(text: string, names: readonly string[]): Predicate {
  if (text.length > LENGTH_MAX) {
    throw new InputError(`--where is longer than ${LENGTH_MAX} characters`, 'say it shorter');
  }
  const part = new Reader(tokensOf(text), text, names).whole();
  return (values) => {
    const result = part(values);
    if (typeof result === 'boolean') return result;
    throw new InputError(`--where "${text}" gives ${shown(result)}, not yes or no`, EXAMPLE);
  };
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw strange(text, from);
    const at = TOKEN.lastIndex - match[0].trimStart().length + 1;
    const [, number, name, double, single, sign] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, at });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, at });
    else tokens.push({ kind: 'text', text: (double ?? single)!, at });
  }
  tokens.push({ kind: 'end', text: 'the end', at: end + 1 });
  return tokens;
}

function strange(text: string, from: number): InputError {
  const at = from + text.slice(from).search(/\S/);
  const sign = text[at]!;
  const meant = { '=': '==', '&': '&&', '|': '||' }[sign];
  return new InputError(
    `--where "${text}": "${sign}" at ${at + 1} means nothing here`,
    meant === undefined ? EXAMPLE : `write ${meant}`,
  );
}

/** Recursive descent, one method for each precedence. */
class Reader {
  private next = 0;
  private readonly tokens: readonly Token[];
  private readonly source: string;
  private readonly names: readonly string[];

  constructor(tokens: readonly Token[], source: string, names: readonly string[]) {
    this.tokens = tokens;
    this.source = source;
    this.names = names;
  }

  whole(): Part {
    const part = this.either();
    const token = this.peek();
    if (token.kind !== 'end') throw this.wrong(token, 'an operator was expected');
    return part;
  }

  private either(): Part {
    let left = this.both();
    while (this.takes('||')) {
      const [a, b] = [left, this.both()];
      left = (values) => this.truth(a(values)) || this.truth(b(values));
    }
    return left;
  }

  private both(): Part {
    let left = this.comparison();
    while (this.takes('&&')) {
      const [a, b] = [left, this.comparison()];
      left = (values) => this.truth(a(values)) && this.truth(b(values));
    }
    return left;
  }

  private comparison(): Part {
    const a = this.sum();
    const sign = this.takes('<', '<=', '>', '>=', '==', '!=');
    if (sign === null) return a;
    const b = this.sum();
    const further = this.peek();
    if (this.takes('<', '<=', '>', '>=', '==', '!=')) {
      throw this.wrong(further, 'two comparisons in a row', 'join them: 5 < fast && fast < slow');
    }
    switch (sign) {
      case '==':
        return (values) => a(values) === b(values);
      case '!=':
        return (values) => a(values) !== b(values);
      case '<':
        return (values) => this.number(a(values)) < this.number(b(values));
      case '<=':
        return (values) => this.number(a(values)) <= this.number(b(values));
      case '>':
        return (values) => this.number(a(values)) > this.number(b(values));
      default:
        return (values) => this.number(a(values)) >= this.number(b(values));
    }
  }

  private sum(): Part {
    let left = this.product();
    for (let sign = this.takes('+', '-'); sign !== null; sign = this.takes('+', '-')) {
      const [a, b] = [left, this.product()];
      left =
        sign === '+'
          ? (values) => this.number(a(values)) + this.number(b(values))
          : (values) => this.number(a(values)) - this.number(b(values));
    }
    return left;
  }

  private product(): Part {
    let left = this.single();
    for (let sign = this.takes('*', '/'); sign !== null; sign = this.takes('*', '/')) {
      const [a, b] = [left, this.single()];
      left =
        sign === '*'
          ? (values) => this.number(a(values)) * this.number(b(values))
          : (values) => this.number(a(values)) / this.number(b(values));
    }
    return left;
  }

  private single(): Part {
    if (this.takes('-')) {
      const part = this.single();
      return (values) => -this.number(part(values));
    }
    if (this.takes('!')) {
      const part = this.single();
      return (values) => !this.truth(part(values));
    }
    const token = this.peek();
    if (this.takes('(')) {
      const part = this.either();
      const close = this.peek();
      if (!this.takes(')')) throw this.wrong(close, `the parenthesis at ${token.at} is not closed`);
      return part;
    }
    this.next += 1;
    switch (token.kind) {
      case 'number': {
        const value = Number(token.text);
        return () => value;
      }
      case 'text':
        return () => token.text;
      case 'name':
        return this.name(token);
      default:
        throw this.wrong(token, 'a parameter or a number was expected');
    }
  }

  private name(token: Token): Part {
    const { text } = token;
    if (text === 'true' || text === 'false') return () => text === 'true';
    if (text === 'null') return () => null;
    if (!this.names.includes(text)) {
      throw new InputError(
        `--where "${this.source}": there is no parameter "${text}"`,
        `the nearest known one is "${nearest(text, this.names)}"; all: ${this.names.join(', ')}`,
      );
    }
    return (values) => (Object.hasOwn(values, text) ? (values[text] as GridValue) : null);
  }

  private peek(): Token {
    return this.tokens[this.next]!;
  }

  /** Takes the next token when it is one of these signs. */
  private takes(...signs: readonly string[]): string | null {
    const token = this.peek();
    if (token.kind !== 'sign' || !signs.includes(token.text)) return null;
    this.next += 1;
    return token.text;
  }

  private number(value: Value): number {
    if (typeof value === 'number') return value;
    throw new InputError(
      `--where "${this.source}": ${shown(value)} is no number`,
      'reckon and compare numbers; == and != compare anything',
    );
  }

  private truth(value: Value): boolean {
    if (typeof value === 'boolean') return value;
    throw new InputError(`--where "${this.source}": ${shown(value)} is neither true nor false`, EXAMPLE);
  }

  private wrong(token: Token, what: string, mend = EXAMPLE): InputError {
    const seen = token.kind === 'end' ? 'at its end' : `at ${token.at} ("${token.text}")`;
    return new InputError(`--where "${this.source}": ${what} ${seen}`, mend);
  }
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'nothing');
