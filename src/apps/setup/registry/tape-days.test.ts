import { describe, expect, it } from 'vitest';
import { barSeries, rowSeries, Tape } from '#adapters';
import { DAY, HOUR } from '#base';
import { columnsOfBars, parseInstrumentId } from '#market';
import { dayOf, tapeDays } from './tape-days.ts';

const { id } = parseInstrumentId('BTCUSDT.BINANCE-USDM');
const flat = { open: 1, high: 1, low: 1, close: 1, volume: 1 };

describe('the days of a tape', () => {
  it('are those in which something ended; midnight belongs to the day before', () => {
    const bars = columnsOfBars([22, 23, 24, 100].map((hour) => ({ time: hour * HOUR, ...flat })));
    // closes at 23:00 and 24:00 of day 0, 01:00 of day 1, 101:00 = day 4
    expect([...tapeDays(new Tape([barSeries(id, HOUR, bars)]))]).toEqual([0, 1, 4]);
    expect([dayOf(DAY), dayOf(DAY + 1)]).toEqual([0, 1]);
  });

  it('are those of all series together, in order', () => {
    const bars = columnsOfBars([{ time: 49 * HOUR, ...flat }]);
    const at = Float64Array.of(8 * HOUR, 16 * HOUR, 24 * HOUR);
    const funding = rowSeries({
      kind: 'funding',
      instrument: id,
      length: 3,
      at,
      time: at,
      columns: [new Float64Array(3), new Float64Array(3)],
    });
    expect([...tapeDays(new Tape([barSeries(id, HOUR, bars), funding]))]).toEqual([0, 2]);
    // funding at 08:00 is before a stretch that begins then; nothing was recorded on the days between
    const tape = new Tape([barSeries(id, HOUR, bars), funding]);
    expect([...tapeDays(tape, { from: 24 * HOUR, to: 3 * DAY })]).toEqual([2]);
    expect([...tapeDays(tape, { from: 0, to: 24 * HOUR })]).toEqual([0]);
    expect([...tapeDays(tape, { from: 25 * HOUR, to: 49 * HOUR })]).toEqual([]);
  });
});
