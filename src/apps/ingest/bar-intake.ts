import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BarReader,
  type Delivered,
  differenceBps,
  type Insertion,
  type NewBar,
  type ProvidedBar,
} from '#adapters';
import { formatInstant, type Instant } from '#base';
import type { Bar } from '#market';
import { BarPlanner, isLate, type Plan, type PlannerOptions, plainPlan } from './bar-plan.ts';
import { isDataFault, knownVolume, type QueuedBar, readDelivered, withoutFigures } from './queued-bar.ts';
import type { Series } from './series.ts';

export interface IntakeOptions extends PlannerOptions {
  readonly reader: Pick<BarReader, 'ack' | 'bury' | 'giveBack'>;
  readonly series: readonly Series[];
  /** Told of each bar that is in the store; what it does is waited for by nobody. */
  readonly onStored?: (bar: QueuedBar) => Promise<void>;
}

const FAULT_PAUSE_MS = 250;

/**
 * From the queue into the store: each bar once, in the order of time as far as bars can be had, acknowledged only when it is
 * durable. Whatever is delivered again does nothing again. A bar with a hole before it waits, first for bars out of order,
 * then for those that have to be looked up; the others of its config wait behind it, other configs do not.
 */
export class BarIntake {
  private readonly options: IntakeOptions;
  private readonly series: ReadonlyMap<string, Series>;
  /** Newest open time known to be in the store, per config. */
  private readonly heads = new Map<string, Instant>();
  /** Bars of configs that have to wait, in work one after the other. */
  private readonly lanes = new Map<string, QueuedBar[]>();
  private readonly running = new Set<Promise<void>>();
  /** Entries in work: what is handed out twice is worked on once. */
  private readonly held = new Map<string, Delivered>();
  private readonly ends = new AbortController();
  private readonly planner: BarPlanner;

  constructor(options: IntakeOptions) {
    this.options = options;
    this.planner = new BarPlanner(options, this.ends.signal);
    this.series = new Map(options.series.map((one) => [one.id, one]));
  }

  /** Entries in work. */
  get inWork(): number {
    return this.held.size;
  }

  /** The entries in work, for whoever tells the queue that they are. */
  holding(): Delivered[] {
    return [...this.held.values()];
  }

  /** Takes entries; resolves when those that need not wait are durable and acknowledged. */
  async take(delivered: readonly Delivered[]): Promise<void> {
    const bars: QueuedBar[] = [];
    for (const one of delivered) {
      const key = keyOf(one);
      if (this.held.has(key)) continue;
      this.held.set(key, one);
      this.options.counts.taken += 1;
      const read = readDelivered(one, this.series);
      if (typeof read === 'string') await this.bury(one, read);
      else bars.push(read);
    }
    const ready: QueuedBar[] = [];
    for (const [config, own] of Map.groupBy(bars, (bar) => bar.series.id)) {
      own.sort(byTime);
      const lane = this.lanes.get(config);
      if (lane !== undefined) lane.push(...own);
      else if (this.options.judge === null && this.follow(own)) ready.push(...own);
      else this.begin(own);
    }
    await this.commit(ready.map((bar) => ({ bar, plan: plainPlan(bar) })));
  }

  /** Puts bars in that were looked up without a webhook, as far as they follow without a hole. */
  async backfill(series: Series, from: Instant, bars: readonly ProvidedBar[]): Promise<number> {
    const following: ProvidedBar[] = [];
    let next = from;
    for (const bar of bars) {
      if (bar.time !== next) break;
      following.push(bar);
      next += series.intervalMs;
    }
    return this.putIn(series, following);
  }

  /** Puts bars in that fill holes behind which others were released already. */
  putIn(series: Series, bars: readonly ProvidedBar[]): Promise<number> {
    const now = this.options.clock.now();
    return this.insert(bars.map((bar) => this.looked(series, bar, now))).then(
      (outcomes) => outcomes.filter((one) => one.outcome === 'inserted').length,
    );
  }

