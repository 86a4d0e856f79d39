import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProjections, rebuildProjections, TABLE_NAMES } from '#adapters';
import { MINUTE } from '#base';
import { demoPortfolio, samplePortfolio } from '../../src/apps/runner/choose.ts';
import { askAbout, askControl, type ControlAnswer } from '../../src/apps/runner/control.ts';
import { exitsAnswer } from '../../src/apps/runner/exits-answer.ts';
import { entriesFrom } from '../../src/apps/runner/journal-entries.ts';
import { learningAnswer } from '../../src/apps/runner/learning-answer.ts';
import { SYNTHETIC_START } from '../../src/apps/runner/market-tape.ts';
import { metricsAnswer } from '../../src/apps/runner/metrics-answer.ts';
import { panelLines } from '../../src/apps/runner/panel.ts';
import { paperRows } from '../../src/apps/runner/projection-rows.ts';
import { replayPaper } from '../../src/apps/runner/replay-paper.ts';
import { riskAnswer } from '../../src/apps/runner/risk-answer.ts';
import type { Session } from '../../src/apps/runner/session.ts';
import { statusOf } from '../../src/apps/runner/status.ts';
import { Child, quorum } from './child.ts';
import { entriesOf, play, tradesIn } from './play.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-answers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const SEED = '7';
const SLICES = 560;
const SLICE_MS = 5 * MINUTE;

/** Nothing in it is lost on the way through JSON, as it is with NaN, infinity and undefined. */
function expectPlain(value: unknown): void {
  expect(JSON.parse(JSON.stringify(value))).toEqual(value);
}

