import type { BarStore, FeedClock, ProvidedBar } from '#adapters';
import { formatInstant, type Instant } from '#base';
import { type Found, type GapFiller, type Source, within } from './gap-filler.ts';
import type { IntakeCounts } from './intake-counts.ts';
import type { QueuedBar } from './queued-bar.ts';
import type { Series } from './series.ts';

export interface IntakeRules {
  /** How long a bar waits for one before it that is only out of order. */
  readonly graceMs: number;
  /** How long it waits for bars before it that have to be looked up; then it is released and marked. */
  readonly gapWaitMs: number;
  /** Between two attempts to look them up. */
  readonly retryMs: number;
  /** Missing bars that are looked up at once; of a longer hole the newest. */
  readonly gapBarsMost: number;
  /** How long the provider that is to be believed has to answer before the webhook's own figures are taken. */
  readonly judgeWaitMs: number;
  /** Basis points by which webhook and provider may be apart without a word. */
  readonly apartBpsMost: number;
}

export const INTAKE_RULES: IntakeRules = {
  graceMs: 1_500,
  gapWaitMs: 20_000,
  retryMs: 3_000,
  gapBarsMost: 4_000,
  judgeWaitMs: 4_000,
  apartBpsMost: 1,
};

export interface PlannerOptions {
  readonly store: BarStore;
  readonly filler: GapFiller;
  /** Whose figures are believed, when it knows the bar; null: the webhook's. */
  readonly judge: Source | null;
  readonly clock: FeedClock;
  readonly rules: IntakeRules;
  readonly counts: IntakeCounts;
  readonly say: (line: string) => void;
}

/** A bar with what has to be put in before it. */
export interface Plan {
  /** From here on the store has nothing before the bar. */
  readonly from: Instant;
  readonly fill: readonly ProvidedBar[];
  readonly judged: ProvidedBar | null;
}

/** For a bar that follows the one before it. */
export const plainPlan = ({ bar }: QueuedBar): Plan => ({ from: bar.time, fill: [], judged: null });
/** Decides what goes into the store with a bar, and waits for it as long as the bar may wait. */
export class BarPlanner {
  private readonly options: PlannerOptions;
  private readonly signal: AbortSignal;

  constructor(options: PlannerOptions, signal: AbortSignal) {
    this.options = options;
    this.signal = signal;
  }

  /** What belongs before a bar, found as long as it may wait; null: an older one of its lane comes first. */
  async plan(series: Series, bar: QueuedBar, lane: readonly QueuedBar[]): Promise<Plan | null> {
    const { store, filler, clock, rules } = this.options;
    const { time } = bar.bar;
    const { signal } = this;
    const judged = this.judge(series, bar);
    judged.catch(() => undefined);
    const waitMost = filler.canFind(series) ? rules.gapWaitMs : rules.graceMs;
    for (;;) {
      if (lane.some((other) => other.bar.time < time)) return null;
      const last = await store.lastBar(series.id);
      const next = last === null ? time : last.time + series.intervalMs;
      if (time <= next) return { ...plainPlan(bar), judged: await judged };
      const age = clock.now() - bar.receivedAt;
      if (age < rules.graceMs) {
        await clock.wait(Math.min(rules.graceMs - age, rules.retryMs), signal);
        continue;
      }
      const from = Math.max(next, time - rules.gapBarsMost * series.intervalMs);
      const found = await filler.find(series, from, time, Math.max(rules.retryMs, waitMost - age));
      const missing = found.missing + (from - next) / series.intervalMs;
      const left = bar.receivedAt + waitMost - clock.now();
      if (missing === 0 || left <= 0) {
        if (missing > 0) this.tellUnfilled(bar, missing, found);
        return { from: next, fill: found.bars, judged: await judged };
      }
      await clock.wait(Math.min(left, rules.retryMs), signal);
    }
  }

  private tellUnfilled({ series, bar }: QueuedBar, missing: number, { why }: Found): void {
    this.options.counts.unfilled += missing;
    const reason = why === null ? 'nobody knows them' : why;
    this.options.say(
      `${series.id} ${formatInstant(bar.time)}: ${missing} bars before it are missing (${reason})`,
    );
  }

  /** The bar as the provider tells it that is to be believed; null: it does not tell it in time. */
  private async judge(series: Series, { bar }: QueuedBar): Promise<ProvidedBar | null> {
    const { judge, clock, rules } = this.options;
    // nothing is decided on a late bar: a backlog must not wait for the provider bar by bar
    if (judge === null || isLate(series, bar.time, clock.now())) return null;
    const request = {
      symbol: judge.symbolOf(series),
      intervalMs: series.intervalMs,
      from: bar.time,
      to: bar.time + series.intervalMs,
    };
    const half = rules.judgeWaitMs / 2;
    // a bar that has just closed may not be there at the first look
    for (let look = 0; look < 2; look++) {
      try {
        const bars = await within(clock, half, (signal) => judge.provider.bars(request, signal));
        if (bars[0] !== undefined) return bars[0];
        if (look === 0) await clock.wait(half, this.signal);
      } catch {
        return null;
      }
    }
    return null;
  }
}

/** Older than one bar, counted from its close. */
export const isLate = ({ intervalMs }: Series, time: Instant, now: Instant): boolean =>
  now - (time + intervalMs) > intervalMs;
