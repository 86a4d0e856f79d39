import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProjections, type ProjectionStore } from '#adapters';
import { statisticsOf } from '../../../src/apps/server/data/account-figures.ts';
import { equityRows } from '../../../src/apps/server/data/equity-rows.ts';
import { happenedSince } from '../../../src/apps/server/data/since.ts';

const SLICES = 25_000;
const TRADES = 60_000;

let folder: string;
let file: string;
let store: ProjectionStore;

function insert(
  table: string,
  rows: number,
  row: (i: number) => readonly (string | number)[],
  names: string,
) {
  const db = new DatabaseSync(file);
  const marks = names.replace(/\w+/g, '?');
  const statement = db.prepare(`INSERT INTO ${table} (${names}) VALUES (${marks})`);
  db.exec('BEGIN');
  for (let i = 0; i < rows; i++) statement.run(...row(i));
  db.exec('COMMIT');
  db.close();
}
const trade = (i: number) => [`t-${i}`, i, i * 1_000, '1.25', '0.25', '0'];
const TRADE = 'id, position, at, realised, fees, funding';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorum-long-'));
  file = join(folder, 'quorum.sqlite');
  await (await openProjections({ file, databaseUrl: null })).close();
  // several slices of one instant, as several instruments close them
  insert(
    'equity',
    SLICES,
    (i) => [`e-${String(i).padStart(6, '0')}`, i, Math.floor(i / 3) * 60_000, String(i), 0],
    'id, position, at, equity, drawdown',
  );
  insert('trades', TRADES, trade, TRADE);
  store = await openProjections({ file, databaseUrl: null, readOnly: true });
}, 60_000);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a long record', () => {
  it('has every slice of its equity once, in order, and lets others in while it is read', async () => {
    let turns = 0;
    let reading = true;
    const turn = () => {
      turns += 1;
      if (reading) setImmediate(turn);
    };
    setImmediate(turn);
    const { equity } = await equityRows(store, {});
    reading = false;
    expect(equity).toHaveLength(SLICES);
    expect(equity.every((value, i) => value === i)).toBe(true);
    expect(turns).toBeGreaterThanOrEqual(2);
    const part = await equityRows(store, { from: 60_000, to: 120_000 });
    expect(part.equity).toEqual([3, 4, 5]);
  });

  it('tells exactly what all trades since then came to', async () => {
    expect(await happenedSince(store, 0)).toMatchObject({ trades: TRADES, realised: '60000' });
  });

  it('computes its statistics anew only when something was added', async () => {
    const first = await statisticsOf(store);
    expect(first).toMatchObject({ trades: TRADES, winRate: 1 });
    expect(await statisticsOf(store)).toBe(first);
    insert('trades', 1, () => trade(TRADES), TRADE);
    expect((await statisticsOf(store)).trades).toBe(TRADES + 1);
  });
});
