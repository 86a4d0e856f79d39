import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { InputError } from '#base';

/** Name of the file that says what the others of a folder are. */
export const CHECKSUM_FILE = 'SHA256SUMS';

/** Lines of `sha256sum`: hash, two spaces, name. Throws {@link InputError} for anything else, or a name that leaves the folder. */
export function parseChecksums(text: string, where: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const match = /^([0-9a-f]{64}) [ *](\S.*)$/.exec(line);
    const name = match?.[2]?.replace(/^\.\//, '') ?? '';
    if (match === null || name.startsWith('/') || name.includes('\\') || name.split('/').includes('..'))
      throw new InputError(`${where} is not a list of SHA-256 sums`, 'fetch the files again');
    sums.set(name, match[1]!);
  }
  return sums;
}

/** The text that {@link parseChecksums} and `sha256sum -c` read. */
export function checksumText(sums: ReadonlyMap<string, string>): string {
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sum]) => `${sum}  ${name}\n`)
    .join('');
}

/** SHA-256 of a file in hex, read in pieces. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
