import type { BarColumns, Instrument } from '#market';
import type { S1Lengths } from '#signals';

/** What the desk's gates and plans ask for: handed in by whoever knows the desk. */
export interface ColdRules {
  /** Stop and target in average true ranges; the labels' barriers are the same. */
  readonly stopAtr: number;
  readonly targetAtr: number;
  /** The time stop, and the labels' vertical barrier. */
  readonly verticalBars: number;
  /** What P(direction) must reach, and by how much it must lead its opposite. */
  readonly probabilityMin: number;
  readonly leadMin: number;
  /** Weights of regime strength, probability and news in the score, and what the score must reach. */
  readonly regimeWeight: number;
  readonly modelWeight: number;
  readonly newsWeight: number;
  readonly scoreMin: number;
  /** Share of equity at risk to the stop, and the largest notional in equities. */
  readonly risk: number;
  readonly notionalMax: number;
  /** Largest share of a bar's volume that an order may take; null is no cap. */
  readonly participation: number | null;
}

/** What a run pays and begins with. */
export interface ColdCosts {
  /** Minor units of the settlement currency. */
  readonly cash: number;
  readonly feeRate: number;
  readonly slippageRate: number;
}

/** Funding that fell due: in order of time, as a share of the position's worth, positive paid by longs. */
export interface ColdFunding {
  readonly times: ArrayLike<number>;
  readonly rates: ArrayLike<number>;
}

/** What the news gate says at each bar's close. */
export interface ColdNews {
  /** S of the asset; 0 where nothing is known. */
  readonly score: Float64Array;
  /** 1: it stops longs; 2: shorts; 3: both. */
  readonly stops: Uint8Array;
  /** 1: stops of open positions are drawn in to half their distance. */
  readonly halves: Uint8Array;
  /** 0: nothing usable is known, and every entry is stopped. */
  readonly known: Uint8Array;
}

/** One configuration's market, whole: what windows are cut from. */
export interface ColdData {
  readonly instrument: Instrument;
  readonly intervalMs: number;
  readonly bars: BarColumns;
  /** Per bar, as of its close; null: no funding is known. */
  readonly fundingTilts: Float64Array | null;
  /** What positions pay; null: nothing is known, nothing is paid. */
  readonly funding: ColdFunding | null;
  /** The regime gate per bar: 1 bull, -1 bear, 0 flat or unknown; and how strong it is, 0..1. */
  readonly regime: Int8Array;
  readonly regimeStrength: Float64Array;
  /** Null: there is no news gate, and the weights of the others are scaled up. */
  readonly news: ColdNews | null;
}

/** One point of the search: lengths of features, and how the trees are grown. */
export interface ColdPoint extends S1Lengths {
  readonly maxDepth: number;
  readonly eta: number;
  readonly minChildWeight: number;
  readonly subsample: number;
  readonly rounds: number;
}

/** Bars [from, to) of a series. */
export interface BarRange {
  readonly from: number;
  readonly to: number;
}
