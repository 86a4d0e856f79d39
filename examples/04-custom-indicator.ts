// An indicator of one's own: Kaufman's efficiency ratio, |move over n bars| / sum of the |moves| (Trading Systems and
// Methods, 1995). Once defined, `efficiency:20` serves in every expression: sources, gates, sizers and exits.
// npx quorum backtest examples/04-custom-indicator.ts --bars examples/bars/ALFA-15m.csv
import { allIn, type BarColumns, defineDesk, defineFeature, type Kernel, single, source, z } from 'quorum';

/** Row i reads bars i-n..i and nothing later, so the same code serves the loop bar by bar and research in batch. */
class Efficiency implements Kernel {
  readonly lookback: number;
  private seen = 0;
  constructor(n: number) {
    this.lookback = n;
  }
  run({ close }: BarColumns, out: readonly Float64Array[], from: number, to: number): void {
    const n = this.lookback;
    for (let i = from; i < to; i++) {
      this.seen += 1;
      let path = 0;
      for (let j = i - n + 1; this.seen > n && j <= i; j++) path += Math.abs(close[j]! - close[j - 1]!);
      // not defined before n moves, nor when nothing moved
      out[0]![i] = path > 0 ? Math.abs(close[i]! - close[i - n]!) / path : Number.NaN;
    }
  }
}

defineFeature({
  name: 'efficiency',
  summary: "Kaufman's efficiency ratio of the close",
  parameters: [{ name: 'bars', kind: 'integer', default: 10, min: 2, max: 500 }],
  outputs: [{ suffix: '', unit: 'ratio' }],
  source: 'Kaufman 1995',
  firstRow: ([n]) => n!,
  create: ([n]) => new Efficiency(n!),
});

export default defineDesk({
  name: 'custom-indicator',
  parameters: z.strictObject({ least: z.number().min(0).max(1).default(0.5) }).prefault({}),
  build: ({ least }) => ({
    interval: 'tape',
    warmUpBars: 40,
    sources: [
      source({
        name: 'efficient',
        features: { ratio: 'efficiency:20', mean: 'sma:20' },
        signal: ({ close, intervalMs }, { ratio, mean }) => {
          if (!(ratio >= least)) return null;
          const value = close > mean ? 1 : -1;
          return { kind: 'score', source: 'efficient', value, horizonMs: 20 * intervalMs };
        },
      }),
    ],
    pooling: single(),
    sizer: allIn(0.5),
    opposite: 'reverse',
    simulation: { cash: 100_000, feeBps: 2, participation: null },
  }),
});
