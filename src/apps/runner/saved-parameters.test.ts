import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalFile } from '#adapters';
import { InputError } from '#base';
import { demoPortfolio } from './choose.ts';
import { savedParameters, saveParameters, withSavedParameters } from './saved-parameters.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'quorum-saved-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const request = demoPortfolio();
const save = (parameters: Record<string, unknown> | null) =>
  saveParameters(dataDir, 'demo', 'sigma', { parameters, at: 1, by: 'ada', reason: 'a test' });

/** The portfolio was begun with these parameters. */
function begin(parameters: Record<string, unknown>): void {
  mkdirSync(join(dataDir, 'demo'));
  const file = JournalFile.create(join(dataDir, 'demo', 'journal'), { headFile: 'none' });
  const [desk] = request.portfolio.desks;
  const begun = { ...request, portfolio: { ...request.portfolio, desks: [{ ...desk, parameters }] } };
  file.append('header', JSON.stringify({ kind: 'paper', request: begun }));
  file.close();
}

const started = async (fresh: boolean) => {
  const { request: made, notes } = await withSavedParameters(request, { dataDir, fresh });
  return { parameters: made.portfolio.desks[0]!.parameters, notes };
};

describe('parameters that were saved for the next fresh start', () => {
  it('are kept in order, and the last one counts', async () => {
    expect(savedParameters(dataDir, 'demo', 'sigma')).toEqual([]);
    save({ leverage: 5 });
    save({ leverage: 6 });
    expect(savedParameters(dataDir, 'demo', 'sigma').map(({ parameters }) => parameters)).toEqual([
      { leverage: 5 },
      { leverage: 6 },
    ]);
    expect((await started(false)).parameters).toEqual({ leverage: 6 });
  });

  it('leave alone what nobody saved anything for', async () => {
    expect(await withSavedParameters(request, { dataDir, fresh: true })).toEqual({ request, notes: [] });
    saveParameters(dataDir, 'demo', 'other', { parameters: { x: 1 }, at: 1, by: 'ada', reason: 'r' });
    expect((await started(true)).parameters).toEqual({});
  });

  it('wait while a portfolio goes on, and are used when it begins anew', async () => {
    begin({});
    save({ leverage: 5 });
    const goesOn = await started(false);
    expect(goesOn.parameters).toEqual({});
    expect(goesOn.notes.join()).toContain('wait for --fresh');
    const fresh = await started(true);
    expect(fresh.parameters).toEqual({ leverage: 5 });
    expect(fresh.notes.join()).toContain('saved by ada');
  });

  it('go on in a portfolio that was begun with them, whatever was saved since', async () => {
    save({ leverage: 5 });
    begin({ leverage: 5 });
    expect(await started(false)).toEqual({ parameters: { leverage: 5 }, notes: [] });
    save({ leverage: 7 });
    expect((await started(false)).parameters).toEqual({ leverage: 5 });
    save(null);
    expect((await started(false)).parameters).toEqual({ leverage: 5 });
    expect((await started(true)).parameters).toEqual({});
  });

  it('do not hide that the configuration itself was changed', async () => {
    save({ leverage: 5 });
    begin({ leverage: 9 });
    // neither the configuration nor anything saved: the session tells of it
    expect((await started(false)).parameters).toEqual({});
  });

  it.each(['', '[]', '{"sigma":[{"parameters":1}]}'])('in a damaged file are told: %s', (text) => {
    writeFileSync(join(dataDir, 'demo.parameters.json'), text);
    expect(() => savedParameters(dataDir, 'demo', 'sigma')).toThrow(InputError);
  });
});
