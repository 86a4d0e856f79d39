import { InputError } from '#base';

const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
const EXACT = 9_007_199_254_740_992; // 2^53: up to here a whole number in a double is exact
const COMMA = 44;
const NEWLINE = 10;
const RETURN = 13;

/**
 * The double nearest to the decimal text in `bytes[from, to)`, the same that `Number(text)` gives, or NaN when the text is
 * not a plain decimal (an empty field, `NaN`, `Infinity`, spaces and hexadecimal are not).
 * Up to 2^53 in digits and 10^22 in scale one exact division or product is right (Clinger 1990); the rest goes to Number().
 */
export function parseDouble(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  const negative = bytes[i] === 45;
  if (negative || bytes[i] === 43) i += 1;
  // nine digits at a time fit 32-bit integers, which are fast; the sum of the pieces is exact below 2^53
  let mantissa = 0;
  let chunk = 0;
  let held = 0;
  let scale = 0;
  let digits = 0;
  let c = 0;
  for (; i < to; i++) {
    c = bytes[i]! - 48;
    if (c < 0 || c > 9) break;
    chunk = (chunk * 10 + c) | 0;
    held += 1;
    digits += 1;
    if (held === 9) {
      mantissa = mantissa * POWERS[9]! + chunk;
      chunk = 0;
      held = 0;
    }
  }
  if (i < to && bytes[i] === 46) {
    i += 1;
    const first = i;
    for (; i < to; i++) {
      c = bytes[i]! - 48;
      if (c < 0 || c > 9) break;
      chunk = (chunk * 10 + c) | 0;
      held += 1;
      if (held === 9) {
        mantissa = mantissa * POWERS[9]! + chunk;
        chunk = 0;
        held = 0;
      }
    }
    scale = i - first;
    digits += scale;
  }
  if (digits === 0) return Number.NaN;
  let exponent = 0 - scale; // not -scale: an index of -0 throws the engine's optimised code away, each time
  if (i < to) {
    if ((bytes[i]! | 32) !== 101) return Number.NaN;
    i += 1;
    const minus = bytes[i] === 45;
    if (minus || bytes[i] === 43) i += 1;
    if (i >= to) return Number.NaN;
    let e = 0;
    for (; i < to; i++) {
      c = bytes[i]! - 48;
      if (c < 0 || c > 9) return Number.NaN;
      if (e < 100_000) e = e * 10 + c;
    }
    exponent = minus ? exponent - e : exponent + e;
  }
  mantissa = mantissa * POWERS[held]! + chunk;
  // a sum that reached 2^53 on the way may have lost digits, but it has not come back below
  if (mantissa >= EXACT || exponent < -22 || exponent > 22) return Number(ascii(bytes, from, to));
  const value = exponent < 0 ? mantissa / POWERS[0 - exponent]! : mantissa * POWERS[exponent]!;
  return negative ? -value : value;
}

export function ascii(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

/** The first line of a CSV file: names in lower case without quotes, and where the rows begin. */
export interface CsvHeader {
  readonly names: readonly string[];
  /** Offset of the first byte after the header line. */
  readonly rows: number;
}

/** Reads the header. Throws InputError on an empty file, on a separator other than a comma, and on data without header. */
export function readHeader(file: string, bytes: Uint8Array): CsvHeader {
  let from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (from < bytes.length && (bytes[from] === NEWLINE || bytes[from] === RETURN)) from += 1;
  if (from >= bytes.length)
    throw new InputError(`${file} is empty`, 'give a file with a header line and rows');
  let end = bytes.indexOf(NEWLINE, from);
  if (end < 0) end = bytes.length;
  if (end - from > 65_536)
    throw new InputError(`${file}: line 1 is too long for a header`, 'is this a text file?');
  const line = ascii(bytes, from, end).trim();
  if (!line.includes(',') && /[;\t|]/.test(line)) {
    throw new InputError(
      `${file}: line 1 has no commas: "${clip(line)}"`,
      'separate the columns with commas',
    );
  }
  const names = line.split(',').map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .toLowerCase(),
  );
  if (names.every((name) => name !== '' && !Number.isNaN(Number(name)))) {
    throw new InputError(
      `${file}: line 1 holds numbers, not a header: "${clip(line)}"`,
      'put the header time,open,high,low,close,volume on the first line',
    );
  }
  return { names, rows: Math.min(end + 1, bytes.length) };
}

export function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What to take from each row. Column positions come from the header. */
export interface RowPlan {
  /** Positions of the columns read as numbers, in the order of the values given to `row`. */
  readonly numbers: readonly number[];
  /** Positions of the columns read as text. */
  readonly texts: readonly number[];
  /** An empty field in one of these numbers is NaN instead of an error. Indices into `numbers`. */
  readonly optional?: readonly number[];
}

/**
 * Calls `row` for every line with its numbers and texts; both arrays are reused. A line that cannot be read goes to
 * `broken` with what is wrong; the caller throws or counts. Returns the number of rows.
 */
export function scanRows(
  bytes: Uint8Array,
  header: CsvHeader,
  plan: RowPlan,
  row: (values: Float64Array, texts: readonly string[], line: number) => void,
  broken: (line: number, what: string) => void,
): number {
  const fields = header.names.length;
  const numberSlot = slots(fields, plan.numbers);
  const textSlot = slots(fields, plan.texts);
  const optional = new Set(plan.optional ?? []);
  const values = new Float64Array(plan.numbers.length);
  const texts = plan.texts.map(() => '');
  const textFrom = new Int32Array(plan.texts.length);
  const textLength = new Int32Array(plan.texts.length).fill(-1);
  const size = bytes.length;
  let at = header.rows;
  let line = 1;
  let count = 0;
  while (at < size) {
    line += 1;
    const lineFrom = at;
    let field = 0;
    let fault: string | null = null;
    let more = true;
    while (more) {
      const from = at;
      let c = at < size ? bytes[at]! : NEWLINE;
      while (c !== COMMA && c !== NEWLINE) {
        at += 1;
        c = at < size ? bytes[at]! : NEWLINE;
      }
      more = c === COMMA;
      let end = at;
      at += 1;
      if (!more && end > from && bytes[end - 1] === RETURN) end -= 1;
      if (field < fields) {
        const slot = numberSlot[field]!;
        if (slot >= 0) {
          const value = parseDouble(bytes, from, end);
          values[slot] = value;
          if (Number.isNaN(value) && fault === null && !(end === from && optional.has(slot))) {
            fault = `"${clip(ascii(bytes, from, end))}" is not a number in column ${header.names[field]}`;
          }
        }
        const text = textSlot[field]!;
        if (text >= 0 && !sameText(bytes, textFrom[text]!, textLength[text]!, from, end - from)) {
          texts[text] = ascii(bytes, from, end).trim();
          textFrom[text] = from;
          textLength[text] = end - from;
        }
      }
      field += 1;
    }
    const empty = at - lineFrom <= 2 && field === 1 && (bytes[lineFrom] ?? NEWLINE) <= RETURN;
    if (empty) continue;
    count += 1;
    if (field !== fields) fault = `${field} fields where the header has ${fields}`;
    if (fault === null) row(values, texts, line);
    else broken(line, fault);
  }
  return count;
}

function slots(fields: number, positions: readonly number[]): Int32Array {
  const out = new Int32Array(fields).fill(-1);
  positions.forEach((position, slot) => {
    out[position] = slot;
  });
  return out;
}

function sameText(bytes: Uint8Array, a: number, lengthA: number, b: number, lengthB: number): boolean {
  if (lengthA !== lengthB) return false;
  for (let i = 0; i < lengthA; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
