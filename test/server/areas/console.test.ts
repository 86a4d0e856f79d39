import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJournal } from '#adapters';
import { demoPortfolio } from '../../../src/apps/runner/choose.ts';
import { savedParameters, withSavedParameters } from '../../../src/apps/runner/saved-parameters.ts';
import { marketHandlers } from '../../../src/apps/server/areas/market.ts';
import { sigmaHandlersWith } from '../../../src/apps/server/areas/sigma.ts';
import { thinkingHandlers } from '../../../src/apps/server/areas/thinking.ts';
import { tradingHandlers } from '../../../src/apps/server/areas/trading.ts';
import type { ConsoleContext, Portfolios } from '../../../src/apps/server/context.ts';
import { ADA, caller, PORTFOLIO, type RecordedConsole, recordedConsole } from './recorded-console.ts';

const handlersOf = (context: ConsoleContext) => ({
  ...tradingHandlers(context),
  ...thinkingHandlers(context),
  ...marketHandlers(context),
  ...sigmaHandlersWith(context, {
    chat: () => ({ reply: '', by: 'parser', sources: [] }),
    model: null,
  }),
});

let console_: RecordedConsole;
let call: ReturnType<typeof caller<ReturnType<typeof handlersOf>>>;
const folder = () => join(console_.dataDir, PORTFOLIO);
const reason = 'a test';

/** Notes of operators in the journal, newest last. */
function operators(): { by: string; reason: string; action: string }[] {
  const found = [];
  for (const { kind, text } of readJournal(join(folder(), 'journal'))) {
    if (kind !== 'event' || !text.startsWith('{"kind":"operator-acted"')) continue;
    const {
      by,
      reason: why,
      act,
    } = JSON.parse(text) as {
      by: string;
      reason: string;
      act: { action: string };
    };
    found.push({ by, reason: why, action: act.action });
  }
  return found;
}

beforeAll(async () => {
  console_ = await recordedConsole();
  call = caller(handlersOf(console_.context));
});
afterAll(() => console_?.close());

