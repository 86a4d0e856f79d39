export type Regime = 'TREND_UP' | 'TREND_DOWN' | 'RANGE' | 'CHOP' | 'VOLATILE';

export interface RegimeThresholds {
  /** Annualised Garman-Klass volatility above which the market is VOLATILE. */
  readonly volatileAbove: number;
  /** Splits RANGE (at most) from CHOP (above). */
  readonly chopAbove: number;
  /** ADX above which a trend begins. */
  readonly trendAbove: number;
  /** ADX below which a trend has ended; from here to `trendAbove` a trend is kept while its averages stay in order. */
  readonly trendEndsBelow: number;
  /** Candles in a row a new regime must be seen before it counts; VOLATILE counts at once. */
  readonly holdCandles: number;
  readonly multipliers: Readonly<Record<Regime, number>>;
  readonly multiplierMin: number;
  readonly multiplierMax: number;
}

export const standardRegimeThresholds: RegimeThresholds = {
  volatileAbove: 0.8,
  chopAbove: 0.5,
  trendAbove: 30,
  trendEndsBelow: 20,
  holdCandles: 2,
  multipliers: { TREND_UP: 1.3, TREND_DOWN: 1.3, RANGE: 0.8, CHOP: 0.4, VOLATILE: 0.3 },
  multiplierMin: 0.3,
  multiplierMax: 1.5,
};

export interface RegimeState {
  readonly regime: Regime;
  /** 0..1, of the regime in force with the newest inputs. */
  readonly confidence: number;
  /** The regime in force changed with this candle; true for the first one. */
  readonly changed: boolean;
  /** Factor on the size of new entries. */
  readonly multiplier: number;
}

/**
 * Market regime from volatility, trend strength and the order of three averages. The first match decides:
 * VOLATILE; strong ADX with ordered averages is a trend, with mixed ones RANGE or CHOP; weak ADX is RANGE or CHOP;
 * in between a running trend is kept while its averages stay in order. A change must be seen for `holdCandles`
 * candles in a row, except to VOLATILE. The very first regime counts at once.
 */
export class RegimeDetector {
  static readonly configuration = ['thresholds'];
  readonly thresholds: RegimeThresholds;
  private regime: Regime | null = null;
  private candidate: Regime | null = null;
  private candles = 0;
  private confidence = 0;

  constructor(thresholds: Partial<RegimeThresholds> = {}) {
    this.thresholds = { ...standardRegimeThresholds, ...thresholds };
  }

  /**
   * Takes in one closed candle. `gkAnnual` is an annualised fraction, `adx` 0..100. When an input is not defined the
   * state stays as it was; null while there has been none.
   */
  update(gkAnnual: number, adx: number, e9: number, e20: number, e50: number): RegimeState | null {
    if (!Number.isFinite(gkAnnual + adx + e9 + e20 + e50)) {
      return this.regime === null ? null : this.state(this.regime, false);
    }
    const before = this.regime;
    const now = this.advance(gkAnnual, adx, e9, e20, e50)!;
    this.confidence = this.confidenceOf(now, gkAnnual, adx);
    return this.state(now, now !== before);
  }

  /** {@link update} for who wants the name of the regime only. */
  advance(gkAnnual: number, adx: number, e9: number, e20: number, e50: number): Regime | null {
    if (!Number.isFinite(gkAnnual + adx + e9 + e20 + e50)) return this.regime;
    this.regime = this.accept(this.classify(gkAnnual, adx, e9, e20, e50), this.regime);
    return this.regime;
  }

  private classify(gk: number, adx: number, e9: number, e20: number, e50: number): Regime {
    const { volatileAbove, chopAbove, trendAbove, trendEndsBelow } = this.thresholds;
    if (gk > volatileAbove) return 'VOLATILE';
    const order: Regime | null =
      e9 > e20 && e20 > e50 ? 'TREND_UP' : e9 < e20 && e20 < e50 ? 'TREND_DOWN' : null;
    if (order !== null) {
      if (adx > trendAbove) return order;
      if (adx >= trendEndsBelow && order === this.regime) return order;
    }
    return gk > chopAbove ? 'CHOP' : 'RANGE';
  }

  private accept(seen: Regime, before: Regime | null): Regime {
    if (before === null || seen === before || seen === 'VOLATILE') {
      this.candidate = null;
      this.candles = 0;
      return seen;
    }
    this.candles = seen === this.candidate ? this.candles + 1 : 1;
    this.candidate = seen;
    if (this.candles < this.thresholds.holdCandles) return before;
    this.candidate = null;
    this.candles = 0;
    return seen;
  }

  private confidenceOf(regime: Regime, gk: number, adx: number): number {
    const { volatileAbove, trendAbove, trendEndsBelow } = this.thresholds;
    switch (regime) {
      case 'TREND_UP':
      case 'TREND_DOWN':
        return unit(0.5 + (adx - trendAbove) / 40);
      case 'RANGE':
      case 'CHOP':
        return unit(0.5 + (trendEndsBelow - adx) / 20);
      case 'VOLATILE':
        return unit(0.5 + (gk - volatileAbove));
    }
  }

  private state(regime: Regime, changed: boolean): RegimeState {
    const { multipliers, multiplierMin, multiplierMax } = this.thresholds;
    const multiplier = Math.min(multiplierMax, Math.max(multiplierMin, multipliers[regime]));
    return { regime, confidence: this.confidence, changed, multiplier };
  }
}

function unit(x: number): number {
  return Math.min(1, Math.max(0, x));
}
