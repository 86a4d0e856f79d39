import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 1 << 20;

/** Whole lines of a text file without their ends, read in pieces; what stands behind the last line end is left out. */
export function* linesOf(path: string): Generator<string> {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let begun: Buffer[] = [];
    for (;;) {
      const got = readSync(fd, chunk, 0, CHUNK, null);
      if (got === 0) return;
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0 && end < got; end = chunk.indexOf(10, from)) {
        const line = chunk.subarray(from, end);
        yield (begun.length === 0 ? line : Buffer.concat([...begun, line])).toString('utf8');
        begun = [];
        from = end + 1;
      }
      if (from < got) begun.push(Buffer.from(chunk.subarray(from, got)));
    }
  } finally {
    closeSync(fd);
  }
}

/** The value of a line of JSON; null when it is none. */
export function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return null;
  }
}
