import { MINUTE } from '#base';

export const S1_SYMBOLS = ['BTC', 'ETH', 'SOL', 'XRP'] as const;
export type S1Symbol = (typeof S1_SYMBOLS)[number];

/** What a length of bars decides (sheet S1 RX68, sections 3, 4, 7 and 9). */
interface Timeframe {
  readonly minutes: number;
  /** Bars until the vertical barrier: the label's, and the trade's time stop. */
  readonly barrierBars: number;
  readonly scoreMin: number;
  /** Largest drawdown: the band of the promotion gate, above which the kill switch trips. */
  readonly drawdownMax: number;
  /** Days of one training window. */
  readonly trainDays: number;
}

export const S1_TIMEFRAMES = {
  '1M': { minutes: 1, barrierBars: 30, scoreMin: 0.65, drawdownMax: 0.1, trainDays: 14 },
  '3M': { minutes: 3, barrierBars: 20, scoreMin: 0.62, drawdownMax: 0.12, trainDays: 30 },
  '5M': { minutes: 5, barrierBars: 18, scoreMin: 0.6, drawdownMax: 0.15, trainDays: 30 },
  '15M': { minutes: 15, barrierBars: 12, scoreMin: 0.58, drawdownMax: 0.2, trainDays: 30 },
} as const satisfies Record<string, Timeframe>;
export type S1Timeframe = keyof typeof S1_TIMEFRAMES;

/** One of the sixteen. */
export interface S1Config extends Timeframe {
  /** `S1_RX68_BTC_15M`: the id in webhooks, models and stores. */
  readonly id: string;
  /** `s1-rx68-btc-15m`: its desk in books. */
  readonly desk: string;
  /** `s1.rx68.btc.15m` */
  readonly stream: string;
  readonly symbol: S1Symbol;
  readonly timeframe: S1Timeframe;
  /** `15m` */
  readonly interval: string;
  readonly intervalMs: number;
}

export function s1Config(symbol: S1Symbol, timeframe: S1Timeframe): S1Config {
  const own = S1_TIMEFRAMES[timeframe];
  const id = `S1_RX68_${symbol}_${timeframe}`;
  return {
    id,
    desk: id.toLowerCase().replaceAll('_', '-'),
    stream: id.toLowerCase().replaceAll('_', '.'),
    symbol,
    timeframe,
    interval: `${own.minutes}m`,
    intervalMs: own.minutes * MINUTE,
    ...own,
  };
}

/** The sixteen: four symbols by four lengths of bars. */
export const S1_CONFIGS: readonly S1Config[] = S1_SYMBOLS.flatMap((symbol) =>
  (Object.keys(S1_TIMEFRAMES) as S1Timeframe[]).map((timeframe) => s1Config(symbol, timeframe)),
);

/** The instrument of a symbol where nobody names another. */
export const s1Instrument = (symbol: S1Symbol): string => `${symbol}USDT.BINANCE-USDM`;
