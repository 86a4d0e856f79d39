import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { captureState, InputError } from '#base';
import { demoPortfolio, samplePortfolio } from '../../src/apps/runner/choose.ts';
import type { PortfolioRequest } from '../../src/apps/runner/portfolio-setup.ts';
import { decisionsIn, entriesOf, play, tradesIn, writeJournal } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-session-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** Enough for several trades there and back. */
const SLICES = 60;
let folders = 0;
const folder = () => {
  folders += 1;
  return join(root, String(folders));
};

/** The sample desk made nervous, so that a short tape holds many orders. */
function nervous(latencyMs: number): PortfolioRequest {
  const sample = samplePortfolio();
  const desks = [
    {
      desk: 'sample',
      configuration: 'default',
      parameters: { bars: 2, stopAtrMultiple: 0.7, targetMultiple: 1 },
    },
  ];
  return { ...sample, portfolio: { ...sample.portfolio, desks }, account: { ...sample.account, latencyMs } };
}

describe('a session that was cut off anywhere', () => {
  for (const latencyMs of [250, 0]) {
    it(`goes on as if nothing had happened, with ${latencyMs} ms to the venue`, async () => {
      const request = nervous(latencyMs);
      const whole = folder();
      await play(request, whole, SLICES);
      const entries = entriesOf(whole);
      const decisions = decisionsIn(whole);
      expect(tradesIn(whole).length).toBeGreaterThan(3);
      for (let cut = 1; cut < entries.length; cut += 11) {
        const directory = folder();
        writeJournal(directory, entries, cut);
        const session = await play(request, directory, SLICES);
        expect(decisionsIn(directory), `cut after entry ${cut}: ${entries[cut - 1]!.text}`).toEqual(
          decisions,
        );
        expect(tradesIn(directory)).toEqual(tradesIn(whole));
        const sums = [...session.engine.real.ledger.trialBalance().values()];
        expect(sums.every((sum) => sum === 0)).toBe(true);
        rmSync(directory, { recursive: true });
      }
    });
  }

  it('takes the bar that only the venue had seen as any other', async () => {
    const request = nervous(0);
    const whole = folder();
    await play(request, whole, SLICES);
    const entries = entriesOf(whole);
    const cuts = entries.flatMap(({ text }, i) => (text.startsWith('{"note":"venue-first"') ? [i + 1] : []));
    expect(cuts.length).toBeGreaterThan(3);
    const watched = async (directory: string) => {
      const { learning, figures, lastBars } = await play(request, directory, 0, { leave: true });
      return JSON.stringify([captureState(learning), captureState(figures), [...lastBars]]);
    };
    for (const cut of cuts.slice(0, 8)) {
      const directory = folder();
      writeJournal(directory, entries, cut);
      const after = await watched(directory);
      expect(after === (await watched(directory)), `cut after entry ${cut}`).toBe(true);
    }
  });

  it('may be cut off again and again, with snapshots or without', async () => {
    const request = nervous(250);
    const whole = folder();
    await play(request, whole, 120);
    const often = folder();
    for (let slices = 3; slices < 120; slices += 7)
      await play(request, often, slices, { leave: true, snapshotEvery: 40 });
    await play(request, often, 120);
    expect(decisionsIn(often)).toEqual(decisionsIn(whole));
    expect(tradesIn(often)).toEqual(tradesIn(whole));
  });

  it('holds for a desk of eight pairs with a breaker', async () => {
    const request = demoPortfolio('7');
    const whole = folder();
    await play(request, whole, 560);
    expect(decisionsIn(whole).length).toBeGreaterThan(5);
    const often = folder();
    for (const slices of [100, 260, 410, 450, 520])
      await play(request, often, slices, { leave: true, snapshotEvery: 2_000 });
    await play(request, often, 560);
    expect(decisionsIn(often)).toEqual(decisionsIn(whole));
  });
});

describe('a session', () => {
  it('refuses a journal of another configuration and names what differs', async () => {
    const directory = folder();
    await play(nervous(250), directory, 5);
    const other = samplePortfolio();
    const attempt = play(other, directory, 6);
    await expect(attempt).rejects.toThrow(InputError);
    await expect(play(other, directory, 6)).rejects.toThrow(
      /another configuration \(request, desks differ\)/,
    );
    // and the lock was given back
    await play(nervous(250), directory, 6);
  });

  it('marks made-up prices as no evidence', async () => {
    const directory = folder();
    await play(demoPortfolio(), directory, 2);
    expect(JSON.parse(entriesOf(directory)[0]!.text)).toMatchObject({
      kind: 'paper',
      mode: 'SYNTHETIC',
      evidence: false,
    });
  });
});
