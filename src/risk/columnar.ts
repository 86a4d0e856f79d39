import { Descriptions } from '#base';
import type { StopRule } from './sizers/stop-rule.ts';

/** What a built-in sizer does, as data: research plays such rules over whole columns. */
export type ColumnarSizer = {
  readonly leverage: number;
  readonly stop: StopRule | null;
} & (
  | { readonly kind: 'fixed-units'; readonly units: number }
  /** `notionalMax`: largest notional in equities; null is no cap. */
  | { readonly kind: 'fixed-fraction'; readonly risk: number; readonly notionalMax: number | null }
  | { readonly kind: 'all-in'; readonly share: number }
  | { readonly kind: 'volatility-target'; readonly target: number; readonly feature: string }
);

/** The same of a built-in exit. Distances and times are those without a regime. */
export type ColumnarExit =
  | { readonly kind: 'stop-loss' }
  | { readonly kind: 'take-profit' }
  | { readonly kind: 'trailing'; readonly distance: number }
  | { readonly kind: 'time'; readonly longestMs: number };

/** The sizers and exits of this room whose rule is known. */
export const columnarSizers = new Descriptions<ColumnarSizer>();
export const columnarExits = new Descriptions<ColumnarExit>();
