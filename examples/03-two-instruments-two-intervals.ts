// Two instruments, two intervals: trades each on 15-minute pullbacks, but only with the 4-hour trend of the other.
// npx quorum backtest examples/03-two-instruments-two-intervals.ts --bars examples/bars/ALFA-15m.csv examples/bars/BETA-15m.csv
import { allIn, defineDesk, HOUR, type InstrumentId, single, source, timeExit, z } from 'quorum';

const ALFA = 'ALFA.LOCAL' as InstrumentId;
const BETA = 'BETA.LOCAL' as InstrumentId;

/** Buys a dip when the other instrument's 4-hour EMA(5) lies above its EMA(12). */
const pullback = source({
  name: 'pullback',
  emits: 'score',
  // every frame of the desk, also the 4-hour ones, has these columns
  features: { rsi: 'rsi:10', fast: 'ema:5', slow: 'ema:12' },
  signal: (view, { rsi }) => {
    const other = view.peer(view.instrument.id === ALFA ? BETA : ALFA, 4 * HOUR);
    if (other === null || !(rsi < 35)) return null;
    const trend = other.value(other.column('ema_5')) - other.value(other.column('ema_12'));
    // NaN, while the 4-hour averages are not defined, is not above 0
    if (!(trend > 0)) return null;
    return { kind: 'score', source: 'pullback', value: 1, confidence: (50 - rsi) / 50, horizonMs: 4 * HOUR };
  },
});

export default defineDesk({
  name: 'two-intervals',
  summary: '15-minute pullbacks with the 4-hour trend of the other instrument',
  parameters: z.strictObject({ share: z.number().positive().max(0.5).default(0.4) }).prefault({}),
  build: ({ share }) => ({
    interval: '15m',
    otherIntervals: ['4h'],
    instruments: [ALFA, BETA],
    warmUpBars: 800, // in 15-minute bars: EMA(12) of 4 hours needs 48 of its own to settle
    sources: [pullback],
    pooling: single(),
    sizer: allIn(share),
    exits: [timeExit({ longestMs: {}, otherwiseMs: 4 * HOUR })],
    // when both call in one slice, the more confident one goes
    entriesPerSlice: 1,
    shorts: false,
    simulation: { cash: 100_000, feeBps: 2, participation: null },
  }),
});
