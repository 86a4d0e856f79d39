import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { demoPortfolio } from '../../src/apps/runner/choose.ts';
import { ControlLine } from '../../src/apps/runner/control-line.ts';
import { entriesOf, play } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-faults-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the control line', () => {
  it('says so when a question cannot be answered, and goes on', async () => {
    const session = await play(demoPortfolio(), join(root, 'faults'), 2);
    const line = new ControlLine({
      session,
      status: () => {
        throw new Error('a number is none');
      },
      feed: () => 'tape',
      tape: () => null,
      feedQueue: () => 0,
      projector: () => null,
      now: () => session.engine.at,
      end: () => undefined,
    });
    expect(line.answer({ ask: 'status' })).toEqual({
      ok: false,
      error: 'status cannot be told: a number is none',
    });
    expect(line.answer({ ask: 'heartbeat' })).toMatchObject({ ok: true });
    line.close();
  });

  it.skipIf(process.platform === 'win32')('obeys a kill that came while the journal was opened', async () => {
    const script = fileURLToPath(new URL('fixtures/early-kill.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script, root]);
    expect(JSON.parse(stdout)).toEqual({ running: false, breaker: 'SHUTDOWN' });
    const events = entriesOf(join(root, 'demo')).filter(({ kind }) => kind === 'event');
    expect(JSON.parse(events[0]!.text)).toMatchObject({ kind: 'run-started' });
    expect(events.filter(({ text }) => text.includes('"action":"kill"'))).toHaveLength(1);
  });
});
