import { afterEach, describe, expect, it } from 'vitest';
import { MINUTE } from '#base';
import type { BookId, ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import { type InstrumentId, instrumentIdOf, type MarketEvent } from '#market';
import { armingPhrase, LiveArming } from '../../src/adapters/venues/arming.ts';
import { EdgexAccountStream } from '../../src/adapters/venues/edgex/account-stream.ts';
import { EdgexFeed } from '../../src/adapters/venues/edgex/edgex-feed.ts';
import { EDGEX_LIVE } from '../../src/adapters/venues/edgex/edgex-live.ts';
import { EdgexRest } from '../../src/adapters/venues/edgex/edgex-rest.ts';
import { EdgexTrading } from '../../src/adapters/venues/edgex/edgex-trading.ts';
import { OrderSigner } from '../../src/adapters/venues/edgex/order-signature.ts';
import { CREDENTIALS, EdgexLoopback, METADATA } from './edgex-loopback.ts';

const START = Date.UTC(2026, 0, 5, 12, 0, 30);
const BTC = instrumentIdOf('BTCUSDC.EDGEX');
const UNASKED = 'live/edgex/default/BTCUSDC.EDGEX' as BookId;

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Clock that runs with the wall from START and can be moved on; what is due within minutes is due at once. */
function clock() {
  const began = Date.now();
  let ahead = 0;
  const now = () => START + (Date.now() - began) + ahead;
  return {
    now,
    advance: (ms: number) => {
      ahead += ms;
    },
    wait: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((done, fail) => {
        const timer = setTimeout(done, Math.min(ms, 20));
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          fail(signal.reason);
        });
      }),
    later: (ms: number, call: () => void) => {
      const timer = setTimeout(call, ms > 10 * MINUTE ? ms : Math.min(ms, 200));
      return () => clearTimeout(timer);
    },
  };
}

async function stage() {
  const time = clock();
  const venue = new EdgexLoopback(time.now);
  await venue.start();
  open.push(() => venue.stop());
  return { time, venue };
}

async function until(what: () => boolean, ms = 10_000): Promise<void> {
  for (const end = Date.now() + ms; !what(); await new Promise((done) => setTimeout(done, 5)))
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
}

describe('contracts', () => {
  it('come from the metadata, on the venue’s own grid', async () => {
    const { venue, time } = await stage();
    const rest = new EdgexRest({ baseUrl: venue.restUrl, clock: time });
    const { directory, unusable } = await rest.directory();
    expect(unusable).toEqual([]);
    const { instrument, resolution, quoteResolution } = directory.byId.get(BTC)!;
    expect(instrument).toMatchObject({
      kind: 'linear-perpetual',
      settle: 'USDC',
      underlying: 'BTC',
      minorScale: 6,
      tick: { units: 1, scale: 1 },
      lot: { units: 1, scale: 3 },
      fees: [{ from: 0, makerRate: 12_000, takerRate: 38_000 }],
      fundingIntervalMs: 240 * MINUTE,
    });
    expect(instrument.marginTiers).toEqual([
      { maxNotional: 50_000_000_000, maintenanceRate: 500_000, maintenanceAmount: 0, maxLeverage: 100 },
      { maxNotional: null, maintenanceRate: 1_000_000, maintenanceAmount: 0, maxLeverage: 50 },
    ]);
    expect([resolution, quoteResolution]).toEqual([10_000_000_000n, 1_000_000n]);
    expect(directory.domain.chainId).toBe(3343n);
  });
});

