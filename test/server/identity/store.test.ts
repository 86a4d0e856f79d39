import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { openConsoleStore } from '../../../src/apps/server/identity/index.ts';

const dir = mkdtempSync(join(tmpdir(), 'quorum-console-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the console store', () => {
  it('makes a file that only its user may read, also where one with another mode was there', () => {
    const file = join(dir, 'deep', 'console.sqlite');
    openConsoleStore(file).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const loose = join(dir, 'loose.sqlite');
    writeFileSync(loose, '', { mode: 0o644 });
    openConsoleStore(loose).close();
    expect(statSync(loose).mode & 0o777).toBe(0o600);
  });

  it('runs each migration of an area once, in order', () => {
    const file = join(dir, 'areas.sqlite');
    const first = { version: 1, name: 'one', sql: 'CREATE TABLE things (id TEXT PRIMARY KEY) STRICT' };
    const second = { version: 2, name: 'two', sql: "INSERT INTO things VALUES ('made by 2')" };
    const store = openConsoleStore(file);
    store.migrate({ area: 'things', migrations: [first] });
    store.migrate({ area: 'things', migrations: [first] });
    store.close();
    const again = openConsoleStore(file);
    again.migrate({ area: 'things', migrations: [first, second] });
    again.migrate({ area: 'things', migrations: [first, second] });
    expect(again.all('SELECT id FROM things').map((row) => row.id)).toEqual(['made by 2']);
    expect(() => again.migrate({ area: 'things', migrations: [first] })).toThrow(/version 2 of things/);
    again.close();
  });

  it('leaves nothing of a migration that fails', () => {
    const store = openConsoleStore(':memory:');
    const broken = { version: 1, name: 'broken', sql: 'CREATE TABLE half (a TEXT) STRICT; SELECT nonsense' };
    expect(() => store.migrate({ area: 'half', migrations: [broken] })).toThrow(/nonsense/);
    expect(store.all("SELECT name FROM sqlite_master WHERE name = 'half'")).toEqual([]);
    store.close();
  });

  it('refuses a database of somebody else and a file that is damaged', () => {
    const other = join(dir, 'other.sqlite');
    const db = new DatabaseSync(other);
    db.exec('CREATE TABLE other (a TEXT)');
    db.close();
    expect(() => openConsoleStore(other)).toThrow(/not the console's/);
    const damaged = join(dir, 'damaged.sqlite');
    writeFileSync(damaged, 'this is no database at all, and long enough to be looked at');
    expect(() => openConsoleStore(damaged)).toThrow(/is damaged/);
  });
});
