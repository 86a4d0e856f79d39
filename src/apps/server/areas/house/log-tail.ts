import { type FileHandle, open } from 'node:fs/promises';
import { Problem } from '../../context.ts';
import { redactedText } from '../../server-log.ts';

const CHUNK = 64 * 1024;
/** Bytes looked at in one call; a search that found nothing in them goes on with its cursor. */
const SCAN_BYTES = 8 * 1024 * 1024;
/** A line longer than this is cut: nobody reads it. */
const LINE_MOST = 256 * 1024;
/** Files that were set aside are looked for up to this number. */
const FILES_MOST = 10;

export interface LogLine {
  readonly at: number | null;
  readonly text: string;
}

export interface LogAsk {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly search?: string | undefined;
}

interface Place {
  /** Inode: it stays when a file is set aside under another name. */
  readonly file: number;
  /** Lines that end at or before this byte. */
  readonly end: number;
}

/** Lines of a log and of those set aside, newest first, secrets taken out. A file that goes away in between ends the list. */
export async function logPage(
  path: string,
  ask: LogAsk,
): Promise<{ readonly items: LogLine[]; readonly next: string | null }> {
  const from = ask.cursor === undefined ? null : placeOf(ask.cursor);
  const search = ask.search?.toLowerCase() || null;
  const items: LogLine[] = [];
  let scanned = 0;
  let begun = from === null;
  for (let n = 0; n < FILES_MOST; n++) {
    const file = await opened(n === 0 ? path : `${path}.${n}`);
    if (file === null) {
      // the newest is missing for a moment while it is set aside
      if (n === 0) continue;
      break;
    }
    try {
      const { ino, size } = await file.stat();
      if (!begun && ino !== from!.file) continue;
      const start = begun ? size : Math.min(from!.end, size);
      begun = true;
      for await (const { text, at } of linesBackwards(file, start)) {
        scanned += Buffer.byteLength(text) + 1;
        const clean = redactedText(text);
        if (text !== '' && (search === null || clean.toLowerCase().includes(search)))
          items.push({ at: timeOf(text), text: clean });
        if (items.length >= ask.limit || scanned >= SCAN_BYTES) return { items, next: `${ino}:${at}` };
      }
    } finally {
      await file.close();
    }
  }
  return { items, next: null };
}

async function opened(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whole lines before a byte, the last one first, each with the byte it begins at. */
async function* linesBackwards(file: FileHandle, end: number): AsyncGenerator<{ text: string; at: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let isWhole = false;
  for (let at = end; at > 0; ) {
    const from = Math.max(0, at - CHUNK);
    const chunk = Buffer.alloc(at - from);
    await file.read(chunk, 0, chunk.length, from);
    rest = Buffer.concat([chunk, rest]);
    at = from;
    for (let cut = rest.lastIndexOf(10); cut >= 0; cut = rest.lastIndexOf(10)) {
      // what stands behind the last line end is half a line
      if (isWhole) yield { text: rest.toString('utf8', cut + 1), at: at + cut + 1 };
      isWhole = true;
      rest = rest.subarray(0, cut);
    }
    if (rest.length > LINE_MOST) rest = rest.subarray(rest.length - LINE_MOST);
  }
  if (isWhole) yield { text: rest.toString('utf8'), at: 0 };
}

/** Lines of text begin with a time, lines of JSON have one under `time` or `at`. */
function timeOf(text: string): number | null {
  const iso = /^(?:\{[^{}]{0,200}?"time":")?(\d{4}-\d\d-\d\dT[\d:.]{5,12}Z)/.exec(text)?.[1];
  const at =
    iso === undefined
      ? Number(/^\{[^{}]{0,80}?"at":(\d{10,16})/.exec(text)?.[1] ?? Number.NaN)
      : Date.parse(iso);
  return Number.isFinite(at) ? at : null;
}

function placeOf(cursor: string): Place {
  const match = /^(\d{1,20}):(\d{1,15})$/.exec(cursor);
  if (match === null)
    throw new Problem(400, 'bad-input', 'this cursor is none', 'pass back `next` of the page before');
  return { file: Number(match[1]), end: Number(match[2]) };
}
