import { InputError } from '#base';
import { DEPTH_MAX, DocumentBudget, TOO_LARGE } from './document-budget.ts';

/**
 * A model's JSON text to data. Takes what XGBoost writes and JSON lacks: `NaN`, `Infinity` and `-Infinity` (gains and
 * covers of degenerate nodes). Throws InputError with the line and column where the text is broken.
 */
export function readModelText(text: string): unknown {
  const reader = new TextReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
];

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

class TextReader {
  private readonly text: string;
  private readonly budget = new DocumentBudget();
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(depth: number): unknown {
    this.space();
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      if (!this.budget.container()) this.broken(TOO_LARGE);
      if (depth >= DEPTH_MAX) this.broken(`goes deeper than ${DEPTH_MAX} containers`);
      this.at++;
      return first === '{' ? this.members(depth + 1) : this.list(depth + 1);
    }
    if (first === '"') return this.string();
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    return this.number();
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.broken('goes on after its end');
  }

  private members(depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    if (this.take('}')) return {};
    do {
      this.space();
      if (this.text[this.at] !== '"') this.broken('lacks the name of a member');
      if (!this.budget.member()) this.broken(TOO_LARGE);
      const key = this.string();
      if (!this.take(':')) this.broken('lacks a colon');
      entries.push([key, this.value(depth)]);
    } while (this.take(','));
    if (!this.take('}')) this.broken('lacks a comma or a closing brace');
    return Object.fromEntries(entries);
  }

  private list(depth: number): unknown[] {
    const out: unknown[] = [];
    if (this.take(']')) return out;
    do {
      if (!this.budget.entry()) this.broken(TOO_LARGE);
      out.push(this.value(depth));
    } while (this.take(','));
    if (!this.take(']')) this.broken('lacks a comma or a closing bracket');
    return out;
  }

  private string(): string {
    let from = ++this.at;
    let out = '';
    for (; this.at < this.text.length; this.at++) {
      const char = this.text[this.at];
      if (char === '"') return out + this.text.slice(from, this.at++);
      if (char !== '\\') continue;
      out += this.text.slice(from, this.at++) + this.escape();
      from = this.at + 1;
    }
    return this.broken('ends in the middle of a text');
  }

  /** The character of the escape whose letter is next; stands on the last character of it afterwards. */
  private escape(): string {
    const letter = this.text[this.at] ?? '';
    if (letter === 'u') {
      const digits = this.text.slice(this.at + 1, this.at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.broken('has a broken escape');
      this.at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    return Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter]! : this.broken('has a broken escape');
  }

  private number(): number {
    NUMBER.lastIndex = this.at;
    const digits = NUMBER.exec(this.text)?.[0];
    if (digits === undefined)
      return this.broken(this.at < this.text.length ? 'has no value here' : 'ends in the middle');
    this.at += digits.length;
    return Number(digits);
  }

  private take(char: string): boolean {
    this.space();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  private broken(what: string): never {
    const before = this.text.slice(0, this.at);
    const line = before.split('\n').length;
    throw new InputError(
      `the JSON document is not usable: it ${what} (line ${line}, column ${this.at - before.lastIndexOf('\n')})`,
      "read the whole file, or save the model again with booster.save_model('model.json')",
    );
  }
}
