export { IndicatorsSync } from '@ixjb94/indicators';
export * from 'trading-signals';

export interface Candle {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}
