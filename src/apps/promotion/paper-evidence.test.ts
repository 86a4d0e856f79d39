import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JournalFile } from '#adapters';
import { DAY, HOUR, InputError, sha256 } from '#base';
import { type Command, commandText } from '#engine';
import { paperEvidence } from './paper-evidence.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-paper-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const START = Date.UTC(2025, 0, 1);
const HASH = sha256('desk');
const LIVE = { kind: 'binance-usdm' };
const NOW = START + 1000 * DAY;
const MINE = { desk: 'mine', deskHash: HASH, instruments: ['A.B'], interval: '1h' };

/** A paper journal whose hourly bars closed at these hours; `late` came a day after their close. */
function journal(
  name: string,
  mode: string,
  hours: readonly number[],
  late: readonly number[] = [],
  feed: object = LIVE,
): string {
  const dir = join(root, name);
  mkdirSync(dir);
  const file = JournalFile.create(join(dir, 'journal'));
  const desks = [{ name: 'mine', hash: HASH, parameters: {} }];
  file.append('header', JSON.stringify({ kind: 'paper', mode, desks, request: { feed } }));
  for (const hour of hours) {
    const eventTime = START + hour * HOUR;
    const at = eventTime + (late.includes(hour) ? DAY : 500);
    const bar = { kind: 'bar-closed', at, eventTime, instrument: 'A.B', intervalMs: HOUR };
    file.append('event', JSON.stringify(bar));
    file.append('note', '{"note":"order"}');
  }
  file.close();
  return dir;
}

const upTo = (n: number) => Array.from({ length: n + 1 }, (_, i) => i);

