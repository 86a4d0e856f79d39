import { computeFeatures, parseFeature } from '#features';
import type { BarColumns } from '#market';
import type { PeerBars, Row } from './indicator-table.ts';
import type { IndicatorsSync } from './peers.ts';

/** Rows at the end that are compared: differently seeded averages have met by then. */
const COMPARED = 5_000;
const TOLERANCE = 1e-8;

export interface Compared {
  readonly peer: 'signals' | 'arrays';
  /** Largest difference, relative to the value where it is above 1; 0 when not compared. */
  readonly difference: number;
  /** Why there was no comparison, or null. */
  readonly note: string | null;
}

/** Our values beside each peer's. Throws when conventions are said to agree and values do not. */
export function worstDifference(row: Row, bars: BarColumns, peer: PeerBars, ix: IndicatorsSync): Compared[] {
  const results: Compared[] = [];
  const { signals, arrays } = row;
  if (signals !== undefined) {
    const inputs = (signals.input === 'close' ? peer.close : peer.candles) as readonly never[];
    const pick = signals.pick ?? ((result: never) => result as number);
    const values = signals
      .make()
      .updates(inputs, false)
      .map((result) => (result === null ? Number.NaN : pick(result as never)));
    results.push(compare('signals', row, signals, bars, values));
  }
  if (arrays !== undefined) {
    const result = arrays.run(ix, peer);
    const values = arrays.pick === undefined ? (result as number[]) : arrays.pick(result as never);
    results.push(compare('arrays', row, arrays, bars, values));
  }
  return results;
}

function compare(
  peer: Compared['peer'],
  row: Row,
  agreement: NonNullable<Row['signals'] | Row['arrays']>,
  bars: BarColumns,
  theirs: readonly number[],
): Compared {
  if (agreement.differs !== undefined) return { peer, difference: 0, note: agreement.differs };
  const { columns, definition } = parseFeature(row.request);
  const at = definition.outputs.findIndex((output) => output.suffix === (agreement.column ?? ''));
  const ours = computeFeatures(bars, [row.request]).get(columns[at]!)!;
  const scale = agreement.ours ?? ((value: number) => value);
  // their arrays leave out what is not defined: both end at the same bar
  const shift = theirs.length - bars.length;
  const first = bars.length - COMPARED;
  const base = agreement.changes ? [scale(ours[first]!), theirs[first + shift]!] : [0, 0];
  let difference = 0;
  for (let i = first; i < bars.length; i++) {
    const a = scale(ours[i]!) - base[0]!;
    const b = theirs[i + shift]! - base[1]!;
    const apart = Math.abs(a - b) / Math.max(1, Math.abs(b));
    if (!(apart <= TOLERANCE)) throw new Error(`${row.request} and ${peer}: ${a} against ${b} at bar ${i}`);
    difference = Math.max(difference, apart);
  }
  return { peer, difference, note: null };
}
