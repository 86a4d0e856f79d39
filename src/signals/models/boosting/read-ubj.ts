import { InputError } from '#base';
import { DEPTH_MAX, DocumentBudget, TOO_LARGE } from './document-budget.ts';

/**
 * Universal Binary JSON (draft 12) to the data that the same document in JSON gives: objects, lists, numbers, texts.
 * Reads what XGBoost writes and the rest of the draft: counted and typed containers, every width of integer, float32
 * and float64, big-endian, no-ops. Throws InputError with the byte where the document is broken, an integer leaves the
 * safe range, bytes are left over, or a typed container repeats what takes no bytes (nulls, truths), which XGBoost never writes.
 */
export function readUbj(bytes: Uint8Array): unknown {
  const reader = new UbjReader(bytes);
  const value = reader.value(reader.marker(), 0);
  reader.end();
  return value;
}

/** Types whose marker is all there is: a count of them claims memory for nothing. */
const VALUELESS = 'ZTF';

const SIZES: Readonly<Record<string, number>> = { i: 1, U: 1, I: 2, l: 4, L: 8, d: 4, D: 8, C: 1 };

class UbjReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly text = new TextDecoder();
  private readonly budget = new DocumentBudget();
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next marker that is not a no-op. */
  marker(): string {
    for (;;) {
      this.need(1);
      const marker = String.fromCharCode(this.bytes[this.at++]!);
      if (marker !== 'N') return marker;
    }
  }

  end(): void {
    while (this.at < this.bytes.length && this.bytes[this.at] === 0x4e) this.at++;
    if (this.at < this.bytes.length) this.broken(`has ${this.bytes.length - this.at} bytes after its end`);
  }

  value(marker: string, depth: number): unknown {
    switch (marker) {
      case 'Z':
        return null;
      case 'T':
        return true;
      case 'F':
        return false;
      case 'S':
        return this.string();
      case 'C':
        this.need(1);
        return String.fromCharCode(this.bytes[this.at++]!);
      case 'H':
        return this.highPrecision();
      case '[':
        return this.list(this.inside(depth));
      case '{':
        return this.members(this.inside(depth));
      default:
        return this.number(marker);
    }
  }

  private number(marker: string): number {
    const size = marker === 'C' ? undefined : SIZES[marker];
    if (size === undefined)
      return this.broken(`has ${JSON.stringify(marker)}, which is no type of UBJ`, this.at - 1);
    this.need(size);
    const at = this.at;
    this.at += size;
    switch (marker) {
      case 'i':
        return this.view.getInt8(at);
      case 'U':
        return this.view.getUint8(at);
      case 'I':
        return this.view.getInt16(at);
      case 'l':
        return this.view.getInt32(at);
      case 'd':
        return this.view.getFloat32(at);
      case 'D':
        return this.view.getFloat64(at);
      default: {
        const value = Number(this.view.getBigInt64(at));
        return Number.isSafeInteger(value)
          ? value
          : this.broken(`has the integer ${value}, which is too large`, at);
      }
    }
  }

  private highPrecision(): number {
    const at = this.at;
    const text = this.string();
    const value = Number(text);
    return text.trim() !== '' && Number.isFinite(value)
      ? value
      : this.broken(`has the number ${JSON.stringify(text)}, which is none`, at);
  }

  private string(): string {
    const length = this.length(this.marker());
    this.need(length);
    this.at += length;
    return this.text.decode(this.bytes.subarray(this.at - length, this.at));
  }

  private length(marker: string): number {
    const at = this.at;
    if (!'iUIlL'.includes(marker)) return this.broken('has a length that is no integer', at - 1);
    const value = this.number(marker);
    return value >= 0 ? value : this.broken(`has the length ${value}`, at);
  }

  /** `$type#count`, `#count` or nothing at the head of a container. */
  private head(): { type: string | null; count: number | null } {
    const type = this.take('$') ? this.marker() : null;
    if (type !== null && VALUELESS.includes(type))
      return this.broken(`has a container of ${JSON.stringify(type)}, which take no bytes`, this.at - 1);
    if (this.take('#')) {
      const at = this.at;
      const count = this.length(this.marker());
      // nothing that is counted takes less than a byte
      const least = type === null ? 1 : (SIZES[type] ?? 1);
      if (count * least > this.bytes.length - this.at)
        return this.broken(`has a container of ${count} entries, which it is too short for`, at);
      return { type, count };
    }
    return type === null
      ? { type, count: null }
      : this.broken('has a typed container without a count', this.at);
  }

  private list(depth: number): unknown[] {
    const { type, count } = this.head();
    const out: unknown[] = [];
    const entry = (marker: string) => {
      if (!this.budget.entry()) this.broken(TOO_LARGE);
      out.push(this.value(marker, depth));
    };
    if (count === null)
      for (let marker = this.marker(); marker !== ']'; marker = this.marker()) entry(marker);
    else for (let i = 0; i < count; i++) entry(type ?? this.marker());
    return out;
  }

  private members(depth: number): Record<string, unknown> {
    const { type, count } = this.head();
    const entries: [string, unknown][] = [];
    const member = () => {
      if (!this.budget.member()) this.broken(TOO_LARGE);
      const key = this.string();
      entries.push([key, this.value(type ?? this.marker(), depth)]);
    };
    if (count === null) while (!this.takeAfterNoOps('}')) member();
    else for (let i = 0; i < count; i++) member();
    return Object.fromEntries(entries);
  }

  private inside(depth: number): number {
    if (!this.budget.container()) this.broken(TOO_LARGE);
    return depth < DEPTH_MAX ? depth + 1 : this.broken(`goes deeper than ${DEPTH_MAX} containers`);
  }

  private take(marker: string): boolean {
    if (this.bytes[this.at] !== marker.charCodeAt(0)) return false;
    this.at++;
    return true;
  }

  private takeAfterNoOps(marker: string): boolean {
    while (this.take('N'));
    return this.take(marker);
  }

  private need(count: number): void {
    if (this.at + count > this.bytes.length) this.broken('ends in the middle', this.bytes.length);
  }

  private broken(what: string, at: number = this.at): never {
    throw new InputError(
      `the UBJ document is not usable: it ${what} (byte ${at})`,
      "read the whole file as bytes, or save the model again with booster.save_model('model.ubj')",
    );
  }
}