describe('the public feed', () => {
  it('brings history page after page, then every closed bar once', async () => {
    const { venue, time } = await stage();
    venue.pageSize = 100;
    const events: MarketEvent[] = [];
    const feed = new EdgexFeed({
      symbols: ['BTCUSDC', 'ETHUSDC'],
      interval: '1m',
      restUrl: venue.restUrl,
      wsUrl: venue.wsUrl,
      clock: time,
      requestsPerMinute: 100_000,
      silentMs: 60 * MINUTE,
      onEvent: (event) => events.push(event),
    });
    open.push(() => feed.stop());
    feed.start();
    const { history, complete } = await feed.warmUp(250);
    expect(complete).toBe(true);
    const btc = history.get(BTC)!;
    expect(btc.length).toBe(250);
    expect(btc.time[249]).toBe(Date.UTC(2026, 0, 5, 11, 59));
    await until(() => feed.connected);
    for (let i = 0; i < 3; i++) {
      time.advance(MINUTE);
      const seen = (id: InstrumentId) =>
        events.filter((e) => e.kind === 'bar-closed' && e.instrument === id).length;
      await until(() => seen(BTC) === i + 1 && seen(instrumentIdOf('ETHUSDC.EDGEX')) === i + 1);
    }
    const bars = events.filter((e) => e.kind === 'bar-closed' && e.instrument === BTC);
    expect(bars.map((e) => (e.kind === 'bar-closed' ? e.bar.time : 0))).toEqual([
      Date.UTC(2026, 0, 5, 12, 0),
      Date.UTC(2026, 0, 5, 12, 1),
      Date.UTC(2026, 0, 5, 12, 2),
    ]);
    expect(venue.subscriptions).toEqual(['ticker.30000001', 'ticker.30000002']);
  });

  it('shows marks and the funding that was settled, answers pings, and comes back after a drop', async () => {
    const { venue, time } = await stage();
    const events: MarketEvent[] = [];
    const feed = new EdgexFeed({
      symbols: ['BTCUSDC'],
      interval: '1m',
      restUrl: venue.restUrl,
      wsUrl: venue.wsUrl,
      clock: time,
      requestsPerMinute: 100_000,
      silentMs: 60 * MINUTE,
      onEvent: (event) => events.push(event),
    });
    open.push(() => feed.stop());
    await feed.warmUp(2);
    feed.start();
    await until(() => venue.subscriptions.length === 1);
    const tick = (changes: Record<string, string>) =>
      venue.send({
        type: 'quote-event',
        channel: 'ticker.30000001',
        content: {
          channel: 'ticker.30000001',
          dataType: 'Changed',
          data: [venue.ticker('30000001', changes)],
        },
      });
    venue.send({ type: 'ping', time: '17' });
    venue.send({ type: 'nonsense' });
    tick({ nextFundingTime: String(START), fundingRate: '0.0002' });
    await until(() => events.some((e) => e.kind === 'mark-updated'));
    expect(events.find((e) => e.kind === 'mark-updated')).toMatchObject({ mark: 60000.5, index: 60001 });
    await until(() => venue.pongs.length > 0);
    expect(venue.pongs).toEqual(['17']);
    venue.funding.push({ contractId: '30000001', fundingTime: String(START), fundingRate: '0.00025' });
    tick({ nextFundingTime: String(START + 240 * MINUTE) });
    await until(() => events.some((e) => e.kind === 'funding-due'));
    expect(events.find((e) => e.kind === 'funding-due')).toMatchObject({
      rate: 0.00025,
      eventTime: START,
      mark: 60000.5,
    });
    venue.dropAll();
    await until(() => venue.subscriptions.length === 2);
    const states = events.flatMap((e) => (e.kind === 'feed-changed' ? [e.status] : []));
    expect(states.slice(0, 1)).toEqual(['connected']);
    expect(states).toContain('disconnected');
    // made good: what was missed is here
    await until(() => events.filter((e) => e.kind === 'feed-changed').at(-1)?.status === 'resynced');
  });

  it('names the contracts there are when one is unknown, and refuses bars that the venue does not make', async () => {
    const { venue, time } = await stage();
    const options = { restUrl: venue.restUrl, wsUrl: venue.wsUrl, clock: time, onEvent: () => {} };
    const feed = new EdgexFeed({ ...options, symbols: ['DOGEUSDC'], interval: '1m' });
    await expect(feed.warmUp(1)).rejects.toThrow('edgeX has no contract DOGEUSDC');
    expect(() => new EdgexFeed({ ...options, symbols: ['BTCUSDC'], interval: '3m' })).toThrow(
      'edgeX makes no bars of 3m',
    );
  });
});

