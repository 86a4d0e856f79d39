import { describe, expect, it } from 'vitest';
import { parseStep } from '#base';
import { instrumentFor } from '#market';
import { EntryReader, instrumentIn, type Timed } from './journal-entries.ts';

const AVAX = instrumentFor('AVAXUSDT.BINANCE-USDM');
const stated = { ...AVAX, tick: parseStep('0.001')!, lot: parseStep('1')! };

const changed = {
  kind: 'instrument-changed',
  at: 1,
  eventTime: 1,
  instrument: AVAX.id,
  change: { change: 'changed', definition: stated },
};
const decided = (outcome: string, instrument: string = AVAX.id) => ({
  note: 'trace',
  line: { type: 'decision', at: 2, instrument, outcome },
});

describe('EntryReader', () => {
  const reading = (reader = new EntryReader()) => {
    let position = 0;
    return (kind: 'event' | 'note' | 'command', value: object) =>
      reader.read(position++, kind, JSON.stringify(value)).value as Timed;
  };
  const grid = (timed: Timed) => instrumentIn(timed, AVAX.id).tick;

  it('reads closed bars only for those who keep them, and what is written of openings for nobody', () => {
    const bar = {
      kind: 'bar-closed',
      at: 7,
      eventTime: 7,
      instrument: AVAX.id,
      intervalMs: 1,
      bar: { time: 6 },
    };
    expect(reading()('event', bar)).toBeNull();
    const read = reading(new EntryReader(0, new Map(), true));
    expect(read('event', bar)).toMatchObject({ at: 7, value: { kind: 'bar-closed', bar: { time: 6 } } });
    expect(read('note', { note: 'bar-opened', event: bar })).toBeNull();
    expect(read('event', { kind: 'mark-updated', at: 8 })).toBeNull();
  });

  it('means lots and ticks in the grid that the venue stated, from the next entry on', () => {
    const read = reading();
    expect(grid(read('event', changed))).toEqual(AVAX.tick);
    expect(grid(read('note', decided('held')))).toEqual(AVAX.tick);
    expect(grid(read('note', decided('entered', 'BTCUSDT.BINANCE-USDM')))).toEqual(AVAX.tick);
    const before = read('command', { kind: 'cancel-order' });
    expect(grid(read('note', decided('entered')))).toEqual(stated.tick);
    expect(grid(read('command', { kind: 'submit-order' }))).toEqual(stated.tick);
    // what was read earlier keeps its meaning
    expect(grid(before)).toEqual(AVAX.tick);
  });

  it('goes on from the definitions in force', () => {
    const read = reading(new EntryReader(5, new Map([[AVAX.id, stated]])));
    const timed = read('command', { kind: 'submit-order' });
    expect(timed.at).toBe(5);
    expect(grid(timed)).toEqual(stated.tick);
  });

  it('hears of a stated grid in entries that are passed over', () => {
    const reader = new EntryReader();
    const pass = (kind: 'event' | 'note', value: object) =>
      reader.read(0, kind, JSON.stringify(value), false);
    expect(pass('note', decided('entered')).value).toBeNull();
    pass('event', changed);
    pass('note', decided('entered'));
    expect(grid(reading(reader)('command', { kind: 'submit-order' }))).toEqual(stated.tick);
  });

  it('leaves what nobody reads unparsed', () => {
    expect(reading()('event', { kind: 'mark-updated', at: 1 })).toBeNull();
  });
});