describe('what a portfolio says of itself', () => {
  let whole: Session;
  beforeAll(async () => {
    whole = await play(demoPortfolio(SEED), join(root, 'whole'), SLICES);
  });

  it('names every limit with what is used of it, and the breaker with what it measures', async () => {
    // somewhere in the day something is held
    const held = await playUntilHeld(join(root, 'held'));
    const before = JSON.stringify(held.engine.capture());
    const risk = riskAnswer(held.engine, held.figures);
    expectPlain(risk);
    const names = risk.limits.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'risk-per-plan',
        'single-asset',
        'correlated-group',
        'sector',
        'heat',
        'daily-loss',
      ]),
    );
    expect(risk.exposures.length).toBeGreaterThan(0);
    const asset = risk.limits.find(({ name }) => name === 'single-asset')!;
    const margins = risk.exposures
      .filter(({ underlying }) => underlying === asset.of)
      .reduce((sum, { margin }) => sum + Number(margin), 0);
    expect(asset.used).toBeCloseTo(margins / Number(risk.equity), 9);
    expect(asset.share).toBeCloseTo(asset.used! / asset.max!, 12);
    const heat = risk.limits.find(({ name }) => name === 'heat')!;
    expect(heat.used).toBeGreaterThan(0);
    expect(risk.heat).toBeCloseTo(heat.used!, 12);
    expect(risk.correlation.matrix).toHaveLength(8);
    expect(risk.correlation.matrix.every((row, i) => row[i] === 1)).toBe(true);
    expect(risk.breaker).toMatchObject({ state: expect.any(String), overridden: false });
    const exits = exitsAnswer(held.engine);
    expectPlain(exits);
    const [position] = exits.positions;
    const kinds = position!.exits.map(({ exit }) => exit);
    expect(kinds).toEqual(expect.arrayContaining(['stop-loss', 'take-profit', 'trailing', 'time']));
    const stop = position!.exits.find(({ exit }) => exit === 'stop-loss')!;
    expect(exits.orders.map(({ clientId }) => clientId)).toContain(stop.order);
    const price = position!.price!;
    expect(stop.distance).toBeCloseTo(Math.abs(stop.level! - price) / price, 12);
    const progress = position!.exits.filter((e) => e.armed && e.progress !== null).map((e) => e.progress!);
    expect(progress).toEqual([...progress].sort((a, b) => b - a));
    // to be asked is to be looked at, nothing more
    expect(JSON.stringify(held.engine.capture())).toBe(before);
  });

  it('tells value at risk once the deviations are known', () => {
    const risk = riskAnswer(whole.engine, whole.figures);
    if (risk.exposures.length === 0) expect(risk.valueAtRisk).toMatchObject({ amount: '0', unknown: [] });
    else expect(risk.valueAtRisk.unknown.length > 0).toBe(risk.valueAtRisk.amount === null);
    expect(risk.valueAtRisk.formula).toContain('1.645');
  });

  it('scores what its sources said, and what its gates stopped', () => {
    const answer = learningAnswer(whole.engine, whole.learning);
    expectPlain(answer);
    const [desk] = answer.desks;
    expect(desk!.sources.map(({ source }) => source)).toEqual(['sigma-v1', 'sigma-v2']);
    for (const { n, neutral, hits, hitRate, reliability } of desk!.sources) {
      expect(n).toBeGreaterThan(50);
      expect(hitRate).toBeCloseTo(hits / n, 12);
      expect(reliability.reduce((sum, bin) => sum + bin.n, 0)).toBe(n + neutral);
      for (const bin of reliability) {
        expect(bin.stated).toBeGreaterThanOrEqual(bin.from);
        expect(bin.stated).toBeLessThanOrEqual(bin.to);
      }
    }
    const { considered, passed } = desk!.ideas;
    expect(considered).toBe(whole.engine.counts.entriesConsidered);
    const objected = Object.fromEntries(desk!.gates.map((g) => [g.gate, g.objected]));
    for (const [by, count] of whole.engine.counts.objectionsByGate) expect(objected[by]).toBe(count);
    expect(passed).toBeLessThan(considered);
    expect(['unknown', 'edge', 'no-edge', 'returned']).toContain(desk!.edge.state);
  });

  it('knows the same after a crash, a clean end, or neither', async () => {
    const often = join(root, 'often');
    for (const slices of [100, 260, 410])
      await play(demoPortfolio(SEED), often, slices, { leave: slices !== 260, snapshotEvery: 2_000 });
    const session = await play(demoPortfolio(SEED), often, SLICES);
    expect(learningAnswer(session.engine, session.learning)).toEqual(
      learningAnswer(whole.engine, whole.learning),
    );
    const plain = (s: Session) => metricsOf(s).life;
    expect(plain(session)).toEqual(plain(whole));
    const notes = entriesOf(often).filter((e) => e.text.startsWith('{"note":"equity"'));
    expect(new Set(notes.map((e) => (JSON.parse(e.text) as { at: number }).at)).size).toBe(notes.length);
  });

  it('counts and times what it did', () => {
    const metrics = metricsOf(whole);
    expectPlain(metrics);
    expect(metrics.stages.commit.count).toBeGreaterThan(SLICES);
    expect(metrics.stages.turn.count).toBeGreaterThan(SLICES);
    expect(metrics.stages.event.count).toBeGreaterThan(8 * SLICES);
    expect(metrics.stages.decide.count).toBeGreaterThan(8 * SLICES);
    const { life } = metrics;
    const ended = Object.values(life.ordersEnded).reduce((sum, n) => sum + n, 0);
    expect(ended + metrics.now.workingOrders).toBe(life.orders);
    expect(life.decisions.some(({ outcome }) => outcome === 'entered')).toBe(true);
    expect(life.slippage.fills).toBeGreaterThan(0);
    const lines = panelLines(statusOf(whole, { feed: 'tape', tape: null, projections: null }), 200, {
      url: 'http://127.0.0.1:7000',
    });
    expect(lines.at(-1)).toContain('http://127.0.0.1:7000');
  });

  it('is projected with its bars and its curve, alike when rebuilt', async () => {
    const path = join(root, 'whole', 'journal');
    const rows = async (file: string, batch: number) => {
      const store = await openProjections({ file, databaseUrl: null });
      await rebuildProjections(store, 'j', [paperRows('demo')], entriesFrom(path, 0, true), batch);
      const found: Record<string, unknown[]> = {};
      for (const table of TABLE_NAMES)
        found[table] = await store.db.selectFrom(table).selectAll().orderBy('id').execute();
      await store.close();
      return found;
    };
    const found = await rows(join(root, 'a.sqlite'), 500);
    expect(await rows(join(root, 'b.sqlite'), 37)).toEqual(found);
    const seen = entriesOf(join(root, 'whole')).filter((e) => e.text.startsWith('{"kind":"bar-closed"'));
    expect(found.bars).toHaveLength(seen.length);
    expect(found.equity!.length).toBe(whole.engine.counts.slices);
    expect(found.equity!.at(-1)).toMatchObject({ portfolio: 'demo', equity: expect.any(String) });
  });
});

function metricsOf(session: Session) {
  return metricsAnswer(session, {
    feed: 'tape',
    tape: null,
    projector: null,
    feedQueue: 0,
    eventLoop: null,
    startedAt: 1,
    stepAt: 2,
  });
}

/** Plays up to a slice at whose end something is held, as a longer run of the same tape tells. */
async function playUntilHeld(directory: string): Promise<Session> {
  const trades = tradesIn(join(root, 'whole')).map(
    (text) => (JSON.parse(text) as { trade: { openedAt: number; closedAt: number } }).trade,
  );
  const long = trades.find(({ openedAt, closedAt }) => closedAt - openedAt > 4 * SLICE_MS)!;
  const session = await play(
    demoPortfolio(SEED),
    directory,
    (long.openedAt - SYNTHETIC_START) / SLICE_MS + 2,
  );
  expect(session.engine.real.held.size).toBeGreaterThan(0);
  return session;
}