describe('the book', () => {
  const level = (price: string, size: string) => ({ price, size });
  const change = (
    startVersion: string,
    endVersion: string,
    bids: [string, string][],
    asks: [string, string][],
  ) => ({
    contractId: '30000001',
    level: 15,
    startVersion,
    endVersion,
    bids: bids.map(([price, size]) => level(price, size)),
    asks: asks.map(([price, size]) => level(price, size)),
    depthType: 'CHANGED',
  });
  const snapshot = (endVersion: string, bids: [string, string][], asks: [string, string][]) => ({
    ...change('0', endVersion, bids, asks),
    depthType: 'SNAPSHOT',
  });

  it('gives quotes where they are wanted, and none while it is not known', async () => {
    const { venue, time } = await stage();
    const quotes: (readonly number[])[] = [];
    const feed = new EdgexFeed({
      symbols: ['BTCUSDC'],
      interval: '1m',
      restUrl: venue.restUrl,
      wsUrl: venue.wsUrl,
      clock: time,
      requestsPerMinute: 100_000,
      silentMs: 60 * MINUTE,
      quotes: true,
      quoteEveryMs: 0,
      onEvent: (event) => {
        if (event.kind === 'quote-updated') quotes.push([event.bid, event.bidSize, event.ask, event.askSize]);
      },
    });
    open.push(() => feed.stop());
    feed.start();
    await feed.warmUp(1);
    await until(() => venue.subscriptions.length === 2);
    expect(venue.subscriptions).toEqual(['ticker.30000001', 'depth.30000001.15']);
    const channel = 'depth.30000001.15';
    const show = (row: unknown) =>
      venue.send({ type: 'quote-event', channel, content: { channel, dataType: 'Changed', data: [row] } });
    show(
      snapshot(
        '10',
        [
          ['100.0', '1'],
          ['99.9', '2'],
        ],
        [['100.2', '3']],
      ),
    );
    await until(() => quotes.length === 1);
    show(change('10', '11', [['100.0', '0']], [['100.1', '4']]));
    await until(() => quotes.length === 2);
    expect(quotes).toEqual([
      [100, 1, 100.2, 3],
      [99.9, 2, 100.1, 4],
    ]);
    // one is missing: the book is asked for, and goes on from there
    venue.book = snapshot('20', [['98.0', '5']], [['98.5', '6']]);
    show(change('12', '13', [['101.0', '1']], []));
    await until(() => venue.requests.some((request) => request.endsWith('getDepth')));
    await until(() => {
      show(change('20', '20', [], []));
      return quotes.length > 2;
    });
    expect(quotes[2]).toEqual([98, 5, 98.5, 6]);
    // a crossed book is none, and neither is one with a price that is no number
    const before = quotes.length;
    venue.book = null;
    show(change('20', '21', [['99.0', '1']], []));
    show(change('21', '22', [['97.0', '1']], []));
    show(snapshot('30', [['NaN', '1']], [['98.5', '6']]));
    show(snapshot('31', [['98.1', '1']], [['98.6', '6']]));
    await until(() => quotes.some(([bid]) => bid === 98.1));
    expect(quotes.slice(before).filter(([bid]) => bid !== 98)).toEqual([[98.1, 1, 98.6, 6]]);
  });
});

