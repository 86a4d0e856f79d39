import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { AlertChannel, ProjectionEntry, SendOutcome } from '#adapters';
import { Chance, HOUR, MINUTE, SECOND } from '#base';
import { AlertDesk, type AlertDeskOptions } from '../../src/apps/alerts/alert-desk.ts';
import { alertRulesSchema } from '../../src/apps/alerts/alert-rules.ts';
import { standingOf } from '../../src/apps/alerts/alert-tables.ts';
import { backoffMs } from '../../src/apps/alerts/outbox.ts';
import { later, never, TestChannel } from '../support/alert-channel.ts';
import { alertWith } from '../support/alert-messages.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const JOURNAL = { portfolio: 'demo', runId: 'run-1', live: true };

let folder: string | null = null;
const desks: AlertDesk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.stop().catch(() => undefined);
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  folder = null;
});

/** A desk whose clock is moved by hand. */
class Bench {
  now = NOON;
  readonly file: string;
  readonly channels: readonly AlertChannel[];
  readonly said: string[] = [];
  private readonly rules: unknown;
  private readonly more: Partial<AlertDeskOptions>;
  desk: AlertDesk;

  constructor(channels: readonly AlertChannel[], rules: unknown, more: Partial<AlertDeskOptions> = {}) {
    folder ??= mkdtempSync(join(tmpdir(), 'quorum-desk-'));
    this.file = join(folder, 'alerts.sqlite');
    this.channels = channels;
    this.rules = rules;
    this.more = more;
    this.desk = this.open();
  }

  open(): AlertDesk {
    this.desk = new AlertDesk({
      file: this.file,
      channels: this.channels,
      rules: alertRulesSchema.parse(this.rules),
      now: () => this.now,
      chance: new Chance(1),
      tickMs: 0,
      log: (line) => this.said.push(line),
      ...this.more,
    });
    desks.push(this.desk);
    this.desk.start();
    return this.desk;
  }

  async reopen(): Promise<AlertDesk> {
    await this.desk.stop();
    return this.open();
  }

