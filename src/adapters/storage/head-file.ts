import { closeSync, constants, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { JournalHead } from '#engine';
import { isSystemError } from './durable-file.ts';

const SLOT_BYTES = 256;

/**
 * The journal's last durable head, kept beside it: a hash chain does not see that its own tail was cut off.
 * Two slots are written in turn, so a torn write leaves the one before it. Not synced on every write: after a power
 * cut it may be older than the journal, never newer.
 */
export class HeadFile {
  private readonly fd: number;
  private readonly slots = Buffer.alloc(SLOT_BYTES * 2, 0x20);
  private turn = 0;

  /** Both slots begin as `head`, so that no older promise outlives a loss that was accepted. */
  constructor(path: string, head: JournalHead) {
    this.fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    this.write(head);
    this.write(head);
  }

  write(head: JournalHead): void {
    const slot = this.slots.subarray(0, SLOT_BYTES);
    const text = JSON.stringify([head.entries, head.hash, head.bytes, head.blocks]);
    slot.fill(0x20);
    slot.write(`${text} ${crc32(text).toString(16).padStart(8, '0')}`, 0, 'latin1');
    slot[SLOT_BYTES - 1] = 0x0a;
    writeSync(this.fd, slot, 0, SLOT_BYTES, this.turn * SLOT_BYTES);
    this.turn = 1 - this.turn;
  }

  /** Syncs and closes. */
  close(): void {
    fsyncSync(this.fd);
    closeSync(this.fd);
  }

  /** Closes as a crash would. */
  drop(): void {
    closeSync(this.fd);
  }
}

/** The newest head in a head file; null when there is no file or no whole slot. */
export function readHeadFile(path: string): JournalHead | null {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
  const heads = text.split('\n').map(readSlot);
  return heads.reduce((best, head) => (head && (!best || head.bytes > best.bytes) ? head : best), null);
}

function readSlot(line: string): JournalHead | null {
  const match = /^(\[(\d+),"([0-9a-f]{64})",(\d+),(\d+)\]) ([0-9a-f]{8}) *$/.exec(line);
  if (!match || Number.parseInt(match[6]!, 16) !== crc32(match[1]!)) return null;
  return { entries: Number(match[2]), hash: match[3]!, bytes: Number(match[4]), blocks: Number(match[5]) };
}