describe('what cannot be used', () => {
  it('of one contract does not take the others with it', async () => {
    const { venue, time } = await stage();
    const rest = new EdgexRest({ baseUrl: venue.restUrl, clock: time });
    const [btc, eth] = METADATA.contractList;
    venue.metadata = { ...METADATA, contractList: [{ ...btc, tickSize: 'NaN' }, eth] };
    const { directory, unusable } = await rest.directory();
    expect(unusable).toEqual(['BTCUSDC']);
    expect([...directory.byId.keys()]).toEqual(['ETHUSDC.EDGEX']);
    const bad = [{ ...btc!.riskTierList[0]!, positionValueUpperBound: 'many' }];
    venue.metadata = { ...METADATA, contractList: [{ ...btc, riskTierList: bad }, eth] };
    expect((await rest.directory()).unusable).toEqual(['BTCUSDC']);
  });

  it('of bars is refused whole, with what it is', async () => {
    const time = clock();
    const bar = (id: string, at: number) => ({ ...EdgexLoopback.bar(id, at), high: '1.0' });
    const venue = new EdgexLoopback(time.now, { bar });
    await venue.start();
    open.push(() => venue.stop());
    const { restUrl, wsUrl } = venue;
    const onEvent = () => {};
    const feed = new EdgexFeed({
      symbols: ['BTCUSDC'],
      interval: '1m',
      restUrl,
      wsUrl,
      clock: time,
      onEvent,
    });
    await expect(feed.warmUp(2)).rejects.toThrow(
      /^the bar of contract 30000001 at 2026-01-05T\S+ cannot be: open \S+, high 1.0, low/,
    );
  });

  it('of a Retry-After is a stay of an hour', async () => {
    const { venue, time } = await stage();
    venue.retryAfter = '3600';
    venue.faults.push({ path: 'getServerTime', fault: 429 });
    const rest = new EdgexRest({ baseUrl: venue.restUrl, clock: time });
    await expect(rest.syncTime()).rejects.toThrow('HTTP 429; it asks to stay away for 3600 s');
    expect(venue.requests).toHaveLength(1);
  });
});

describe('bars for others', () => {
  it('are the closed ones, longer ones made of those the venue makes', async () => {
    const { venue, time } = await stage();
    const bars = EDGEX_LIVE.provider(venue.restUrl, time);
    const from = Date.UTC(2026, 0, 5, 11, 54);
    const to = START + 10 * MINUTE;
    const minutes = await bars.bars({ symbol: 'BTCUSDC', intervalMs: MINUTE, from, to });
    expect(minutes.map((row) => row.time)).toEqual([0, 1, 2, 3, 4, 5].map((i) => from + i * MINUTE));
    const threes = await bars.bars({ symbol: 'BTCUSDC', intervalMs: 3 * MINUTE, from, to });
    expect(threes).toHaveLength(2);
    expect(threes[0]).toMatchObject({
      time: from,
      open: minutes[0]!.open,
      close: minutes[2]!.close,
      volume: 4.5,
    });
    await expect(bars.bars({ symbol: 'NOUSDC', intervalMs: MINUTE, from, to })).rejects.toThrow(
      'edgeX has no contract NOUSDC',
    );
  });
});

const KEY = '0123456789abcdef'.repeat(4);

function order(changes: Partial<OrderRequest> = {}): OrderRequest {
  return {
    clientId: 't-0001' as ClientOrderId,
    book: UNASKED,
    instrument: BTC,
    side: 'buy',
    lots: 1,
    type: 'limit',
    limitTicks: 600_000,
    triggerTicks: null,
    trailRate: null,
    timeInForce: 'GTC',
    expiresAt: null,
    postOnly: false,
    reduceOnly: false,
    reduceOnlyAtVenue: false,
    ocoGroup: null,
    parent: null,
    leverage: 1,
    expectedTicks: null,
    reason: 'entry',
    ...changes,
  };
}

const armed = () => LiveArming.of('edge', { configured: true, phrase: armingPhrase('edge') });

async function trading() {
  const { venue, time } = await stage();
  const rest = new EdgexRest(
    { baseUrl: venue.restUrl, clock: time, armed: true, retriesMax: 1 },
    CREDENTIALS,
  );
  const { directory } = await rest.directory();
  const signer = new OrderSigner(KEY);
  const desk = new EdgexTrading(
    {
      account: 'edge',
      accountId: CREDENTIALS.accountId,
      rest,
      directory,
      signer,
      unaskedBook: UNASKED,
      clock: time,
    },
    armed(),
  );
  return { venue, time, rest, directory, signer, desk };
}