  /** Lets time pass and everything that is due happen. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    this.desk.tick();
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

const stateOf = (bench: Bench, id: string) => bench.desk.alert(id)?.state;

describe('an alert', () => {
  it('is taken from a journal once, however often its entry comes, and its cursor survives', async () => {
    const phone = new TestChannel('phone');
    const bench = new Bench([phone], {});
    const entry = (position: number, key: string): ProjectionEntry => ({
      position,
      kind: 'command',
      value: {
        at: NOON,
        value: { kind: 'raise-alert', severity: 'critical', key, text: `text of ${key}` },
        redefined: new Map(),
      },
    });
    const quiet: ProjectionEntry = { position: 6, kind: 'event', value: null };
    expect(bench.desk.cursor(JOURNAL)).toBe(0);
    bench.desk.take(JOURNAL, [entry(4, 'breaker'), entry(5, 'gone-7'), quiet]);
    await settled();
    bench.desk.take(JOURNAL, [entry(4, 'breaker'), entry(5, 'gone-7'), quiet]);
    expect(bench.desk.cursor(JOURNAL)).toBe(7);
    await bench.reopen();
    expect(bench.desk.cursor(JOURNAL)).toBe(7);
    // a crash in which the cursor was not written: the alert is known by its place
    bench.desk.take({ ...JOURNAL, runId: 'run-1' }, [entry(4, 'breaker')]);
    await settled();
    expect(phone.taken.map((m) => [m.kind, m.title])).toEqual([
      ['breaker', 'text of breaker'],
      ['gone', 'text of gone-7'],
    ]);
    // another run of the portfolio is another journal
    bench.now += HOUR;
    bench.desk.take({ ...JOURNAL, runId: 'run-2' }, [entry(4, 'breaker')]);
    await settled();
    expect(phone.taken).toHaveLength(3);
  });

  it('that is critical goes at once, past what hangs', async () => {
    const phone = new TestChannel('phone');
    const bench = new Bench([phone], {
      rules: [{ name: 'all', channels: ['phone'], dedup: { windowSeconds: 0 } }],
    });
    phone.outcomes.push(new Promise<SendOutcome>(() => undefined));
    bench.desk.raise(alertWith({ id: 'news', severity: 'info', at: NOON }));
    bench.desk.raise(alertWith({ id: 'more', severity: 'info', at: NOON }));
    await settled();
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await settled();
    expect(phone.taken.map((m) => m.id)).toEqual(['fire']);
    expect(stateOf(bench, 'news')).toBe('pending');
  });

  it('that is critical goes out even when nothing can be written, and is taken again later', async () => {
    const phone = new TestChannel('phone');
    const bench = new Bench([phone], {});
    const other = new DatabaseSync(bench.file);
    other.exec('BEGIN EXCLUSIVE');
    const fire = alertWith({ id: 'fire', at: NOON });
    expect(() => bench.desk.raise(fire)).toThrow(/locked/);
    expect(() => bench.desk.raise(fire)).toThrow(/locked/);
    expect(() => bench.desk.raise(alertWith({ id: 'news', severity: 'info' }))).toThrow(/locked/);
    await settled();
    expect(phone.taken.map((m) => m.id)).toEqual(['fire']);
    other.exec('ROLLBACK');
    other.close();
    expect(bench.desk.raise(fire)).toBe(true);
    await settled();
    expect(stateOf(bench, 'fire')).toBe('delivered');
  });

  it('stands as it was routed: counted, with the reason, and shown to the console', async () => {
    const phone = new TestChannel('phone');
    const seen: string[] = [];
    const bench = new Bench(
      [phone],
      { rules: [{ name: 'all', match: { severity: ['warning'] }, channels: ['phone'] }] },
      { onAlert: (row) => seen.push(row.id) },
    );
    bench.desk.raise(alertWith({ id: 'a', severity: 'warning', at: NOON }));
    bench.desk.raise(alertWith({ id: 'b', severity: 'warning', at: NOON }));
    bench.desk.raise(alertWith({ id: 'c', severity: 'info', at: NOON }));
    bench.desk.raise(alertWith({ id: 'old', severity: 'warning', subject: 'x', at: NOON - 2 * HOUR }));
    expect(bench.desk.raise(alertWith({ id: 'a' }))).toBe(false);
    await settled();
    const rows = bench.desk.alerts().map((row) => [row.id, row.state, row.reason, standingOf(row)]);
    expect(rows).toEqual([
      ['old', 'suppressed', 'stale', 'suppressed'],
      ['c', 'delivered', null, 'resolved'],
      ['b', 'suppressed', 'duplicate', 'suppressed'],
      ['a', 'delivered', null, 'open'],
    ]);
    expect(bench.desk.counts()).toMatchObject({
      'suppressed.duplicate': 1,
      'suppressed.stale': 1,
      noted: 1,
      delivered: 1,
    });
    expect(seen).toEqual(['a', 'b', 'c', 'old']);
    expect(bench.desk.alerts({ standing: 'open' }).map((row) => row.id)).toEqual(['a']);
    expect(bench.desk.alerts({ before: bench.desk.alert('b')!.seq, limit: 1 }).map((row) => row.id)).toEqual([
      'a',
    ]);
    expect(bench.desk.alerts({ severity: 'info' })).toHaveLength(1);
  });
});

describe('a delivery', () => {
  it('is tried again with growing pauses until it is taken, over restarts', async () => {
    const phone = new TestChannel('phone');
    phone.always = later;
    const bench = new Bench([phone], {});
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await settled();
    const pauses: number[] = [];
    for (let tries = 1; tries < 8; tries++) {
      const [delivery] = bench.desk.deliveries();
      expect(delivery).toMatchObject({ state: 'pending', attempts: tries, lastError: 'busy' });
      pauses.push(delivery!.nextAt - bench.now);
      if (tries === 4) await bench.reopen();
      // a moment too early nothing is sent
      await bench.pass(delivery!.nextAt - bench.now - 1);
      expect(phone.asked).toHaveLength(tries);
      await bench.pass(1);
    }
    for (const [i, pause] of pauses.entries()) {
      const most = Math.min(2 * SECOND * 2 ** i, 60 * SECOND);
      expect(pause).toBeGreaterThanOrEqual(most / 2);
      expect(pause).toBeLessThanOrEqual(most);
    }
    phone.always = null;
    await bench.pass(MINUTE);
    expect(stateOf(bench, 'fire')).toBe('delivered');
    expect(phone.taken).toHaveLength(1);
  });

  it('waits as long as the receiver asks', async () => {
    const phone = new TestChannel('phone');
    phone.outcomes.push({ is: 'retry', reason: 'slow down', afterMs: 42_000 });
    const bench = new Bench([phone], {});
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await settled();
    await bench.pass(41_999);
    expect(phone.taken).toHaveLength(0);
    await bench.pass(1);
    expect(phone.taken).toHaveLength(1);
  });

  it.each([
    ['refuses', never, 1],
    ['fails three times', later, 3],
  ] as const)('goes to the next channel when one %s; news does not', async (_, outcome, tries) => {
    const [phone, pager, mail] = [
      new TestChannel('phone'),
      new TestChannel('pager'),
      new TestChannel('mail'),
    ];
    phone.always = outcome;
    pager.always = outcome;
    const rules = [{ name: 'all', channels: ['phone'], dedup: { windowSeconds: 60 } }];
    const bench = new Bench([phone, pager, mail], { rules, fallback: ['pager', 'mail'] });
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    bench.desk.raise(alertWith({ id: 'news', severity: 'info', subject: 'news', at: NOON }));
    await settled();
    for (let i = 0; i < 2 * tries; i++) await bench.pass(5 * MINUTE);
    expect(phone.asked.filter((m) => m.id === 'fire').length).toBeGreaterThanOrEqual(tries);
    expect(mail.taken.map((m) => m.id)).toEqual(['fire']);
    expect(pager.asked.every((m) => m.id === 'fire')).toBe(true);
    // who was told instead hears of the end as well
    bench.desk.raise(alertWith({ id: 'end', verb: 'resolve', at: bench.now }));
    await bench.pass(HOUR);
    expect(mail.taken.map((m) => [m.id, m.verb, m.key])).toEqual([
      ['fire', 'trigger', 'demo/breaker'],
      ['end', 'resolve', 'demo/breaker'],
    ]);
  });

  it('is never given up while nobody was told of something bad; news expires and says so', async () => {
    const phone = new TestChannel('phone');
    phone.always = never;
    const bench = new Bench([phone], {
      rules: [{ name: 'all', channels: ['phone'], dedup: { windowSeconds: 0 } }],
    });
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    bench.desk.raise(alertWith({ id: 'news', severity: 'info', at: NOON }));
    for (let h = 0; h < 30; h++) await bench.pass(HOUR);
    expect(stateOf(bench, 'fire')).toBe('pending');
    expect(bench.desk.alert('news')).toMatchObject({ state: 'suppressed', reason: 'expired' });
    expect(bench.desk.waiting()).toEqual({ phone: 1 });
    phone.always = null;
    await bench.pass(MINUTE);
    expect(stateOf(bench, 'fire')).toBe('delivered');
  });

  it('keeps the order of one incident on one channel: no end before its beginning', async () => {
    const phone = new TestChannel('phone');
    phone.outcomes.push(later);
    const bench = new Bench([phone], {});
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await settled();
    bench.desk.raise(alertWith({ id: 'end', verb: 'resolve', severity: 'info', at: NOON }));
    await settled();
    expect(phone.taken).toEqual([]);
    await bench.pass(MINUTE);
    expect(phone.taken.map((m) => m.verb)).toEqual(['trigger', 'resolve']);
    expect(bench.desk.alert('fire')!.resolvedAt).not.toBeNull();
  });

  it('goes elsewhere when its channel is not configured any more', async () => {
    const [phone, mail] = [new TestChannel('phone'), new TestChannel('mail')];
    phone.always = later;
    const bench = new Bench([phone, mail], { rules: [{ name: 'all', channels: ['phone'] }] });
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await settled();
    await bench.desk.stop();
    const next = new Bench([mail], {});
    next.now = NOON + SECOND;
    await next.pass(0);
    await next.pass(0);
    expect(mail.taken.map((m) => m.id)).toEqual(['fire']);
  });
});

describe('people', () => {
  it('acknowledge and resolve: pagers are told, escalation ends', async () => {
    const [pager, mail] = [new TestChannel('pager'), new TestChannel('mail', ['trigger', 'resolve'])];
    const rules = [
      {
        name: 'all',
        channels: ['pager'],
        escalation: [
          { afterSeconds: 60, channels: ['mail'] },
          { afterSeconds: 120, channels: ['mail'] },
        ],
      },
    ];
    const bench = new Bench([pager, mail], { rules });
    bench.desk.raise(alertWith({ id: 'fire', at: NOON }));
    await bench.pass(60 * SECOND);
    expect(mail.taken).toHaveLength(1);
    const row = bench.desk.acknowledge('fire', 'ada (console)')!;
    expect(standingOf(row)).toBe('acknowledged');
    await bench.pass(HOUR);
    expect(mail.taken).toHaveLength(1);
    expect(pager.taken.map((m) => m.verb)).toEqual(['trigger', 'acknowledge']);
    expect(bench.desk.acknowledge('nothing', 'ada')).toBeNull();
    bench.desk.resolve('fire', 'ada (console)');
    await settled();
    expect(pager.taken.map((m) => m.verb)).toEqual(['trigger', 'acknowledge', 'resolve']);
    expect(mail.taken.map((m) => m.verb)).toEqual(['trigger', 'resolve']);
    expect(bench.desk.alert('fire')).toMatchObject({
      acknowledgedBy: 'ada (console)',
      resolvedBy: 'ada (console)',
    });
    // twice is once
    bench.desk.resolve('fire', 'bob');
    await settled();
    expect(pager.taken).toHaveLength(3);
    expect(bench.desk.alert('fire')).toMatchObject({ resolvedBy: 'ada (console)' });
  });

  it('set rules that hold at once and over a restart, but none that name no channel', async () => {
    const phone = new TestChannel('phone');
    const bench = new Bench([phone], {});
    expect(bench.desk.rules().from).toBe('configuration');
    expect(() =>
      bench.desk.setRules(alertRulesSchema.parse({ rules: [{ name: 'x', channels: ['nobody'] }] })),
    ).toThrow(/nobody/);
    bench.desk.setRules(alertRulesSchema.parse({ rules: [{ name: 'mute' }] }));
    bench.desk.raise(alertWith({ id: 'a', at: NOON }));
    await bench.reopen();
    bench.desk.raise(alertWith({ id: 'b', subject: 'b', at: NOON }));
    await settled();
    expect(phone.asked).toEqual([]);
    expect(bench.desk.rules()).toMatchObject({ from: 'console', rules: { rules: [{ name: 'mute' }] } });
    bench.desk.setRules(null);
    bench.desk.raise(alertWith({ id: 'c', subject: 'c', at: NOON }));
    await settled();
    expect(phone.taken.map((m) => m.id)).toEqual(['c']);
  });

  it('send a test through every channel, and a pager does not go on ringing', async () => {
    const [phone, pager] = [new TestChannel('phone', ['trigger', 'resolve']), new TestChannel('pager')];
    const bench = new Bench([phone, pager], { rules: [] });
    const id = bench.desk.test('ada');
    await settled();
    expect(phone.taken.map((m) => m.verb)).toEqual(['trigger']);
    expect(pager.taken.map((m) => m.verb)).toEqual(['trigger', 'resolve']);
    expect(stateOf(bench, id)).toBe('delivered');
    bench.now += 1;
    bench.desk.test('ada', 'phone');
    await settled();
    expect([phone.taken.length, pager.taken.length]).toEqual([2, 2]);
  });
});

describe('what time brings', () => {
  it('tells what was held back as one message that is itself not lost', async () => {
    const phone = new TestChannel('phone');
    const rules = [
      {
        name: 'fills',
        channels: ['phone'],
        dedup: { windowSeconds: 0 },
        rateLimit: { count: 1, perSeconds: 3_600 },
      },
    ];
    const bench = new Bench([phone], { rules, digestSeconds: 60 });
    for (let i = 0; i < 40; i++)
      bench.desk.raise(
        alertWith({
          id: `f${i}`,
          severity: 'info',
          kind: 'fill',
          subject: `f${i}`,
          title: `fill ${i % 30}`,
          at: NOON,
        }),
      );
    await settled();
    expect(phone.taken.map((m) => m.id)).toEqual(['f0']);
    expect(stateOf(bench, 'f9')).toBe('held');
    phone.outcomes.push(later);
    await bench.pass(MINUTE);
    await bench.reopen();
    await bench.pass(MINUTE);
    const digest = phone.taken.at(-1)!;
    expect(digest).toMatchObject({ kind: 'digest', title: '39 alerts held back by rule fills' });
    expect(digest.body).toContain('2 x demo: fill 3');
    expect(digest.body.split('\n').length).toBeLessThanOrEqual(26);
    expect(bench.desk.alert('f9')).toMatchObject({ state: 'digested', reason: digest.id });
    expect(bench.desk.counts()).toMatchObject({ digested: 39, 'held.rate-limit': 39 });
  });

  it('sends the summary once a day, also when its text could not be made', async () => {
    const phone = new TestChannel('phone');
    let broken = false;
    const summarise = async (day: string) => {
      if (broken) throw new Error('nobody answers');
      return { title: `Summary of ${day}`, body: 'all is well' };
    };
    const bench = new Bench([phone], { summary: { at: '12:30', channels: ['phone'] } }, { summarise });
    await bench.pass(29 * MINUTE);
    expect(phone.taken).toEqual([]);
    await bench.pass(MINUTE);
    await bench.pass(MINUTE);
    await bench.reopen();
    await bench.pass(MINUTE);
    expect(phone.taken.map((m) => m.title)).toEqual(['Summary of 2026-11-21']);
    broken = true;
    await bench.pass(24 * HOUR);
    expect(phone.taken.at(-1)).toMatchObject({ id: 'summary-2026-11-22', body: 'nobody answers' });
    expect(phone.taken).toHaveLength(2);
  });
});

describe('pauses between attempts', () => {
  it('double up to a limit, with jitter that a seed repeats', () => {
    const pauses = (seed: number) => {
      const chance = new Chance(seed);
      return [1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 500].map((n) => backoffMs(n, 'warning', chance));
    };
    expect(pauses(3)).toEqual(pauses(3));
    expect(pauses(3)).not.toEqual(pauses(4));
    expect(Math.max(...pauses(3))).toBeLessThanOrEqual(300 * SECOND);
  });
});
