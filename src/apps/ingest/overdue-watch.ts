import type { BarStore, FeedClock } from '#adapters';
import { DAY, floorTo, formatInstant } from '#base';
import type { BarIntake } from './bar-intake.ts';
import type { GapFiller } from './gap-filler.ts';
import type { Series } from './series.ts';

export interface OverdueRules {
  /** How long after its close a bar is waited for before somebody else is asked for it. */
  readonly overdueMs: number;
  readonly everyMs: number;
  /** Bars looked up at once. */
  readonly barsMost: number;
  /** Holes behind which bars were released are tried again so often, as far back. */
  readonly repairEveryMs: number;
  readonly repairMs: number;
  /** Bars older than this are forgotten; null: never. */
  readonly keepMs: number | null;
}

export const OVERDUE_RULES: OverdueRules = {
  overdueMs: 45_000,
  everyMs: 15_000,
  barsMost: 4_000,
  repairEveryMs: 600_000,
  repairMs: 6 * 3_600_000,
  keepMs: null,
};

const LEASE = 'overdue';
const WAIT_MS = 30_000;

/**
 * Looks after what no webhook will start: bars that were never told while no later one shows it, holes that could not be
 * filled in time, and what is too old to be kept. Of several processes one does this at a time.
 */
export class OverdueWatch {
  private readonly options: {
    readonly store: BarStore;
    readonly series: readonly Series[];
    readonly filler: GapFiller;
    readonly intake: BarIntake;
    readonly clock: FeedClock;
    readonly rules: OverdueRules;
    /** Names this process. */
    readonly holder: string;
    readonly say: (line: string) => void;
  };
  /** What was last said of a config that stays without bars, and until when it is not said again. */
  private readonly said = new Map<string, { readonly why: string; readonly until: number }>();
  private repairAt = 0;
  private forgetAt = 0;

  constructor(options: OverdueWatch['options']) {
    this.options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, rules, holder, say } = this.options;
    while (!signal.aborted) {
      await clock.wait(rules.everyMs, signal).catch(() => undefined);
      if (signal.aborted) break;
      try {
        const now = clock.now();
        if (await store.lease(LEASE, holder, now, now + 3 * rules.everyMs)) await this.look(signal);
      } catch (cause) {
        say(`bars that are overdue were not looked for: ${(cause as Error).message}`);
      }
    }
    await store.release(LEASE, holder).catch(() => undefined);
  }

  /** One look at everything. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, rules, series, store, say } = this.options;
    const now = clock.now();
    // all at once: one call of the provider serves several
    await Promise.all(series.map((one) => this.fillEnd(one)));
    if (now >= this.repairAt && !signal.aborted) {
      this.repairAt = now + rules.repairEveryMs;
      await Promise.all(series.map((one) => this.repair(one)));
    }
    if (rules.keepMs !== null && now >= this.forgetAt) {
      this.forgetAt = now + DAY;
      const forgotten = await store.retain(now - rules.keepMs);
      if (forgotten > 0)
        say(`${forgotten} bars from before ${formatInstant(now - rules.keepMs)} were forgotten`);
    }
  }

  private async fillEnd(series: Series): Promise<void> {
    const { store, filler, intake, clock, rules, say } = this.options;
    if (!filler.canFind(series)) return;
    const last = await store.lastBar(series.id);
    // of a config that was never told nobody knows whether it is meant to be
    if (last === null) return;
    const { intervalMs } = series;
    const from = last.time + intervalMs;
    const to = floorTo(clock.now() - rules.overdueMs, intervalMs);
    if (to <= from) return;
    const end = Math.min(to, from + rules.barsMost * intervalMs);
    const { bars, why } = await filler.find(series, from, end, WAIT_MS);
    const filled = await intake.backfill(series, from, bars);
    if (filled > 0) say(`${series.id}: ${filled} bars that were not told were looked up`);
    else if (why !== null) this.complain(series.id, why, last.time);
  }

  private complain(config: string, why: string, since: number): void {
    const { clock, rules, say } = this.options;
    const before = this.said.get(config);
    if (before !== undefined && before.why === why && clock.now() < before.until) return;
    this.said.set(config, { why, until: clock.now() + rules.repairEveryMs });
    say(`${config}: no bar since ${formatInstant(since)}, and ${why}`);
  }

  private async repair(series: Series): Promise<void> {
    const { store, filler, intake, clock, rules, say } = this.options;
    const last = await store.lastBar(series.id);
    if (last === null || !filler.canFind(series)) return;
    const since = Math.ceil((clock.now() - rules.repairMs) / series.intervalMs) * series.intervalMs;
    const isFirst = (await store.newest(series.id, 1, since)).length === 0;
    for (const gap of await store.gaps(series.id, series.intervalMs, since, last.time)) {
      // what lies before the first bar there is was never meant to be there
      if (isFirst && gap.from === since) continue;
      const { bars } = await filler.find(series, gap.from, gap.to, WAIT_MS);
      const filled = await intake.putIn(series, bars);
      if (filled > 0) say(`${series.id}: ${filled} missing bars since ${formatInstant(gap.from)} were found`);
    }
  }
}