describe('orders', () => {
  it('are signed as the venue’s contract reads them', async () => {
    const { desk, venue } = await trading();
    const { outcome } = await desk.submit(order());
    expect(outcome).toBe('reported');
    const { body } = venue.orders.get('t-0001')!;
    expect(body).toMatchObject({
      contractId: '30000001',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GOOD_TIL_CANCEL',
      price: '60000',
      size: '0.001',
      l2Nonce: '3904653308',
      l2Value: '60',
      // 60 x 0.00038 is not a whole USDC
      l2LimitFee: '1',
    });
    expect(Number(body.l2ExpireTime) - Number(body.expireTime)).toBe(8 * 86_400_000);
    expect(body.l2Signature).toMatch(/^0x[0-9a-f]{130}$/);
    expect(venue.unsigned).toEqual([]);
  });

  it.each([
    ['market buy', { type: 'market', limitTicks: null }, { type: 'MARKET', price: '0', l2Value: '600.005' }],
    [
      'market sell',
      { type: 'market', limitTicks: null, side: 'sell' },
      { type: 'MARKET', price: '0', l2Value: '0.0001', timeInForce: 'IMMEDIATE_OR_CANCEL' },
    ],
    [
      'stop',
      { type: 'stop', limitTicks: null, triggerTicks: 590_000, side: 'sell', reduceOnlyAtVenue: true },
      { type: 'STOP_MARKET', triggerPrice: '59000', triggerPriceType: 'LAST_PRICE', reduceOnly: true },
    ],
    ['post only', { postOnly: true }, { timeInForce: 'POST_ONLY' }],
    ['fill or kill', { timeInForce: 'FOK' }, { timeInForce: 'FILL_OR_KILL' }],
  ] as const)('of kind %s', async (_, changes, sent) => {
    const { desk, venue } = await trading();
    await desk.submit(order(changes));
    expect(venue.orders.get('t-0001')!.body).toMatchObject(sent);
  });

  it('are refused without being sent when the venue cannot take them', async () => {
    const { desk, venue } = await trading();
    const trailing = await desk.submit(order({ type: 'trailing-stop', limitTicks: null }));
    expect(trailing).toMatchObject({ report: { kind: 'order-rejected' } });
    const foreign = await desk.submit(order({ instrument: instrumentIdOf('BTCUSDT.BINANCE-USDM') }));
    expect(foreign).toMatchObject({ report: { kind: 'order-rejected' } });
    expect(venue.orders.size).toBe(0);
  });

  it('are rejected by the venue’s word, and unknown when the answer is lost, which a query settles', async () => {
    const { desk, venue } = await trading();
    venue.faults.push({ path: 'createOrder', fault: { code: 'MARGIN_NOT_ENOUGH' } });
    expect(await desk.submit(order())).toMatchObject({
      outcome: 'reported',
      report: { kind: 'order-rejected', reason: expect.stringContaining('MARGIN_NOT_ENOUGH') },
    });
    venue.faults.push({ path: 'createOrder', fault: 'drop' });
    const clientId = 't-0002' as ClientOrderId;
    expect((await desk.submit(order({ clientId }))).outcome).toBe('unknown');
    expect(venue.requests.filter((r) => r.endsWith('createOrder'))).toHaveLength(2);
    expect(await desk.query(clientId)).toMatchObject([{ kind: 'order-accepted', clientId }]);
    expect(await desk.query('never' as ClientOrderId)).toMatchObject([{ kind: 'order-unknown' }]);
    venue.faults.push({ path: 'createOrder', fault: 'shape' });
    expect((await desk.submit(order({ clientId: 't-0003' as ClientOrderId }))).outcome).toBe('unknown');
  });

  it('are canceled by client id, each answer looked at', async () => {
    const { desk } = await trading();
    await desk.submit(order());
    expect(await desk.cancel('t-0001' as ClientOrderId)).toBeNull();
    expect(await desk.query('t-0001' as ClientOrderId)).toMatchObject([
      { kind: 'order-canceled', reason: 'canceled by us' },
    ]);
    expect(await desk.cancel('other' as ClientOrderId)).toMatchObject({
      kind: 'cancel-rejected',
      reason: 'ORDER_NOT_FOUND',
    });
  });

  it('and positions are reported for reconciliation', async () => {
    const { desk, venue } = await trading();
    await desk.submit(order());
    venue.positions.push({ contractId: '30000001', openSize: '-0.005' });
    expect(await desk.account()).toMatchObject({
      kind: 'account-reported',
      venue: 'EDGEX',
      nets: [{ instrument: BTC, lots: -5 }],
      openOrders: ['t-0001'],
    });
  });

  it('are not to be had without both steps of arming', async () => {
    const { rest, directory, signer } = await trading();
    const options = {
      account: 'edge',
      accountId: '1',
      rest,
      directory,
      signer,
      unaskedBook: UNASKED,
    };
    expect(() => LiveArming.of('edge', { configured: false, phrase: armingPhrase('edge') })).toThrow(
      'not configured for live trading',
    );
    expect(() => LiveArming.of('edge', { configured: true, phrase: 'yes' })).toThrow('not confirmed');
    expect(() => new EdgexTrading(options, { account: 'edge' } as unknown as LiveArming)).toThrow(
      'not armed',
    );
    const other = LiveArming.of('other', { configured: true, phrase: armingPhrase('other') });
    expect(() => new EdgexTrading(options, other)).toThrow('not armed');
    const live = new EdgexRest();
    await expect(
      live.post('/private/order/createOrder', {}, { safeParse: () => ({}) } as never),
    ).rejects.toThrow('live trading is not armed');
  });
});