describe('a running portfolio', () => {
  it('shows its first screen', async () => {
    const overview = await call('overview', { query: { since: '0' } });
    expect(overview.portfolio).toMatchObject({
      name: PORTFOLIO,
      mode: 'SYNTHETIC',
      evidence: false,
      running: true,
      entriesAllowed: true,
      currency: 'USDT',
      equity: overview.equity,
    });
    expect(overview.desks).toMatchObject([{ name: 'sigma', running: true, openPositions: 4 }]);
    expect(overview.positions).toHaveLength(4);
    expect(overview.workingOrders).toBe(12);
    expect(overview.decisions).toHaveLength(8);
    expect(overview.breaker).toMatchObject({ state: 'CLOSED', override: false });
    expect(overview.exposure!.share).toBeGreaterThan(0);
    expect(overview.drawdown).toBeGreaterThanOrEqual(0);
    expect(overview.statistics.trades).toBe((await all('trades')).length);
    const since = overview.since!;
    expect(since.trades).toBe(overview.statistics.trades);
    expect(since.fills).toBe((await all('fills')).length);
    expect(since.decisions).toBe((await all('decisions')).length);
    expect(since.entered).toBe((await all('decisions', { outcome: 'entered' })).length);
    expect((await call('overview')).since).toBeNull();
    expect((await call('overview', { query: { since: '99999999999999' } })).since).toMatchObject({
      trades: 0,
      realised: '0',
      alerts: [],
    });
  });

  it('shows every position with the exits ahead', async () => {
    const { items } = await call('positions');
    expect(items).toHaveLength(4);
    for (const one of items) {
      expect(one.exits.length).toBeGreaterThan(2);
      expect(one.openedAt).toBeGreaterThan(0);
      const stop = one.exits.find(({ kind }) => kind.includes('stop'))!;
      expect(stop.level).toBeCloseTo(one.stop!, 6);
    }
  });

  it('lists what was asked, got and closed, and the figures fit together', async () => {
    const orders = await all('orders');
    expect(orders.filter(({ working }) => working)).toHaveLength(12);
    expect(await all('orders', { working: 'true' })).toHaveLength(12);
    const ids = new Set(orders.map(({ id }) => id));
    for (const fill of await all('fills')) expect(ids.has(fill.orderId)).toBe(true);
    const trades = await all('trades');
    const sheet = await all('sigmaTrades');
    expect(sheet.map(({ id }) => id)).toEqual(trades.map(({ id }) => id));
    const sum = (values: readonly string[]) => values.reduce((total, value) => total + Number(value), 0);
    for (const [i, { pnl }] of sheet.entries()) {
      const { realised, fees, funding } = trades[i]!;
      expect(Number(pnl)).toBeCloseTo(Number(realised) - Number(fees) - Number(funding), 6);
    }
    const figures = await call('performance');
    expect(figures.n).toBe(trades.length);
    expect(Number(figures.expectancy)).toBeCloseTo(sum(sheet.map(({ pnl }) => pnl)) / trades.length, 6);
    const wins = sheet.filter(({ pnl }) => Number(pnl) > 0).length;
    expect(figures.win_rate).toBeCloseTo(wins / trades.length, 12);
  });

  it('shows the curve of its equity, whose end is where it stands', async () => {
    const { time, equity, drawdown, currency } = await call('equity', { query: { points: '50' } });
    expect(currency).toBe('USDT');
    expect(time.length).toBeLessThanOrEqual(50);
    expect(equity).toHaveLength(time.length);
    const { equity: now, maxDrawdown } = await call('overview');
    expect(equity.at(-1)).toBeCloseTo(Number(now), 6);
    expect(Math.max(...drawdown)).toBeCloseTo(maxDrawdown, 6);
    const whole = await call('equity', { query: { points: '10000' } });
    expect(Math.min(...equity)).toBe(Math.min(...whole.equity));
  });

  it('shows bars with indicators, and instruments with their grid', async () => {
    const { items } = await call('instruments');
    expect(items).toHaveLength(8);
    const btc = items.find(({ id }) => id.startsWith('BTC'))!;
    expect(btc).toMatchObject({ tick: '0.1', settle: 'USDT', desks: ['sigma'], intervalMs: 300_000 });
    const chart = await call('bars', {
      query: { instrument: btc.id, limit: '20', indicators: 'ema:20,rsi:14' },
    });
    expect(chart.bars.time).toHaveLength(20);
    expect(chart.bars.close.at(-1)).toBe(btc.price);
    expect(chart.indicators.rsi_14!.every((value) => value !== null)).toBe(true);
    expect(chart.more).toBe(true);
    await expect(call('bars', { query: { instrument: 'nonsense' } })).rejects.toThrow();
    await expect(call('bars', { query: { instrument: btc.id, indicators: 'nonsense' } })).rejects.toThrow();
  });

  it('shows its own orders where the data give no book', async () => {
    const [position] = (await call('positions')).items;
    const book = await call('orderBook', { query: { instrument: position!.instrument } });
    expect(book).toMatchObject({ finest: 'none', at: null, bids: [], asks: [] });
    expect(book.own.length).toBeGreaterThanOrEqual(2);
  });

  it('opens every idea: where it was cut and what would have let it pass', async () => {
    const ideas = await all('decisions');
    expect(new Set(ideas.map(({ outcome }) => outcome)).size).toBeGreaterThan(2);
    for (const idea of ideas.slice(0, 60)) {
      const one = await call('decision', { params: { id: idea.id } });
      const cut = one.stages.filter(({ passed }) => passed === false);
      if (one.outcome === 'entered') {
        expect(cut).toEqual([]);
        expect(one.orders.length).toBeGreaterThan(0);
        expect(one.nearest).toBeNull();
      } else {
        expect(cut).toHaveLength(1);
        expect(one.nearest).toContain(one.objections[0]!.by);
      }
    }
    const [first] = ideas.filter(({ reason: why }) => why !== null);
    const by = first!.reason!.split(':')[0]!;
    const same = await all('decisions', { by });
    expect(same).toEqual(ideas.filter(({ reason: why }) => why?.startsWith(`${by}: `)));
    await expect(call('decision', { params: { id: 'none' } })).rejects.toMatchObject({ status: 404 });
  });

  it('shows what its sources and gates are worth', async () => {
    const { items: sources } = await call('sources');
    expect(sources.map(({ source }) => source)).toEqual(['sigma-v1', 'sigma-v2']);
    expect(sources[0]!.n).toBeGreaterThan(100);
    for (const { stated, observed } of sources[0]!.reliability) {
      expect(stated).toBeGreaterThanOrEqual(0);
      expect(stated).toBeLessThanOrEqual(1);
      expect(observed).toBeLessThanOrEqual(1);
    }
    const { items: gates } = await call('gates');
    expect(gates.filter(({ kind }) => kind === 'gate').map(({ gate }) => gate)).toContain('thin-volume');
    expect(gates.filter(({ kind }) => kind === 'limit').map(({ gate }) => gate)).toContain('heat');
    const { considered } = gates[0]!;
    expect(considered).toBe((await all('decisions')).length);
  });

  it('shows what is at risk, and the breaker with everything that could move it', async () => {
    const risk = await call('risk');
    expect(risk.exposure).toHaveLength(4);
    expect(risk.heat).toBeGreaterThan(0);
    expect(risk.limits.some(({ name, share }) => name === 'heat' && share! > 0)).toBe(true);
    expect(risk.correlation.matrix).toHaveLength(8);
    const breaker = (await call('breaker'))!;
    expect(breaker.state).toBe('CLOSED');
    expect(breaker.thresholds.filter(({ trigger }) => trigger === 'latency')).toHaveLength(3);
    expect(await call('breakerStatus')).toMatchObject({ state: 'CLOSED', causes: [] });
    expect(breaker.history).toEqual([...breaker.history].sort((a, b) => b.at - a.at));
    const issues = await call('breakerIssues', { query: { minutes: '525600' } });
    expect(issues.map(({ time, state }) => [time, state])).toEqual(
      breaker.history.map(({ at, to }) => [at, to]),
    );
  });

  it('answers the Sigma sheet with its names', async () => {
    const status = await call('tradingStatus');
    expect(Object.keys(status)).toEqual([
      'is_running',
      'balance',
      'open_positions',
      'total_pnl',
      'regime',
      'breaker',
    ]);
    expect(status).toMatchObject({ is_running: true, open_positions: 4, breaker: 'CLOSED' });
    const balance = await call('balance');
    expect(Number(balance.equity)).toBeCloseTo(Number(balance.balance) + Number(balance.unrealised), 6);
    expect(Number(status.total_pnl)).toBeCloseTo(Number(balance.equity) - 10_000, 6);
    const open = await call('sigmaOpenTrades');
    expect(open).toHaveLength(4);
    const fills = await all('fills');
    for (const one of open) {
      expect(one).toMatchObject({ exit_price: null, closed_at: null });
      const entry = fills.find(({ instrument }) => instrument === one.symbol)!;
      expect(one.fees).toBe(entry.fee);
    }
    const hours = await all('performanceHistory');
    expect(hours.length).toBeGreaterThan(24);
    expect(hours[0]).toHaveProperty('win_rate');
  });
});

