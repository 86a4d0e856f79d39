import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JournalFile } from '#adapters';
import { DAY, HOUR, InputError, sha256 } from '#base';
import { paperEvidence } from './paper-evidence.ts';

const root = mkdtempSync(join(tmpdir(), 'quorum-paper-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const START = Date.UTC(2025, 0, 1);
const HASH = sha256('desk');
const LIVE = { kind: 'binance-usdm' };
const NOW = START + 1000 * DAY;
const MINE = { desk: 'mine', deskHash: HASH, instruments: ['A.B'] };

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
    expect(paperEvidence(dir, MINE, NOW)).toEqual({
      figures: { paperDays: { value: 90 }, paperUptime: { value: 1, note: '2161 of 2161 bars' } },
      stamps: [],
    });
  });

  it('counts bars that are missing, came late or twice as what they are', () => {
    const hours = [0, 1, 2, 2, 3, 6, 7, 8, 9, 10];
    const { figures } = paperEvidence(journal('holes', 'PAPER', hours, [7, 8]), MINE, NOW);
    // 0 to 10 are eleven bars; 4 and 5 never came, 7 and 8 were filled in
    expect(figures.paperUptime).toEqual({ value: 7 / 11, note: '7 of 11 bars' });
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
    expect(paperEvidence(dir, MINE, NOW).figures.paperUptime).toEqual({ value: 2 / 3, note: '2 of 3 bars' });
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
    expect(both.figures.paperUptime).toEqual({ value: 0.5, note: '10 of 20 bars; never came: C.B' });
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

  it('is that of a desk with exactly its parameters', () => {
    const dir = journal('other', 'PAPER', upTo(3));
    expect(() => paperEvidence(dir, { ...MINE, deskHash: sha256('other') }, NOW)).toThrow(
      'which trades mine',
    );
    expect(() => paperEvidence(root, MINE, NOW)).toThrow(InputError);
  });
});
