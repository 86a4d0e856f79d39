import { barColumns } from '#market';
import type { FeatureDefinition } from './kernel.ts';
import { parseFeature } from './registry.ts';

/**
 * How many of the newest bars must have a known volume for these features to rest on known volumes; 0 when none looks at the
 * volume. A feature whose memory is not stated takes `otherwise`.
 */
export function volumeReach(requests: readonly string[], otherwise: number): number {
  let reach = 0;
  for (const text of requests) {
    const { definition, parameters } = parseFeature(text);
    if (!looksAtVolume(definition, parameters)) continue;
    reach = Math.max(reach, definition.volumeBars?.(parameters) ?? otherwise);
  }
  return reach;
}

/** Found out by running it: what a desk file defines for itself need not say so. */
function looksAtVolume(definition: FeatureDefinition, parameters: readonly number[]): boolean {
  const rows = definition.firstRow(parameters) + 2;
  const bars = barColumns(rows);
  for (let i = 0; i < rows; i++) {
    bars.time[i] = i * 60_000;
    for (const column of [bars.open, bars.high, bars.low, bars.close]) column[i] = 100 + (i % 7);
    bars.high[i]! += 1;
    bars.low[i]! -= 1;
    bars.volume[i] = 1;
  }
  bars.length = rows;
  let looked = false;
  const watched = {
    ...bars,
    get volume() {
      looked = true;
      return bars.volume;
    },
  };
  const out = definition.outputs.map(() => new Float64Array(rows));
  definition.create(parameters).run(watched, out, 0, rows);
  return looked;
}