describe('time on paper', () => {
  it('is from the first live bar to the last, with the share that came', () => {
    const dir = journal('whole', 'PAPER', upTo(90 * 24));
    expect(paperEvidence(dir, MINE, NOW)).toMatchObject({
      figures: { paperDays: { value: 90 }, paperUptime: { value: 1, note: '2161 of 2161 bars of 1h' } },
      stamps: [],
    });
  });

  it('counts bars that are missing, came late or twice as what they are', () => {
    const hours = [0, 1, 2, 2, 3, 6, 7, 8, 9, 10];
    const { figures } = paperEvidence(journal('holes', 'PAPER', hours, [7, 8]), MINE, NOW);
    // 0 to 10 are eleven bars; 4 and 5 never came, 7 and 8 were filled in
    expect(figures.paperUptime).toEqual({ value: 7 / 11, note: '7 of 11 bars of 1h' });
    expect(figures.paperDays).toEqual({ value: 10 / 24 });
  });

  it('has no bar that came when the next one was due', () => {
    const dir = join(root, 'due');
    mkdirSync(dir);
    const file = JournalFile.create(join(dir, 'journal'));
    const desks = [{ name: 'mine', hash: HASH, parameters: {} }];
    file.append('header', JSON.stringify({ kind: 'paper', mode: 'PAPER', desks, request: { feed: LIVE } }));
    [HOUR, HOUR + 1, 0].forEach((late, i) => {
      const eventTime = START + i * HOUR;
      const bar = {
        kind: 'bar-closed',
        at: eventTime + late,
        eventTime,
        instrument: 'A.B',
        intervalMs: HOUR,
      };
      file.append('event', JSON.stringify(bar));
    });
    file.close();
    expect(paperEvidence(dir, MINE, NOW).figures.paperUptime).toEqual({
      value: 2 / 3,
      note: '2 of 3 bars of 1h',
    });
  });

  it('is not known where no bar came live', () => {
    const { figures } = paperEvidence(journal('late', 'PAPER', [1, 2], [1, 2]), MINE, NOW);
    expect(figures.paperDays).toEqual({ value: null, note: 'no bar came live' });
    expect(figures.paperUptime.value).toBeNull();
  });

  it.each(['REPLAY', 'SYNTHETIC'])('of %s is no evidence', (mode) => {
    const { stamps } = paperEvidence(journal(mode, mode, upTo(3)), MINE, NOW);
    expect(stamps).toEqual([`${mode}: not live prices, no evidence`]);
  });

  it('is that of the instruments of the run, each of them', () => {
    const dir = journal('instruments', 'PAPER', upTo(9));
    const other = paperEvidence(dir, { ...MINE, instruments: ['C.B'] }, NOW);
    expect(other.figures.paperDays).toEqual({ value: null, note: 'no bar came live' });
    const both = paperEvidence(dir, { ...MINE, instruments: ['A.B', 'C.B'] }, NOW);
    expect(both.figures.paperUptime).toEqual({ value: 0.5, note: '10 of 20 bars of 1h; never came: C.B' });
  });

  it('is no evidence with prices from elsewhere, nor from the future', () => {
    const from = (name: string, wsUrl: string, kind = LIVE.kind) =>
      paperEvidence(journal(name, 'PAPER', upTo(3), [], { kind, wsUrl }), MINE, NOW).stamps;
    expect(from('near', 'wss://fstream.binance.com/ws')).toEqual([]);
    expect(from('far', 'ws://127.0.0.1:8080')).toEqual([
      "prices from ws://127.0.0.1:8080: not the venue's own, no evidence",
    ]);
    expect(from('like', 'wss://notbinance.com')).toHaveLength(1);
    expect(from('edge', 'wss://edgex-quote-prod-v2.edgex.exchange', 'edgex')).toEqual([]);
    expect(from('strange', 'wss://fstream.binance.com', 'edgex')).toHaveLength(1);
    const early = paperEvidence(journal('early', 'PAPER', upTo(3)), MINE, START + HOUR);
    expect(early.stamps).toEqual(['its bars lie in the future, no evidence']);
  });

  describe('of one of several configs on a feed', () => {
    type Entry = { minutes: number; ms: number } | { heard: string | null; minutes: number; desk?: string };
    /** Entries in the order of their time; a word of the model comes behind the bar of its time. */
    function written(name: string, entries: readonly Entry[]): string {
      const dir = join(root, name);
      mkdirSync(dir);
      const file = JournalFile.create(join(dir, 'journal'));
      const desks = [{ name: 'mine', hash: HASH, parameters: {} }];
      file.append('header', JSON.stringify({ kind: 'paper', mode: 'PAPER', desks, request: { feed: LIVE } }));
      for (const entry of entries.toSorted((a, b) => a.minutes - b.minutes)) {
        const eventTime = START + (entry.minutes * HOUR) / 60;
        const at = eventTime + 500;
        if ('ms' in entry) {
          const bar = { kind: 'bar-closed', at, eventTime, instrument: 'A.B', intervalMs: entry.ms };
          file.append('event', JSON.stringify(bar));
        } else {
          const { heard: fault, desk = 'mine' } = entry;
          file.append('note', JSON.stringify({ note: 'model-heard', at, desk, instrument: 'A.B', fault }));
        }
      }
      file.close();
      return dir;
    }
    const bars = (minutes: number, until: number, skip: (k: number) => boolean = () => false): Entry[] =>
      Array.from({ length: until / minutes }, (_, k) => ({
        minutes: (k + 1) * minutes,
        ms: minutes * 60_000,
      })).filter((_, k) => !skip(k));
    const quarter = { ...MINE, interval: '15m' };
    const model = { ...quarter, spoken: true };
    const uptime = (dir: string, of = quarter) => paperEvidence(dir, of, NOW).figures.paperUptime;

    it('is that of its own bars, whatever others came', () => {
      const others = [...bars(1, 6_000), ...bars(3, 6_000), ...bars(5, 6_000)];
      // every other one is missing, but the last
      const half = bars(15, 6_000, (k) => k % 2 === 1 && k < 399);
      const dir = written('half', [...others, ...half]);
      expect(uptime(dir)).toEqual({ value: 201 / 400, note: '201 of 400 bars of 15m' });
      expect(uptime(dir, { ...quarter, interval: '5m' }).value).toBe(1);
    });

    it('is made of shorter bars where the feed has no others, all of them', () => {
      const whole = written('finer', bars(5, 600));
      expect(uptime(whole)).toEqual({ value: 1, note: '40 of 40 bars of 15m' });
      const holes = written(
        'finer-holes',
        bars(5, 600, (k) => k === 7 || k === 8 || k === 31),
      );
      expect(uptime(holes).value).toBe(38 / 40);
      expect(uptime(written('longer', bars(60, 600)))).toEqual({ value: null, note: 'no bar came live' });
    });

    it('counts for a model the bars at which it spoke, and no others', () => {
      const all = bars(15, 6_000);
      const silent = written('silent', all);
      expect(uptime(silent, model)).toEqual({ value: null, note: 'by the journal its model never spoke' });
      expect(paperEvidence(silent, model, NOW).figures.paperDays.value).toBeNull();
      const mute = written('mute', [...all, { heard: 'no model', minutes: 15 }]);
      expect(uptime(mute, model).value).toBeNull();
      const another = written('another', [...all, { heard: null, minutes: 15, desk: 'other' }]);
      expect(uptime(another, model).value).toBeNull();
      // from its first word to its last
      const late = written('late-model', [...all, { heard: null, minutes: 3_015 }]);
      expect(uptime(late, model)).toEqual({
        value: 1,
        note: '200 of 200 bars of 15m with a word of its model',
      });
      expect(paperEvidence(late, model, NOW).figures.paperDays.value).toBeCloseTo((199 * 15) / 1_440, 9);
    });

    it('counts no bar at which it fell silent', () => {
      const words: Entry[] = Array.from({ length: 400 }, (_, k) => ({
        heard: k % 2 === 0 ? null : 'a feature is not defined',
        minutes: (k + 1) * 15,
      }));
      const dir = written('by-turns', [...bars(15, 6_000), ...words]);
      // the first of 399 spoke, and so did the last
      expect(uptime(dir, model).value).toBe(200 / 399);
      const made = written('by-turns-finer', [...bars(5, 6_000), ...words]);
      expect(uptime(made, model).value).toBe(200 / 399);
    });
  });

  it('is that of a desk with exactly its parameters', () => {
    const dir = journal('other', 'PAPER', upTo(3));
    expect(() => paperEvidence(dir, { ...MINE, deskHash: sha256('other') }, NOW)).toThrow(
      'which trades mine',
    );
    expect(() => paperEvidence(root, MINE, NOW)).toThrow(InputError);
  });
});

