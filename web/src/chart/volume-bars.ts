import type { BarStore } from './bar-store.ts';
import { Painted, type PaintTarget } from './painted.ts';
import type { Span } from './span.ts';

/** Share of the pane that the highest volume on the screen takes. */
const HEIGHT = 0.18;

/** Volume at the foot of the candles, as high as the screen needs. */
export class VolumeBars extends Painted {
  private readonly store: BarStore;
  private span: Span = { start: 0, end: 0 };
  private up = '';
  private down = '';

  constructor(store: BarStore) {
    super('bottom');
    this.store = store;
  }

  show(span: Span, up: string, down: string): void {
    this.span = span;
    this.up = up;
    this.down = down;
    this.again();
  }

  protected paint(target: PaintTarget): void {
    const { start, end } = this.span;
    const seen = this.seen(end - start);
    if (!seen) return;
    let most = 0;
    for (let i = seen.from; i < seen.to; i += 1) most = Math.max(most, this.store.volumeAt(start + i));
    if (most === 0) return;
    target.useMediaCoordinateSpace(({ context, mediaSize: { height } }) => {
      const width = Math.max(1, seen.spacing * 0.8);
      context.globalAlpha = 0.4;
      // One colour after the other: changing it for every bar costs more than the bars.
      for (const rising of [true, false]) {
        context.fillStyle = rising ? this.up : this.down;
        context.beginPath();
        for (let i = seen.from; i < seen.to; i += 1) {
          if (this.store.rose(start + i) !== rising) continue;
          const tall = (this.store.volumeAt(start + i) / most) * height * HEIGHT;
          context.rect(seen.left + (i - seen.from) * seen.spacing - width / 2, height - tall, width, tall);
        }
        context.fill();
      }
      context.globalAlpha = 1;
    });
  }
}
