import { Descriptions } from '#base';
import type { Zone } from './rules/threshold.ts';

/** What a built-in source does, as data: research plays such rules over whole columns. Features are expressions. */
export type ColumnarSource =
  | { readonly kind: 'cross'; readonly fast: string; readonly slow: string }
  | {
      readonly kind: 'threshold';
      readonly feature: string;
      readonly long: Zone | null;
      readonly short: Zone | null;
      readonly when: 'entering' | 'inside';
    }
  | { readonly kind: 'breakout'; readonly bars: number }
  /** By the open times of bars, ascending; 1, -1 or 0 for each. */
  | { readonly kind: 'series'; readonly times: Float64Array; readonly directions: Int8Array };

/** The sources of this room whose rule is known. */
export const columnarSources = new Descriptions<ColumnarSource>();