describe('time on paper of a desk whose model changes', () => {
  const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)];
  const WITH = { old: sha256('with old'), new: sha256('with new'), none: sha256('with none') };
  const BOOK = 'p/s1-rx68-btc-1m/default/BTCUSDT.BINANCE-USDM';
  const REFERENCE = 'S1_RX68_BTC_1M@paper';
  let journals = 0;

  /** Hours of bars; what happens behind some of them. */
  function life(hours: number, then: Readonly<Record<number, (file: JournalFile) => void>>): string {
    const dir = join(root, `life-${journals++}`);
    mkdirSync(dir);
    const file = JournalFile.create(join(dir, 'journal'));
    const desks = [
      { name: 'other', hash: sha256('other'), parameters: {} },
      { name: 's1-rx68-btc-1m', hash: WITH.old, parameters: {}, models: { [REFERENCE]: OLD } },
    ];
    file.append('header', JSON.stringify({ kind: 'paper', mode: 'PAPER', desks, request: { feed: LIVE } }));
    for (let hour = 0; hour <= hours; hour++) {
      const eventTime = START + hour * HOUR;
      const bar = { at: eventTime + 500, eventTime, instrument: 'BTCUSDT.BINANCE-USDM', intervalMs: HOUR };
      file.append('event', JSON.stringify({ kind: 'bar-closed', ...bar }));
      then[hour]?.(file);
    }
    file.close();
    return dir;
  }

  const changed = (id: string | null, hash: string) => (file: JournalFile) =>
    file.append(
      'note',
      JSON.stringify({ note: 'models', at: 0, desk: 's1-rx68-btc-1m', models: { [REFERENCE]: id }, hash }),
    );
  const order = (clientId: string, reduceOnly: boolean) => (file: JournalFile) => {
    const command = { kind: 'submit-order', order: { clientId, book: BOOK, reduceOnly } };
    const names = [
      'clientId,book,instrument,side,lots,type,limitTicks,triggerTicks,trailRate,timeInForce,expiresAt,postOnly',
      'reduceOnly,reduceOnlyAtVenue,ocoGroup,parent,leverage,expectedTicks,reason',
    ];
    const all = Object.fromEntries(
      names
        .join(',')
        .split(',')
        .map((name) => [name, null]),
    );
    file.append(
      'command',
      commandText({ ...command, order: { ...all, ...command.order } } as unknown as Command),
    );
  };
  const fill = (clientId: string) => (file: JournalFile) =>
    file.append('note', JSON.stringify({ note: 'fill', at: 0, fill: { clientId }, book: BOOK, reason: '' }));
  const trade = (net: number) => (file: JournalFile) => {
    const closed = { book: BOOK, net, instrument: 'BTCUSDT.BINANCE-USDM' };
    file.append(
      'note',
      JSON.stringify({ note: 'trade', trade: closed, desk: 's1-rx68-btc-1m', regime: null }),
    );
  };
  const all =
    (...acts: ((file: JournalFile) => void)[]) =>
    (file: JournalFile) => {
      for (const act of acts) act(file);
    };

  const asked = (dir: string, deskHash: string | null, desk = 's1-rx68-btc-1m') =>
    paperEvidence(dir, { desk, deskHash, instruments: ['BTCUSDT.BINANCE-USDM'], interval: '1h' }, NOW);

  it('is split at the change for a configuration, and whole for the desk', () => {
    const dir = life(72, { 24: changed(NEW, WITH.new) });
    // its name in the program is another than that in the books
    expect(asked(dir, WITH.old, 's1-momentum').figures.paperDays).toEqual({ value: 1 });
    expect(asked(dir, WITH.new, 's1-momentum').figures.paperDays).toEqual({ value: 47 / 24 });
    expect(asked(dir, null).figures).toEqual({
      paperDays: { value: 3 },
      paperUptime: { value: 1, note: '73 of 73 bars of 1h' },
    });
    expect(() => asked(dir, WITH.none)).toThrow('is not on paper');
  });

  it('has no bars of the time without a model', () => {
    const dir = life(10, { 2: changed(null, WITH.none), 5: changed(NEW, WITH.new) });
    const { figures, models, modelDays } = asked(dir, null);
    expect(figures.paperUptime).toEqual({ value: 8 / 11, note: '8 of 11 bars of 1h' });
    expect(
      models.map(({ model, from, to }) => [model, (from - START - 500) / HOUR, (to - START - 500) / HOUR]),
    ).toEqual([
      [OLD, 0, 2],
      [null, 3, 5],
      [NEW, 6, 10],
    ]);
    expect(models.map(({ days }) => days)).toEqual([3 / 24, 0, 5 / 24]);
    expect(modelDays).toEqual({
      all: 8 / 24,
      byModel: new Map([
        [OLD, 3 / 24],
        [NEW, 5 / 24],
      ]),
    });
    // a desk that asks for no models has days, but none with a model
    expect(asked(dir, null, 'other').modelDays).toBeNull();
    expect(() => asked(dir, null, 'nobody')).toThrow('nobody is not on paper in');
  });

  it('is no time of a model that does not speak, whoever was in place', () => {
    const word = (hour: number, fault: string | null) => (file: JournalFile) =>
      file.append(
        'note',
        JSON.stringify({
          note: 'model-heard',
          at: START + hour * HOUR + 500,
          desk: 's1-rx68-btc-1m',
          instrument: 'BTCUSDT.BINANCE-USDM',
          fault,
        }),
      );
    const dir = life(72, {
      0: word(0, null),
      24: changed(NEW, WITH.new),
      // silent from its second bar on, for a day
      26: word(26, 'a feature is not defined'),
      50: word(50, null),
    });
    const spoken = paperEvidence(
      dir,
      {
        desk: 's1-rx68-btc-1m',
        deskHash: null,
        instruments: ['BTCUSDT.BINANCE-USDM'],
        interval: '1h',
        spoken: true,
      },
      NOW,
    );
    expect(spoken.figures.paperUptime.value).toBe(49 / 73);
    expect(spoken.modelDays).toEqual({
      all: 49 / 24,
      byModel: new Map([
        [OLD, 25 / 24],
        [NEW, 1],
      ]),
    });
  });

  it('gives each trade to the model that decided on its entry', () => {
    const dir = life(12, {
      1: all(order('e1', false), fill('e1')),
      2: all(order('x1', true), fill('x1'), trade(500_000_000)),
      // its order is on the way when the model changes
      3: order('e2', false),
      4: changed(NEW, WITH.new),
      5: fill('e2'),
      // a reversal: the old model's position ends with the order that opens the new one's
      6: all(order('e3', false), fill('e3'), trade(-200_000_000)),
      7: changed(OLD, WITH.old),
      8: all(order('x3', true), fill('x3'), trade(0)),
      9: all(order('e4', false), fill('e4'), order('x4', true), fill('x4'), trade(100_000_000)),
    });
    const { models } = asked(dir, null);
    expect(models.map(({ model, trades, won }) => [model, trades, won])).toEqual([
      [OLD, 3, 2],
      [NEW, 1, 0],
    ]);
    const [old, other] = models;
    expect(Number(old!.profit) / Number(old!.loss)).toBe(3);
    expect(Number(old!.net) / Number(old!.loss)).toBe(2);
    expect(Number(other!.net)).toBe(0);
  });
});
