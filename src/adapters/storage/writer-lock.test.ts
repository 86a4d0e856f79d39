import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '#base';
import { lockHolder, WriterLock } from './writer-lock.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(directory, 'x.lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

const NOBODY = 2_000_000_000; // above any pid_max
const lockOf = (change: object) =>
  JSON.stringify({ pid: NOBODY, host: hostname(), start: 'boot/1', token: 'other', ...change });

describe('WriterLock', () => {
  it('is exclusive until released, and leaves nothing behind', () => {
    const lock = WriterLock.acquire(path);
    expect(lockHolder(path)).toBe(process.pid);
    expect(() => WriterLock.acquire(path)).toThrow(`held by running process ${process.pid}`);
    lock.release();
    lock.release();
    expect(lockHolder(path)).toBeNull();
    expect(readdirSync(directory)).toEqual([]);
    WriterLock.acquire(path).release();
  });

  it('takes over from a dead process', () => {
    writeFileSync(path, lockOf({}));
    const lock = WriterLock.acquire(path);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    expect(readdirSync(directory)).toEqual(['x.lock']);
    lock.release();
  });

  it.runIf(process.platform === 'linux')('takes over when the pid was given to another process since', () => {
    writeFileSync(path, lockOf({ pid: process.pid }));
    WriterLock.acquire(path).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('takes over a takeover that was interrupted', () => {
    writeFileSync(path, lockOf({}));
    writeFileSync(`${path}.takeover`, lockOf({}));
    WriterLock.acquire(path).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('leaves the dead lock alone while another process takes it over', () => {
    writeFileSync(path, lockOf({}));
    const other = WriterLock.acquire(`${path}.takeover`);
    expect(() => WriterLock.acquire(path)).toThrow(InputError);
    expect(readFileSync(path, 'utf8')).toBe(lockOf({}));
    other.release();
    expect(readdirSync(directory)).toEqual(['x.lock']);
  });

  it('refuses what it cannot judge: another machine, no process named', () => {
    writeFileSync(path, lockOf({ host: 'elsewhere' }));
    expect(() => WriterLock.acquire(path)).toThrow(/on elsewhere/);
    for (const text of ['', '{}', 'garbage', lockOf({ pid: -1 })]) {
      writeFileSync(path, text);
      expect(() => WriterLock.acquire(path)).toThrow(/names no process/);
    }
    expect(readdirSync(directory)).toEqual(['x.lock']);
  });

  it('does not remove a lock that is no longer its own', () => {
    const lock = WriterLock.acquire(path);
    writeFileSync(path, lockOf({}));
    lock.release();
    expect(readFileSync(path, 'utf8')).toBe(lockOf({}));
  });

  it('says when the directory is missing', () => {
    expect(() => WriterLock.acquire(join(directory, 'no', 'x.lock'))).toThrow(InputError);
  });
});