describe('notifications', () => {
  const list = async (query: Record<string, string> = {}, who = ADA) =>
    (await caller(handlersOf(console_.context), who)('notifications', { query })).items;

  it('are read and cleared by each user alone', async () => {
    const eve = { ...ADA, id: 'u2', name: 'eve' };
    await call('tradingStop', { body: { reason: 'for a notice' } });
    await call('tradingStart', { body: {} });
    await projected(
      () => list(),
      (items) => items.length >= 2,
    );
    const [newest] = await list();
    expect(newest).toMatchObject({ type: 'operator', read: false, severity: 'info' });
    await call('readNotification', { params: { id: newest!.id } });
    expect((await list())[0]).toMatchObject({ id: newest!.id, read: true });
    expect((await list({ unread: 'true' })).map(({ id }) => id)).not.toContain(newest!.id);
    expect((await list({}, eve))[0]).toMatchObject({ id: newest!.id, read: false });
    await expect(call('readNotification', { params: { id: 'none' } })).rejects.toMatchObject({ status: 404 });
    await call('clearNotifications');
    expect(await list()).toEqual([]);
    expect((await list({}, eve)).length).toBeGreaterThanOrEqual(2);
    await call('tradingStart', { body: { reason: 'a new one' } });
    await projected(
      () => list(),
      (items) => items.length === 1,
    );
  });
});

