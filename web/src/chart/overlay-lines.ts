import type { AutoscaleInfo, Logical } from 'lightweight-charts';
import type { BarStore } from './bar-store.ts';
import { Painted, type PaintTarget } from './painted.ts';
import type { Span } from './span.ts';

export interface OverlayLine {
  readonly column: string;
  readonly color: string;
  /** Lengths of strokes and gaps; empty: drawn through. */
  readonly dash: readonly number[];
}

/** Indicators at the level of the price, over the candles. */
export class OverlayLines extends Painted {
  private readonly store: BarStore;
  private span: Span = { start: 0, end: 0 };
  private lines: readonly OverlayLine[] = [];

  constructor(store: BarStore) {
    super('normal');
    this.store = store;
  }

  show(span: Span, lines: readonly OverlayLine[]): void {
    this.span = span;
    this.lines = lines;
    this.again();
  }

  override autoscaleInfo(from: Logical, to: Logical): AutoscaleInfo | null {
    const { start, end } = this.span;
    const [first, last] = [
      Math.max(start, start + Math.floor(from)),
      Math.min(end, start + Math.ceil(to) + 1),
    ];
    let minValue = Number.POSITIVE_INFINITY;
    let maxValue = Number.NEGATIVE_INFINITY;
    for (const { column } of this.lines) {
      for (let i = first; i < last; i += 1) {
        const value = this.store.lineAt(column, i);
        if (value < minValue) minValue = value;
        if (value > maxValue) maxValue = value;
      }
    }
    return minValue > maxValue ? null : { priceRange: { minValue, maxValue } };
  }

  protected paint(target: PaintTarget): void {
    const { start, end } = this.span;
    const { series } = this;
    const seen = this.seen(end - start);
    if (!seen || !series || this.lines.length === 0) return;
    target.useMediaCoordinateSpace(({ context }) => {
      context.lineWidth = 2;
      context.lineJoin = 'round';
      for (const line of this.lines) {
        context.strokeStyle = line.color;
        context.setLineDash([...line.dash]);
        context.beginPath();
        let down = false;
        for (let i = seen.from; i < seen.to; i += 1) {
          const value = this.store.lineAt(line.column, start + i);
          const y = Number.isNaN(value) ? null : series.priceToCoordinate(value);
          if (y === null) {
            down = false;
            continue;
          }
          const x = seen.left + (i - seen.from) * seen.spacing;
          if (down) context.lineTo(x, y);
          else context.moveTo(x, y);
          down = true;
        }
        context.stroke();
      }
      context.setLineDash([]);
    });
  }
}
