import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { jobRequest } from '../../../src/apps/contract/areas/workshop.ts';
import { JobPlaceKit } from './job-place.ts';

const LONG = jobRequest.parse({
  kind: 'sweep',
  grid: { stopAtrMultiple: '1:4:0.001', targetMultiple: '1:4:0.01' },
});
const BACKTEST = jobRequest.parse({ kind: 'backtest', report: false });

let kit: JobPlaceKit;
beforeEach(() => {
  kit = new JobPlaceKit();
});
afterEach(() => kit.remove());

describe('jobs at awkward moments', () => {
  it('never begins a job that is cancelled before its first command runs', async () => {
    const { id } = kit.jobs.start(LONG, 'ada');
    kit.jobs.cancel(id, 'eve');
    const ended = await kit.until(id, ({ endedAt }) => endedAt !== null);
    expect(ended).toMatchObject({ state: 'cancelled', says: 'cancelled by eve', error: null });
  }, 10_000);

  it('ends with the server, also where the first command is still to begin', async () => {
    rmSync(join(kit.dataDir, 'jobs'), { recursive: true, force: true });
    const { id } = kit.jobs.start(LONG, 'ada');
    await kit.jobs.close();
    expect(kit.jobs.get(id)).toMatchObject({ state: 'failed' });
  }, 10_000);

  it('writes the end of a job once the file of the console takes it again', async () => {
    const { id } = kit.jobs.start(BACKTEST, 'ada');
    await kit.until(id, ({ state }) => state === 'running');
    kit.store.db.exec('PRAGMA query_only = 1');
    await sleep(4_000);
    expect(kit.jobs.get(id).state).toBe('running');
    // neither asking nor waiting ends the server
    kit.store.db.exec('PRAGMA query_only = 0');
    expect(await kit.ended(id)).toMatchObject({ state: 'done', error: null });
    const next = kit.jobs.start(BACKTEST, 'ada').id;
    expect(await kit.ended(next)).toMatchObject({ state: 'done' });
  }, 60_000);

  it('takes away what is old as jobs end, not only at night', async () => {
    const { id: old } = kit.jobs.start(BACKTEST, 'ada');
    await kit.ended(old);
    const monthAgo = Date.now() - 31 * 86_400_000;
    kit.store.run('UPDATE jobs SET created_at = ?1, ended_at = ?1 WHERE id = ?2', monthAgo, old);
    await kit.ended(kit.jobs.start(BACKTEST, 'ada').id);
    expect(kit.jobs.list(10, null).jobs.map(({ id }) => id)).not.toContain(old);
    expect(kit.jobs.runFolder(old)).toBeNull();
  }, 60_000);
});