describe('strategies', () => {
  it('are drafted from words, checked by the desk, applied for its next fresh start', async () => {
    const draft = await call('strategyCreate', { body: { prompt: 'more cautious, leverage 4' } });
    expect(draft).toMatchObject({ desk: 'sigma', state: 'draft', prompt: 'more cautious, leverage 4' });
    expect(draft.parameters).toMatchObject({ leverage: 4, riskMax: 0.01, entryConfidence: 0.35 });
    const [active] = await call('strategyActive');
    expect(active).toMatchObject({ desk: 'sigma', state: 'active' });
    expect(active!.parameters).toMatchObject({ leverage: 10, entryConfidence: 0.3 });
    const applied = await call('strategyApply', { body: { id: draft.id, reason } });
    expect(applied.state).toBe('active');
    expect(savedParameters(console_.dataDir, PORTFOLIO, 'sigma').at(-1)).toMatchObject({
      by: 'ada (console)',
      reason,
      parameters: { leverage: 4 },
    });
    // what runs is not touched
    const after = await call('strategyActive');
    expect(after[0]!.parameters).toMatchObject({ leverage: 10 });
    expect(after[0]!.notes.join()).toContain('wait for a fresh start');
    const fresh = await withSavedParameters(demoPortfolio('7'), { dataDir: console_.dataDir, fresh: true });
    expect(fresh.request.portfolio.desks[0]!.parameters).toMatchObject({ leverage: 4 });
    const second = await call('strategyCreate', { body: { prompt: 'leverage 2' } });
    await call('strategyApply', { body: { id: second.id, reason } });
    const listed = await call('strategyList');
    expect(listed.find(({ id }) => id === draft.id)!.state).toBe('retired');
    expect(listed.find(({ id }) => id === second.id)!.state).toBe('active');
  });

  it.each(['buy me a boat', 'leverage 500', 'risk 900%', 'interval never'])(
    'are never what the desk does not take: %s',
    async (prompt) => {
      const before = (await call('strategyList')).length;
      await expect(call('strategyCreate', { body: { prompt } })).rejects.toThrow();
      expect(await call('strategyList')).toHaveLength(before);
    },
  );

  it('are drafted by a model where there is one, and still checked', async () => {
    const { context } = console_;
    const made = async (said: unknown) => {
      const handlers = sigmaHandlersWith(context, {
        chat: () => ({ reply: '', by: 'parser', sources: [] }),
        model: async ({ desk, parameters }) => {
          expect([desk, parameters.leverage]).toEqual(['sigma', 2]);
          if (said instanceof Error) throw said;
          return said;
        },
      });
      return caller(handlers)('strategyCreate', { body: { prompt: 'leverage 3' } });
    };
    expect((await made({ leverage: 7 })).parameters.leverage).toBe(7);
    const refused = await made({ leverage: 700 });
    expect(refused.parameters.leverage).toBe(3);
    expect(refused.notes.join()).toContain('refused');
    expect((await made({ code: 'rm -rf' })).parameters).not.toHaveProperty('code');
    expect((await made(new Error('key sk-123'))).notes.join()).not.toContain('sk-123');
    expect((await made('nonsense')).parameters.leverage).toBe(3);
  });

  it('of another id are not there', async () => {
    await expect(call('strategyApply', { body: { id: 'none', reason } })).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe('acts', () => {
  it('are journaled with who and why', async () => {
    const [order] = (await all('orders', { working: 'true' })).filter(({ type }) => type !== 'market');
    expect(await call('cancelOrder', { params: { id: order!.id }, body: { reason } })).toMatchObject({
      ok: true,
      running: true,
    });
    expect(operators().at(-1)).toEqual({ by: 'ada (console)', reason, action: 'cancel' });
    await expect(call('cancelOrder', { params: { id: order!.id }, body: { reason } })).rejects.toMatchObject({
      status: 409,
      message: `order ${order!.id} is being canceled already`,
    });
  });

  it('that can do nothing are refused with the words of the loop', async () => {
    const refusal = call('cancelOrder', { params: { id: 'none' }, body: { reason } });
    await expect(refusal).rejects.toMatchObject({ status: 409, message: 'there is no order none' });
    await expect(call('closePosition', { body: { book: 'x/y', reason } })).rejects.toMatchObject({
      status: 409,
    });
    await expect(call('flatten', { body: { desk: 'nobody', reason } })).rejects.toMatchObject({
      status: 409,
    });
    await expect(
      call('answerReview', { params: { id: 'q' }, body: { verdict: 'allow', reason } }),
    ).rejects.toMatchObject({ status: 409 });
    await expect(call('tradingStart', { body: { mode: 'live' } })).rejects.toMatchObject({ status: 409 });
    await expect(call('tradingStop', { query: { portfolio: 'other' }, body: {} })).rejects.toMatchObject({
      status: 404,
    });
  });

  it('close one position', async () => {
    const { book } = (await call('positions')).items[0]!;
    await call('closePosition', { body: { book, reason } });
    const now = (await call('positions')).items.find((one) => one.book === book);
    expect(now === undefined || now.leaving !== null).toBe(true);
  });

  it('change limits and give them back', async () => {
    const changed = await call('changeLimits', { body: { changes: { heatMax: 0.01 }, reason } });
    expect(changed.portfolioLimits.heatMax).toBe(0.01);
    expect((await call('risk')).portfolioLimits).toMatchObject({ heatMax: 0.01, riskMax: null });
    await expect(
      call('changeLimits', { body: { changes: { groupRho: 0.5 }, reason } }),
    ).rejects.toMatchObject({ status: 409 });
    await expect(call('changeLimits', { body: { changes: { heatMax: 2 }, reason } })).rejects.toThrow();
    const back = await call('changeLimits', { body: { changes: { heatMax: null }, reason } });
    expect(back.portfolioLimits.heatMax).toBeNull();
  });

  it('hold the breaker and lift it again', async () => {
    expect(await call('breakerOverride', { body: { enabled: true, reason } })).toEqual({
      state: 'HALT',
      before: 'CLOSED',
    });
    await expect(call('tradingStart', { body: {} })).rejects.toMatchObject({ status: 409 });
    await expect(call('breakerRecover', { body: { reason } })).rejects.toMatchObject({ status: 409 });
    expect(await call('breakerStatus')).toMatchObject({ state: 'HALT', override: true });
    expect((await call('overview')).breaker).toMatchObject({ state: 'HALT', override: true });
    await call('breakerOverride', { body: { enabled: false, reason } });
    expect(await call('breakerStatus')).toMatchObject({ state: 'CLOSED', override: false });
  });

  it('kill at once, and only RESTART leaves SHUTDOWN', async () => {
    expect(await call('flatten', { body: { reason } })).toMatchObject({ ok: true, breaker: 'CLOSED' });
    expect(await call('kill', { body: { reason } })).toMatchObject({ running: false, breaker: 'SHUTDOWN' });
    expect(operators().at(-1)).toEqual({ by: 'ada (console)', reason, action: 'kill' });
    await expect(call('breakerRecover', { body: { reason } })).rejects.toMatchObject({ status: 409 });
    expect(await call('breakerRecover', { body: { reason, confirm: 'RESTART' } })).toEqual({
      state: 'CLOSED',
      before: 'SHUTDOWN',
    });
    expect(await call('tradingStatus')).toMatchObject({ is_running: false });
    expect(await call('tradingStart', { body: {} })).toEqual({ is_running: true });
  });

  it('do not wait for projections or the store', async () => {
    const asked: unknown[] = [];
    const stuck = {
      names: () => [PORTFOLIO, 'other'],
      ask: async (_: string, question: unknown) => {
        asked.push(question);
        return { ok: true, running: false, breakerBefore: 'CLOSED', breaker: 'SHUTDOWN' };
      },
    } as unknown as Portfolios;
    // nothing else is there: touching it throws
    const bare = caller(tradingHandlers({ portfolios: stuck } as unknown as ConsoleContext));
    await bare('kill', { query: { portfolio: PORTFOLIO }, body: { reason } });
    await bare('flatten', { query: { portfolio: PORTFOLIO }, body: { reason } });
    expect(asked).toMatchObject([{ act: { action: 'kill' } }, { act: { action: 'flatten', desk: null } }]);
  });

  it('without a name are for the first that runs', async () => {
    const killed: string[] = [];
    const several = {
      names: () => ['a', 'b', 'c'],
      ask: async (name: string, { ask }: { ask: string }) => {
        if (ask === 'operator') killed.push(name);
        return name === 'a' ? null : { ok: true, running: false };
      },
    } as unknown as Portfolios;
    const bare = caller(tradingHandlers({ portfolios: several } as unknown as ConsoleContext));
    await bare('kill', { body: { reason } });
    expect(killed).toEqual(['b']);
  });
});

describe('without projections', () => {
  const file = () => join(folder(), 'quorum.sqlite');

  it('the loop still says how it stands and takes orders; lists say what is missing', async () => {
    await console_.context.portfolios.projections(PORTFOLIO);
    renameSync(file(), `${file()}.away`);
    try {
      const overview = await call('overview', { query: { since: '0' } });
      expect(overview.portfolio.running).toBe(true);
      expect(overview.since).toBeNull();
      expect(overview.statistics.trades).toBe(0);
      expect(overview.decisions).toHaveLength(8);
      for (const id of ['orders', 'trades', 'decisions', 'equity', 'performance', 'notifications'] as const)
        await expect(call(id), id).rejects.toMatchObject({ status: 503 });
      expect(await call('tradingStatus')).toMatchObject({ is_running: true });
      expect((await call('breaker'))!.state).toBe('CLOSED');
      expect((await call('sources')).items).toHaveLength(2);
      expect((await call('instruments')).items).toHaveLength(8);
      expect((await call('orderBook', { query: { instrument: 'BTCUSDT.SYNTHETIC' } })).own).toEqual([]);
      expect(await call('sigmaOpenTrades')).toBeDefined();
      expect(await call('flatten', { body: { reason } })).toMatchObject({ ok: true });
    } finally {
      renameSync(`${file()}.away`, file());
    }
  });
});

describe('without a loop', () => {
  beforeAll(() => console_.stop());

  it('shows what was left', async () => {
    const overview = await call('overview', { query: { since: '0' } });
    expect(overview.portfolio).toMatchObject({ running: false, entriesAllowed: false, mode: 'SYNTHETIC' });
    expect(Number(overview.equity)).toBeGreaterThan(9_000);
    expect(overview.at).toBeGreaterThan(0);
    expect(overview.decisions).toHaveLength(8);
    expect(overview.statistics.trades).toBeGreaterThan(10);
    expect(overview.breaker).toMatchObject({ state: 'CLOSED' });
    expect(overview.desks).toMatchObject([{ name: 'sigma', running: false }]);
    expect(overview.journal.entries).toBeGreaterThan(1_000);
    expect((await call('portfolios')).items).toMatchObject([{ name: PORTFOLIO, running: false }]);
    expect(await call('tradingStatus')).toMatchObject({ is_running: false, breaker: 'CLOSED' });
    expect((await call('breaker'))!.history.length).toBeGreaterThan(1);
    expect((await all('trades')).length).toBeGreaterThan(10);
    expect((await call('instruments')).items).toHaveLength(8);
    expect((await call('sources')).items).toMatchObject([{ source: 'sigma-v1', n: 0 }, {}]);
    expect((await call('gates')).items.length).toBeGreaterThan(4);
    const [idea] = await all('decisions');
    expect((await call('decision', { params: { id: idea!.id } })).stages).toHaveLength(7);
  });

  it('says so where only a loop knows', async () => {
    for (const id of ['positions', 'risk', 'sigmaOpenTrades'] as const)
      await expect(call(id), id).rejects.toMatchObject({ status: 503, code: 'no-loop' });
    await expect(call('kill', { body: { reason } })).rejects.toMatchObject({ status: 503, code: 'no-loop' });
  });

  it('shows the last figures of the journal without projections as well', async () => {
    const file = join(folder(), 'quorum.sqlite');
    renameSync(file, `${file}.away`);
    try {
      const overview = await call('overview');
      expect(Number(overview.equity)).toBeGreaterThan(9_000);
      expect(overview.decisions).toEqual([]);
      expect(overview.projections?.error).toContain('projections');
      expect(await call('breakerStatus')).toMatchObject({ state: 'CLOSED' });
    } finally {
      renameSync(`${file}.away`, file);
    }
  });
});

/** All items of a list, page by page. */
async function all<
  K extends 'orders' | 'fills' | 'trades' | 'decisions' | 'sigmaTrades' | 'performanceHistory',
>(id: K, query: Record<string, string> = {}) {
  type Item = Awaited<ReturnType<typeof call<K>>>['items'][number];
  const items: Item[] = [];
  let cursor: Record<string, string> = {};
  for (;;) {
    const page = await call(id, { query: { limit: '37', ...query, ...cursor } });
    items.push(...(page.items as Item[]));
    if (page.next === null) return items;
    cursor = { cursor: page.next };
  }
}

/** Waits until the projections show it. */
async function projected<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (done(await read())) return;
    await new Promise((later) => setTimeout(later, 25));
  }
  throw new Error('the projections did not come so far');
}
