import type { Logical } from 'lightweight-charts';
import { Painted, type PaintTarget } from './painted.ts';

/** A band between two bars (indexes in the drawn stretch). */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly fill: string;
  readonly ink: string;
}

const STRIP = 4;
const LABEL_ROOM = 8;

/** Paints the regimes behind the candles: a pale field, a strip at the top and the name where it has room. */
export class RegimeBands extends Painted {
  private bands: readonly Band[] = [];

  constructor() {
    super('bottom');
  }

  show(bands: readonly Band[]): void {
    this.bands = bands;
    this.again();
  }

  protected paint(target: PaintTarget): void {
    const scale = this.chart?.timeScale();
    if (!scale) return;
    const half = scale.options().barSpacing / 2;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.font = '11px system-ui, sans-serif';
      context.textBaseline = 'top';
      for (const band of this.bands) {
        const left = scale.logicalToCoordinate(band.from as Logical);
        const right = scale.logicalToCoordinate(band.to as Logical);
        if (left === null || right === null) continue;
        const x = Math.max(0, left - half);
        const width = Math.min(mediaSize.width, right + half) - x;
        if (width <= 0) continue;
        context.globalAlpha = 0.1;
        context.fillStyle = band.fill;
        context.fillRect(x, 0, width, mediaSize.height);
        context.globalAlpha = 0.9;
        context.fillRect(x, 0, width, STRIP);
        if (context.measureText(band.label).width + LABEL_ROOM < width) {
          context.fillStyle = band.ink;
          context.fillText(band.label, x + LABEL_ROOM / 2, STRIP + 3);
        }
        context.globalAlpha = 1;
      }
    });
  }
}
