import { columnOf, computeFeatures, requestOf } from '#features';
import type { BarColumns } from '#market';

/** The three lengths that the search of a model may choose; all others are frozen (sheet S1 RX68, sections 2 and 9). */
export interface S1Lengths {
  /** Of the RSI, 7 to 28. */
  readonly rsi: number;
  /** Of the average true range: as a feature, and as the measure of stop, target and labels. 7 to 28. */
  readonly atr: number;
  /** Bars of the longest log return, 5 to 60. */
  readonly momentum: number;
}

export const S1_LENGTHS: S1Lengths = { rsi: 14, atr: 14, momentum: 20 };

/** The lengths that a model was trained with, as its parameters have them; the sheet's own where they say nothing. */
export function s1LengthsOf(parameters: Readonly<Record<string, number | string>>): S1Lengths {
  const length = (name: keyof S1Lengths): number => {
    const value = parameters[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 2 && value <= 200
      ? value
      : S1_LENGTHS[name];
  };
  return { rsi: length('rsi'), atr: length('atr'), momentum: length('momentum') };
}

/** The 17 of the frozen features that bars alone give, with the expression of each (sheet S1 RX68, section 2). */
export function s1Indicators({ rsi, atr, momentum }: S1Lengths) {
  return {
    r1: 'logret:1',
    r5: 'logret:5',
    r20: `logret:${momentum}`,
    ret_z: 'logret_stats:20/z',
    body: 'candle/body',
    upper_wick: 'candle/upper',
    lower_wick: 'candle/lower',
    range_pct: 'candle/range',
    vol_ratio: 'volume_ratio:20',
    rsi14: `rsi:${rsi}`,
    atr_pct: `atr_rate:${atr}`,
    bb_pctb: 'bbands:20:2/pctb',
    bb_width: 'bbands:20:2/width',
    macd: 'macd_rate:12:26:9',
    macd_signal: 'macd_rate:12:26:9/signal',
    macd_hist: 'macd_rate:12:26:9/hist',
    vol_of_vol: 'vol_of_vol:20:20',
  } as const;
}

/** {@link s1Indicators} of the sheet's own lengths. */
export const S1_INDICATORS = s1Indicators(S1_LENGTHS);

export type S1Indicator = keyof typeof S1_INDICATORS;

/** A feature of the frozen list; `expression` null: it does not come from bars. */
export interface S1Feature {
  readonly name: string;
  readonly expression: string | null;
}

/** The frozen 18, in their order. A model and a scaler fitted on another list are not used. */
export const S1_FEATURES: readonly S1Feature[] = Object.freeze([
  ...Object.entries(S1_INDICATORS).map(([name, expression]) => ({ name, expression })),
  { name: 'funding_tilt', expression: null },
]);

export const S1_FEATURE_NAMES: readonly string[] = S1_FEATURES.map(({ name }) => name);

/** No signal before so many bars. */
export const S1_WARM_UP_BARS = 250;

const INDICATORS = Object.keys(S1_INDICATORS) as S1Indicator[];
const PCTB = INDICATORS.indexOf('bb_pctb');
const WIDTH = INDICATORS.indexOf('bb_width');
const TILT = INDICATORS.length;

/** Bands without width have no inside: the sheet's rule for a deviation of 0. */
const settled = (out: Float64Array): boolean => {
  if (out[WIDTH] === 0) out[PCTB] = 0;
  for (let k = 0; k <= TILT; k++) if (!Number.isFinite(out[k])) return false;
  return true;
};

/**
 * The one row builder, of training and trading alike: fills `out` (18) from the values of a bar and the funding tilt.
 * False where one of them is not defined yet; the row is then not to be used.
 */
export function fillS1Row(
  values: Readonly<Record<S1Indicator, number>>,
  fundingTilt: number,
  out: Float64Array,
): boolean {
  for (let k = 0; k < TILT; k++) out[k] = values[INDICATORS[k]!];
  out[TILT] = fundingTilt;
  return settled(out);
}

/** Rows of all bars, row-major with 18 columns, and the first one that may be used. */
export interface S1Rows {
  readonly rows: Float64Array;
  /** Bars before it are warm-up. */
  readonly first: number;
  /** 0 where a row is not to be used: warm-up, or a value that is not defined. */
  readonly usable: Uint8Array;
}

/**
 * {@link fillS1Row} for every bar. `fundingTilts` has one per bar, as of its close; null: no funding is known, so all are 0.
 * Equal to filling row by row while the bars stream in, bit for bit.
 */
export function s1Rows(
  bars: BarColumns,
  fundingTilts: ArrayLike<number> | null,
  lengths: S1Lengths = S1_LENGTHS,
): S1Rows {
  const width = S1_FEATURES.length;
  const expressions = Object.values(s1Indicators(lengths));
  const columns = computeFeatures(bars, [...new Set(expressions.map(requestOf))]);
  const inOrder = expressions.map((expression) => columns.get(columnOf(expression))!);
  const rows = new Float64Array(bars.length * width);
  const usable = new Uint8Array(bars.length);
  const first = S1_WARM_UP_BARS - 1;
  for (let i = 0; i < bars.length; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    for (let k = 0; k < TILT; k++) row[k] = inOrder[k]![i]!;
    row[TILT] = fundingTilts === null ? 0 : fundingTilts[i]!;
    usable[i] = settled(row) && i >= first ? 1 : 0;
  }
  return { rows, first, usable };
}