describe('the account stream', () => {
  it('tells fills and ends of our orders, and what nobody asked for', async () => {
    const { venue, time, directory, desk } = await trading();
    await desk.submit(order());
    const reports: VenueReport[] = [];
    const states: string[] = [];
    const faults: string[] = [];
    const stream = new EdgexAccountStream({
      credentials: CREDENTIALS,
      directory,
      unaskedBook: UNASKED,
      isOurs: (id) => id === 't-0001',
      onReport: (report) => reports.push(report),
      onState: (state) => states.push(state),
      onFault: (what) => faults.push(what),
      armed: true,
      wsUrl: venue.wsUrl,
      clock: time,
      silentMs: 60 * MINUTE,
    });
    open.push(() => stream.stop());
    stream.start();
    await until(() => states.includes('up'));
    const fill = (changes: Record<string, unknown>) => ({
      id: '9001',
      orderId: '1',
      orderClientOrderId: 't-0001',
      contractId: '30000001',
      orderSide: 'BUY',
      fillSize: '0.001',
      fillPrice: '60000.0',
      fillFee: '0.0228001',
      direction: 'TAKER',
      createdTime: String(START),
      ...changes,
    });
    venue.send({
      type: 'trade-event',
      content: {
        event: 'ORDER_UPDATE',
        version: '2',
        data: {
          orderFillTransaction: [
            fill({}),
            fill({ id: '9002', orderClientOrderId: 'by-hand' }),
            fill({ id: '9003', isLiquidate: true, orderSide: 'SELL' }),
            fill({ id: '9004', fillPrice: '60000.05' }),
          ],
          order: [
            {
              id: '1',
              clientOrderId: 't-0001',
              contractId: '30000001',
              status: 'CANCELED',
              size: '0.002',
              cancelReason: 'MARGIN_NOT_ENOUGH',
            },
          ],
        },
      },
    });
    await until(() => reports.length === 4);
    expect(reports).toMatchObject([
      {
        kind: 'order-filled',
        // the fee rounds against us
        fill: { fillId: 'edgex-9001', lots: 1, ticks: 600_000, fee: 22_801, liquidity: 'taker' },
      },
      { kind: 'unasked-fill', cause: 'manual', book: UNASKED },
      { kind: 'unasked-fill', cause: 'liquidation', fill: { side: 'sell', liquidity: 'liquidation' } },
      { kind: 'order-canceled', reason: 'not enough margin' },
    ]);
    expect(faults).toEqual(['fill 9004 is not on the grid of any contract known']);
    venue.dropAll();
    await until(() => states.filter((s) => s === 'up').length === 2);
    expect(states).toEqual(['up', 'down', 'up']);
    expect(venue.unsigned).toEqual([]);
  });
});
