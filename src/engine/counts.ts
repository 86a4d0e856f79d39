/** What happened in a run, counted by name: goes to `summary.json` and the status line. */
export class Counts {
  bars = 0;
  slices = 0;
  /** Decisions whose pooling rule wanted to enter, before gates. */
  entriesConsidered = 0;
  orders = 0;
  fills = 0;
  trades = 0;
  shadowTrades = 0;
  reviews = 0;
  questions = 0;
  readonly signalsBySource = new Map<string, number>();
  /** Signals that could not be used (no number, out of range, a second answer) and were dropped. */
  readonly malformedBySource = new Map<string, number>();
  readonly objectionsByGate = new Map<string, number>();
  readonly refusalsByLimit = new Map<string, number>();
  readonly reductionsByLimit = new Map<string, number>();
  readonly safetyByLayer = new Map<string, number>();
  readonly exitsByKind = new Map<string, number>();
  readonly sizeCuts = new Map<string, number>();
  readonly breakerStates = new Map<string, number>();
  readonly legPlans = new Map<string, number>();
  readonly edges = new Map<string, number>();
  /** Times each regime began, over all instruments. */
  readonly regimes = new Map<string, number>();
  readonly barsRefused = new Map<string, number>();
  readonly ledgerFaults = new Map<string, number>();
  readonly ordersRejected = new Map<string, number>();
  readonly missingBars = new Map<string, number>();
}

/** Names counted one by one; a venue words its reasons as it likes, so what comes beyond is `other`. */
const NAMES_MAX = 256;

/** One more of `name`. */
export function tally(map: Map<string, number>, name: string): void {
  const known = map.get(name);
  if (known !== undefined || map.size < NAMES_MAX) map.set(name, (known ?? 0) + 1);
  else map.set('other', (map.get('other') ?? 0) + 1);
}

/** Counters as a plain object with sorted names. */
export function countsAsData(counts: Counts): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(counts)) {
    out[key] =
      value instanceof Map
        ? Object.fromEntries([...value].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
        : value;
  }
  return out;
}