describe('the control line', () => {
  it('answers, obeys and refuses while the tape runs, and SIGUSR2 kills', async () => {
    const child = new Child(['start', '--no-console', '--demo', '--speed', '30', '--data-dir', 'line'], {
      cwd: root,
    });
    const directory = join(root, 'line', 'demo');
    const ask = (act: object, reason = 'test') =>
      askControl(directory, {
        ask: 'operator',
        by: 'ada (test)',
        reason,
        act,
      } as never) as Promise<ControlAnswer>;
    await child.until(async () => ((await askAbout(directory, 'metrics'))?.life.fills ?? 0) > 0, 'a fill');

    const beat = (await askAbout(directory, 'heartbeat'))!;
    expect(beat.pid).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - beat.stepAt)).toBeLessThan(60_000);
    for (const what of ['risk', 'learning', 'exits', 'metrics'] as const) {
      expect(await askAbout(directory, what), what).toMatchObject({ at: expect.any(Number) });
      if (what === 'learning' || what === 'metrics') continue;
      const shown = await quorum(['status', '--show', what, '--data-dir', 'line'], root);
      expect(shown.code, shown.stderr).toBe(0);
      expect(shown.stdout).toMatch(/^demo\n/);
    }

    expect(await ask({ action: 'limits', changes: { assetMax: 0.2 } })).toMatchObject({ ok: true });
    expect((await askAbout(directory, 'risk'))!.portfolioLimits).toEqual({
      configured: {},
      changed: { assetMax: 0.2 },
      inForce: { assetMax: 0.2 },
    });
    expect(await ask({ action: 'limits', changes: {} })).toMatchObject({ ok: false, refused: true });
    expect(await ask({ action: 'limits', changes: { assetMax: 2 } })).toMatchObject({ ok: false });
    expect(await ask({ action: 'cancel', clientId: 'zz' })).toMatchObject({
      ok: false,
      refused: true,
      error: 'there is no order zz',
    });
    expect(await ask({ action: 'close', book: 'a/b/c/d' })).toMatchObject({ ok: false, refused: true });
    expect(await ask({ action: 'stop', desk: 'nobody' })).toMatchObject({ ok: false, refused: false });
    expect(await ask({ action: 'stop', desk: 'sigma' })).toMatchObject({ ok: true, desksStopped: ['sigma'] });
    expect(await ask({ action: 'record', subject: 'users', detail: 'bob' })).toMatchObject({ ok: true });
    const usage = await quorum(['operator', 'close', '--reason', 'x', '--data-dir', 'line'], root);
    expect(usage.code).toBe(2);
    const started = await quorum(['operator', 'start', '--desk', 'sigma', '--data-dir', 'line'], root);
    expect(started.stdout).toMatch(/entries allowed, breaker/);

    process.kill(beat.pid, 'SIGUSR2');
    await child.until(async () => (await askAbout(directory, 'status'))?.running === false, 'the kill');
    await child.until(async () => (await askAbout(directory, 'exits'))?.positions.length === 0, 'flat');
    // a cancellation takes its time to the venue and back
    await child.until(async () => (await askAbout(directory, 'exits'))?.orders.length === 0, 'no order');
    expect((await askAbout(directory, 'status'))!.breaker).toMatchObject({
      state: 'SHUTDOWN',
      causes: ['kill-command'],
    });
    await quorum(['stop', '--data-dir', 'line'], root);
    expect((await child.ended).code).toBe(0);

    const database = new DatabaseSync(join(directory, 'quorum.sqlite'), { readOnly: true });
    const acts = database
      .prepare('select "by", action, reason, detail from operator_acts order by at, id')
      .all();
    database.close();
    expect(acts.map((a) => a.action).sort()).toEqual(['kill', 'limits', 'record', 'start', 'stop']);
    expect(acts).toContainEqual({ by: 'signal', action: 'kill', reason: 'SIGUSR2', detail: '{}' });
    expect(acts).toContainEqual({
      by: 'ada (test)',
      action: 'limits',
      reason: 'test',
      detail: '{"changes":{"assetMax":0.2}}',
    });
    const replayed = await replayPaper(directory);
    expect(replayed.by).toBe('decided');
  });

  it('measures nothing wrongly of a portfolio without breaker and limits', async () => {
    const session = await play(samplePortfolio(), join(root, 'sample'), 40);
    expectPlain(riskAnswer(session.engine, session.figures));
    expect(riskAnswer(session.engine, session.figures).breaker).toBeNull();
    expectPlain(learningAnswer(session.engine, session.learning));
    expectPlain(exitsAnswer(session.engine));
  });
});
