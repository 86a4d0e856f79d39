import { describe, expect, it } from 'vitest';
import type { EntryKind } from '#engine';
import { isWorse } from './alert.ts';
import { alertOf } from './journal-alerts.ts';

const JOURNAL = { portfolio: 'demo', runId: '0123456789abcdef', live: true };
const told = (kind: EntryKind, value: unknown) =>
  alertOf(JOURNAL, { position: 9, kind, value: { at: 5, value, redefined: new Map() } });
const breaker = (text: string) =>
  told('note', {
    note: 'trace',
    line: { type: 'breaker', at: 5, desk: null, instrument: null, shadow: false, text },
  });

describe('alertOf', () => {
  it('tells what the loop itself raises, under an id that is the place in the journal', () => {
    expect(
      told('command', {
        kind: 'raise-alert',
        severity: 'critical',
        key: 'gone-a1',
        text: 'order a1 is gone',
      }),
    ).toEqual({
      ...{
        id: 'demo-01234567-9',
        verb: 'trigger',
        at: 5,
        severity: 'critical',
        kind: 'gone',
        subject: 'gone-a1',
      },
      ...{
        portfolio: 'demo',
        desk: null,
        instrument: null,
        title: 'order a1 is gone',
        body: '',
        details: {},
        live: true,
      },
    });
    expect(told('command', { kind: 'cancel-order', clientId: 'x' })).toBeNull();
    expect(alertOf(JOURNAL, { position: 1, kind: 'event', value: null })).toBeNull();
  });

  it('follows the breaker up and back: HALT is the loop’s own alert, CLOSED ends it', () => {
    expect(breaker('CLOSED -> ALERT: latency')).toMatchObject({
      verb: 'trigger',
      severity: 'warning',
      subject: 'breaker',
      title: 'breaker ALERT: latency',
    });
    expect(breaker('ALERT -> HALT: daily-loss')).toBeNull();
    expect(breaker('HALT -> THROTTLE')).toBeNull();
    expect(breaker('THROTTLE -> CLOSED')).toMatchObject({ verb: 'resolve', subject: 'breaker' });
    expect(breaker('nonsense')).toBeNull();
  });

  it('knows SHUTDOWN for worse than HALT, so that it is no repetition', () => {
    const raised = (level: string) =>
      told('command', {
        kind: 'raise-alert',
        severity: 'critical',
        key: 'breaker',
        text: `breaker ${level}: x`,
      })!;
    expect(isWorse(raised('SHUTDOWN'), raised('HALT'))).toBe(true);
    expect(isWorse(raised('HALT'), raised('HALT'))).toBe(false);
    expect(isWorse(breaker('ALERT -> THROTTLE')!, breaker('CLOSED -> ALERT')!)).toBe(true);
    expect(isWorse(raised('HALT'), breaker('ALERT -> THROTTLE')!)).toBe(true);
  });

  it('tells a feed that is down and the same feed when it is back', () => {
    const feed = (status: string) =>
      told('event', { kind: 'feed-changed', at: 5, eventTime: 5, feed: 'f', status, detail: 'd' });
    expect(feed('stale')).toMatchObject({
      verb: 'trigger',
      severity: 'warning',
      subject: 'feed-f',
      body: 'd',
    });
    expect(feed('resynced')).toMatchObject({ verb: 'resolve', subject: 'feed-f' });
    expect(feed('connected')).toBeNull();
  });

  it('tells who did what: a kill is critical, a record is nothing', () => {
    const act = (action: unknown) =>
      told('event', {
        kind: 'operator-acted',
        at: 5,
        eventTime: 5,
        by: 'ada (telegram)',
        reason: 'r',
        act: action,
      });
    expect(act({ action: 'kill' })).toMatchObject({
      severity: 'critical',
      kind: 'operator',
      title: 'kill by ada (telegram)',
      body: 'r',
    });
    expect(act({ action: 'flatten', desk: null })).toMatchObject({ severity: 'warning' });
    expect(act({ action: 'stop' })).toMatchObject({ severity: 'info' });
    const model = { action: 'model', desk: 'd', reference: 'M@paper', id: 'a'.repeat(64) } as const;
    expect(act(model)).toMatchObject({
      severity: 'info',
      title: `model of d: M@paper is ${'a'.repeat(12)} by ada (telegram)`,
    });
    // the loop raises an alert of its own
    expect(act({ ...model, fault: 'damaged' })).toBeNull();
    expect(act({ action: 'record', subject: 's', detail: 'd' })).toBeNull();
  });

  it('follows a kill switch until a person resets it, each one by itself', () => {
    const raised = (name: string) =>
      told('command', {
        kind: 'raise-alert',
        severity: 'critical',
        key: `kill-switch-${name}`,
        text: `kill switch ${name} tripped: drawdown beyond the band (0.11, limit 0.1)`,
      })!;
    const act = (action: unknown) =>
      told('event', {
        kind: 'operator-acted',
        at: 5,
        eventTime: 5,
        by: 'ada',
        reason: 'looked',
        act: action,
      })!;
    const desk = 's1-rx68-btc-1m';
    expect(raised(desk)).toMatchObject({ verb: 'trigger', severity: 'critical', kind: 'kill-switch' });
    expect(raised(desk).subject).not.toBe(raised('s1').subject);
    expect(act({ action: 'recover', confirm: null, desk })).toMatchObject({
      verb: 'resolve',
      subject: raised(desk).subject,
      title: `kill switch ${desk} reset by ada`,
      body: 'looked',
    });
    // the breaker's own recovery is another thing
    expect(act({ action: 'recover', confirm: null })).toMatchObject({ verb: 'trigger', kind: 'operator' });
    expect(act({ action: 'kill', desk: 's1' }).title).toBe('kill of s1 by ada');
  });

  it('tells fills and trades in money and units of the instrument', () => {
    const instrument = 'BTCUSDT.BINANCE-USDM';
    const fill = {
      fillId: 'f1',
      clientId: 'c1',
      instrument,
      side: 'buy',
      lots: 500,
      ticks: 645_000,
      fee: 123_456,
      liquidity: 'taker',
    };
    const book = 'demo/sigma/default/BTCUSDT.BINANCE-USDM';
    expect(told('note', { note: 'fill', at: 5, fill, book, reason: 'entry' })).toMatchObject({
      ...{
        severity: 'info',
        kind: 'fill',
        subject: 'fill-f1',
        instrument,
        title: 'BTCUSDT buy 0.5 @ 64500',
      },
      details: { side: 'buy', quantity: '0.5', price: '64500' },
    });
    const trade = {
      id: 't1',
      book,
      instrument,
      currency: 'USDT',
      direction: -1,
      lots: 500,
      entryPrice: 64_500,
      exitPrice: 64_000.123456789,
      net: -1_234_567_890,
      exitReason: 'target',
    };
    const alert = told('note', { note: 'trade', trade, desk: 'sigma', regime: 'calm' })!;
    expect(alert.title).toMatch(/^BTCUSDT short closed: -[\d,]+\.\d\d USDT$/);
    expect(alert.body).toBe('target; in 64500, out 64000.123, calm');
    expect(alert.desk).toBe('sigma');
  });
});