  /** Lets go of what waits: it stays unacknowledged and is handed out again, and no failure is counted for it. */
  async close(): Promise<void> {
    this.ends.abort(new Error('the worker ends'));
    const held = this.holding();
    await Promise.allSettled([...this.running]);
    // what was acknowledged in between is no longer held, and left alone
    await this.options.reader
      .giveBack(held)
      .catch((cause: unknown) =>
        this.options.say(`the queue did not take back what waits: ${(cause as Error).message}`),
      );
  }

  /** Whether bars of one config follow what is known to be there without a hole. */
  private follow(bars: readonly QueuedBar[]): boolean {
    const { id, intervalMs } = bars[0]!.series;
    let head = this.heads.get(id);
    if (head === undefined) return false;
    for (const { bar } of bars) {
      if (bar.time > head + intervalMs) return false;
      head = Math.max(head, bar.time);
    }
    return true;
  }

  private begin(bars: QueuedBar[]): void {
    const { series } = bars[0]!;
    this.lanes.set(series.id, bars);
    const run: Promise<void> = this.work(series, bars)
      .catch((cause: unknown) => {
        // what was not acknowledged is handed out again
        if (!this.ends.signal.aborted) this.options.say(`${series.id}: ${(cause as Error).message}`);
      })
      .finally(() => {
        if (this.lanes.get(series.id) === bars) this.lanes.delete(series.id);
        this.running.delete(run);
        for (const bar of bars) this.held.delete(keyOf(bar.delivered));
      });
    this.running.add(run);
  }

  private async work(series: Series, lane: QueuedBar[]): Promise<void> {
    while (lane.length > 0 && !this.ends.signal.aborted) {
      lane.sort(byTime);
      const bar = lane[0]!;
      const plan = await this.planner.plan(series, bar, lane).catch(async (cause: unknown) => {
        if (!this.ends.signal.aborted) await this.pause(cause);
        return null;
      });
      if (plan === null) continue;
      await this.commit([{ bar, plan }]);
      lane.splice(lane.indexOf(bar), 1);
    }
    // in the same turn as the look at the lane: what comes from here on begins another
    this.lanes.delete(series.id);
  }

  private async commit(planned: readonly { bar: QueuedBar; plan: Plan }[]): Promise<void> {
    if (planned.length === 0) return;
    const { clock, judge, counts, reader } = this.options;
    const now = clock.now();
    const bars: NewBar[] = [];
    const own: number[] = [];
    for (const { bar, plan } of planned) {
      const { series } = bar;
      let next = plan.from;
      for (const one of plan.fill) {
        const missingBefore = (one.time - next) / series.intervalMs;
        bars.push({ ...this.looked(series, one, now), missingBefore });
        next = one.time + series.intervalMs;
      }
      own.push(bars.length);
      // one that fills a hole itself, behind others, has nothing missing that was not said
      const missingBefore = Math.max(0, (bar.bar.time - next) / series.intervalMs);
      bars.push({ ...this.told(bar, plan.judged, now), missingBefore });
      if (judge !== null && plan.judged === null) counts.unjudged += 1;
    }
    const delivered = planned.map(({ bar }) => bar.delivered);
    const outcomes = await this.insertOrBury(bars, planned.length === 1 ? delivered[0]! : null);
    if (outcomes === null) {
      // one of many cannot be put in: each by itself shows which
      if (planned.length > 1) for (const one of planned) await this.commit([one]);
      return;
    }
    await this.compare(
      planned,
      own.map((i) => outcomes[i]!),
      now,
    );
    await this.acknowledge(() => reader.ack(delivered), delivered);
    for (const { bar } of planned) {
      this.options.onStored?.(bar).catch(() => {
        counts.faults += 1;
      });
    }
  }

  /** Null when the bars themselves are at fault; `alone` is buried then. Anything else is tried until it succeeds. */
  private async insertOrBury(
    bars: readonly NewBar[],
    alone: Delivered | null,
  ): Promise<readonly Insertion[] | null> {
    for (;;) {
      try {
        return await this.insert(bars);
      } catch (cause) {
        if (this.ends.signal.aborted) throw cause;
        if (isDataFault(cause)) {
          if (alone !== null) await this.bury(alone, (cause as Error).message);
          return null;
        }
        await this.pause(cause);
      }
    }
  }

