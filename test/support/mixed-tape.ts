import { barSeries, depthSeries, rowSeries, Tape } from '#adapters';
import { columnsOfBars, type InstrumentId } from '#market';

/** Three hourly bars at these prices, two rows of funding and two of depth of one instrument. */
export function mixedTape(id: InstrumentId, prices: readonly [number, number, number]): Tape {
  const bars = prices.map((price, i) => ({
    time: i * 3_600_000,
    open: price,
    high: price + 1,
    low: price - 0.5,
    close: price + 0.5,
    volume: i,
  }));
  const at = Float64Array.of(1, 2);
  const rates = [Float64Array.of(0.1, -0.2), Float64Array.of(Number.NaN, 3)];
  const changes = [
    { snapshot: true, bids: [[1, 2]] as const, asks: [] },
    { snapshot: false, bids: [], asks: [[3, 4]] as const },
  ];
  return new Tape([
    barSeries(id, 3_600_000, columnsOfBars(bars)),
    rowSeries({ kind: 'funding', instrument: id, length: 2, at, time: at, columns: rates }),
    depthSeries({ instrument: id, at, time: at, changes, breaks: 0, files: [] }),
  ]);
}
