import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EdgexFeed, EdgexRest } from '#adapters';
import { Chance, canonicalJson, MINUTE } from '#base';
import { readCommand } from '#engine';
import { deskOfBook } from '#ledger';
import { setUpPortfolio } from '../../src/apps/runner/portfolio-setup.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { DEFAULT_ACCOUNT } from '../../src/apps/setup/configuration.ts';
import { EdgexLoopback } from '../adapters/edgex-loopback.ts';
import { s1Model } from '../support/s1-model.ts';
import { PATIENT } from '../support/s1-portfolio.ts';
import { barsIn, fastClock, runLive } from './live-run.ts';
import { entriesOf } from './play.ts';

const BTC = 'BTCUSDC.EDGEX';
/** Two hours up, two hours down, with a little noise. */
function bar(contractId: string, time: number) {
  const level = (at: number) => {
    const minute = Math.round(at / MINUTE) % 240;
    const noise = new Chance(`${contractId}/${at}`).uniform() * 10;
    return 60_000 + 40 * Math.min(minute, 240 - minute) + noise;
  };
  const [open, close] = [level(time), level(time + MINUTE)];
  return {
    ...EdgexLoopback.bar(contractId, time),
    open: open.toFixed(1),
    close: close.toFixed(1),
    high: (Math.max(open, close) + 5).toFixed(1),
    low: (Math.min(open, close) - 5).toFixed(1),
  };
}

const root = mkdtempSync(join(tmpdir(), 'quorum-edgex-s1-'));
const model = join(root, 'follower.json');
beforeAll(() => {
  // written down shortly before the clock of these runs begins
  const day = Date.UTC(2023, 11, 30);
  const artefact = s1Model({
    down: { feature: 'r20', below: -0.002, left: 3, right: 0 },
    none: 0,
    up: { feature: 'r20', below: 0.002, left: 0, right: 3 },
  });
  const training = { ...artefact.training, from: day, to: day };
  writeFileSync(model, canonicalJson({ ...artefact, training }));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('S1 on the live prices of edgeX', () => {
  it('trades bars of one and of three minutes, at the fees and in the grid of the venue, and goes on', async () => {
    const clock = fastClock();
    const server = new EdgexLoopback(() => Math.floor(clock.now()), { bar, tickMs: 10 });
    await server.start();
    cleanups.push(() => server.stop());
    const { restUrl, wsUrl } = server;
    const desk = (timeframe: string) => ({
      desk: 's1-momentum',
      configuration: 'default',
      parameters: { ...PATIENT, symbol: 'BTC', timeframe, model, instruments: { BTC } },
    });
    const setup = await setUpPortfolio({
      name: 's1',
      account: DEFAULT_ACCOUNT,
      feed: { kind: 'edgex' },
      portfolio: {
        base: 'USDC',
        desks: [desk('1M'), desk('3M')],
        account: 'paper',
        feed: 'edgex',
        seed: '1',
        running: true,
      },
    });
    expect(setup.feedMs).toBe(MINUTE);
    const directory = join(root, 's1');
    const chance = new Chance('test');
    const run = (slices: number, crash: boolean) =>
      runLive(
        {
          setup,
          directory,
          clock,
          open: (request) =>
            new EdgexFeed({
              ...request,
              restUrl,
              wsUrl,
              chance,
              rest: new EdgexRest({ baseUrl: restUrl, clock, chance, timeoutMs: 20 * MINUTE }),
              silentMs: 2 * MINUTE,
              connectMs: 20 * MINUTE,
              lateMs: 6_000,
            }),
        },
        (session) => session.engine.counts.bars >= slices,
        crash,
      );
    const first = await run(752 + 40, true);
    expect(first.engine.desks.map(({ name }) => name)).toEqual(['s1-rx68-btc-1m', 's1-rx68-btc-3m']);
    const last = await run(752 + 90, false);
    const times = barsIn(directory, BTC);
    expect(times.length).toBeGreaterThanOrEqual(842);
    for (const [i, time] of times.entries()) expect(time).toBe(times[0]! + i * MINUTE);
    const fills = entriesOf(directory).flatMap(({ kind, text }) => {
      if (kind !== 'note' || !text.startsWith('{"note":"fill"')) return [];
      const { fill } = JSON.parse(text) as {
        fill: { lots: number; ticks: number; fee: number; liquidity: string };
      };
      return [fill];
    });
    expect(fills.length).toBeGreaterThan(1);
    const traded = new Set<string>();
    for (const { kind, text } of entriesOf(directory)) {
      const command = kind === 'command' ? readCommand(text) : null;
      if (command?.kind === 'submit-order') traded.add(deskOfBook(command.order.book));
    }
    expect([...traded].sort()).toEqual(['s1-rx68-btc-1m', 's1-rx68-btc-3m']);
    for (const { lots, ticks, fee, liquidity } of fills) {
      // ticks of 0.1 and lots of 0.001 are 100 millionths of a USDC
      const rate = liquidity === 'maker' ? 0.00012 : 0.00038;
      expect(fee).toBe(Math.ceil(lots * ticks * 100 * rate - 1e-6));
    }
    expect([...last.engine.real.ledger.trialBalance().values()].every((sum) => sum === 0)).toBe(true);
    expect((await replayPaper(directory)).events).toBeGreaterThan(842);
  });
});