  private async insert(bars: readonly NewBar[]): Promise<readonly Insertion[]> {
    const { store, clock, counts } = this.options;
    const outcomes = await store.insert(bars, clock.now());
    outcomes.forEach((outcome, i) => {
      const bar = bars[i]!;
      this.heads.set(bar.config, Math.max(bar.time, this.heads.get(bar.config) ?? bar.time));
      if (outcome.outcome !== 'inserted') return;
      counts[bar.source] += 1;
      if (bar.late) counts.late += 1;
    });
    return outcomes;
  }

  /** Says what differs, and keeps the webhook's figures where the provider's stand. */
  private async compare(
    planned: readonly { bar: QueuedBar; plan: Plan }[],
    outcomes: readonly Insertion[],
    now: Instant,
  ): Promise<void> {
    const { store, counts, rules, say } = this.options;
    for (let i = 0; i < planned.length; i++) {
      const { bar, plan } = planned[i]!;
      const outcome = outcomes[i]!;
      const name = `${bar.series.id} ${formatInstant(bar.bar.time)}`;
      if (outcome.outcome === 'same') counts.repeated += 1;
      else if (outcome.outcome === 'differs') {
        counts.differing += 1;
        const bps = differenceBps(outcome.kept, bar.bar).toFixed(2);
        say(`${name}: told again with other figures (${bps} bp apart), the first stand`);
      } else if (plan.judged !== null) {
        const kept: Bar = { ...plan.judged, volume: plan.judged.volume ?? bar.bar.volume };
        const bps = differenceBps(kept, bar.bar);
        if (bps <= rules.apartBpsMost) continue;
        counts.apart += 1;
        say(
          `${name}: the webhook is ${bps.toFixed(2)} bp from ${this.options.judge!.provider.name}, which stands`,
        );
        const note = store.noteDifference(this.told(bar, null, now), kept, now);
        // the figures that count are durable: a note that is lost does not hold them up
        await note.catch((cause: unknown) => say(`${name}: not noted: ${(cause as Error).message}`));
      }
    }
  }

  private told(
    { series, bar, pine, receivedAt }: QueuedBar,
    judged: ProvidedBar | null,
    now: Instant,
  ): NewBar {
    const figures = judged === null ? bar : { ...judged, volume: judged.volume ?? bar.volume };
    return {
      ...withoutFigures(series),
      ...figures,
      source: judged === null ? 'webhook' : 'provider',
      receivedAt,
      late: isLate(series, bar.time, now),
      missingBefore: 0,
      pine,
    };
  }

  private looked(series: Series, bar: ProvidedBar, now: Instant): NewBar {
    return {
      ...withoutFigures(series),
      ...bar,
      ...knownVolume(bar),
      source: 'backfill',
      receivedAt: now,
      late: isLate(series, bar.time, now),
      missingBefore: 0,
      pine: null,
    };
  }

  private bury(delivered: Delivered, reason: string): Promise<void> {
    const { counts, reader, say } = this.options;
    counts.buried += 1;
    say(`${delivered.stream} ${delivered.id}: put with the dead letters: ${reason}`);
    return this.acknowledge(() => reader.bury(delivered, reason), [delivered]);
  }

  /** What is not acknowledged is handed out again, and does nothing then. */
  private async acknowledge(action: () => Promise<unknown>, delivered: readonly Delivered[]): Promise<void> {
    try {
      await action();
    } catch (cause) {
      this.options.counts.faults += 1;
      this.options.say(`the queue did not take an acknowledgement: ${(cause as Error).message}`);
    }
    for (const one of delivered) this.held.delete(keyOf(one));
  }

  private async pause(cause: unknown): Promise<void> {
    const { counts, say } = this.options;
    counts.faults += 1;
    say(`the store of bars does not answer: ${(cause as Error).message}`);
    // not by the clock of the bars: it may stand still
    await sleep(FAULT_PAUSE_MS, undefined, { signal: this.ends.signal }).catch(() => undefined);
  }
}

const keyOf = ({ stream, id }: Delivered): string => `${stream} ${id}`;
const byTime = (a: QueuedBar, b: QueuedBar): number => a.bar.time - b.bar.time;
