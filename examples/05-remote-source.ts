// A source that asks somebody outside (a model, a person, a web search) and waits. The question leaves as a command, the
// answer comes back as an event and is journaled; a late or malformed answer is silence, never a guess.
// npx quorum backtest examples/05-remote-source.ts --bars examples/bars/ALFA-15m.csv --answers examples/bars/mood.jsonl
import { DAY, defineDesk, fixedUnits, remoteSource, SECOND, single, timeExit, z } from 'quorum';

const answerSchema = z.strictObject({ up: z.number().min(0).max(1) });

/** Asks once a day, on the first bar of the day, whether the next day goes up. */
const mood = remoteSource({
  name: 'mood',
  emits: 'forecast',
  features: { rsi: 'rsi:14' },
  timeoutMs: 30 * SECOND,
  // plain data, one per instrument, kept in snapshots
  state: () => ({ day: -1 }),
  ask: (view, { rsi }, state) => {
    const day = Math.floor(view.at / DAY);
    if (day === state.day || !Number.isFinite(rsi)) return null;
    state.day = day;
    // the prompt is data; the adapter that answers puts it into words
    return {
      topic: 'mood',
      prompt: { symbol: view.instrument.symbol, date: new Date(day * DAY).toISOString().slice(0, 10) },
    };
  },
  read: (_view, answer) => {
    const read = answerSchema.safeParse(answer);
    if (!read.success) return null;
    return {
      kind: 'forecast',
      source: 'mood',
      claim: 'up-at-horizon',
      probability: read.data.up,
      horizonMs: DAY,
    };
  },
});

export default defineDesk({
  name: 'remote-source',
  summary: 'follows a daily forecast that comes from outside',
  parameters: z.strictObject({ least: z.number().min(0.5).max(1).default(0.6) }).prefault({}),
  build: ({ least }) => ({
    interval: 'tape',
    warmUpBars: 200, // RSI(14) takes so long to forget where the bars began
    sources: [mood],
    pooling: single({ takes: 'forecast', enterFrom: least }),
    sizer: fixedUnits(500),
    exits: [timeExit({ longestMs: {}, otherwiseMs: DAY / 2 })],
    shorts: true,
    simulation: { cash: 100_000, feeBps: 2, participation: null },
  }),
});
