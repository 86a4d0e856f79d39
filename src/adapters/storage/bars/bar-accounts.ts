import { createHash } from 'node:crypto';
import { canonicalJson, type Instant } from '#base';
import type { Bar } from '#market';
import {
  type BarGap,
  type BarSource,
  differenceBps,
  type Insertion,
  type NewBar,
  type StoredBar,
} from './bar-store.ts';

/** A difference as both databases keep it; `digest` tells accounts of one bar apart. */
export interface DifferenceRow {
  readonly config: string;
  readonly time: Instant;
  readonly source: BarSource;
  readonly digest: string;
  readonly at: Instant;
  readonly bps: number;
  readonly other: string;
}

/** What of a bar is compared when it is told again: its figures and the sender's own values. */
function figuresOf(bar: Bar & { readonly pine?: string | null }): string {
  const { open, high, low, close, volume, pine = null } = bar;
  return canonicalJson({ open, high, low, close, volume, pine });
}

export function differenceRow(other: NewBar, kept: Bar, at: Instant): DifferenceRow {
  const text = figuresOf(other);
  return {
    config: other.config,
    time: other.time,
    source: other.source,
    digest: createHash('sha256').update(text).digest('hex').slice(0, 32),
    at,
    bps: differenceBps(kept, other),
    other: text,
  };
}

/**
 * Whether a second account says the same. What was looked up carries no values of the sender and may lack the volume, so
 * between sources only the prices count.
 */
function saysTheSame(kept: NewBar, other: NewBar): boolean {
  if (kept.source !== other.source) return differenceBps(kept, other) === 0;
  return figuresOf(kept) === figuresOf(other);
}

export interface Sorted {
  readonly outcomes: readonly Insertion[];
  readonly fresh: readonly StoredBar[];
  readonly differences: readonly DifferenceRow[];
}

export const keyOf = (config: string, time: Instant): string => `${config} ${time}`;

/** Sorts bars into new ones, numbered from `lastSeq` + 1, and those `known` by {@link keyOf}, which gains the new ones. */
export function sortBars(
  bars: readonly NewBar[],
  known: Map<string, StoredBar>,
  lastSeq: number,
  at: Instant,
): Sorted {
  const fresh: StoredBar[] = [];
  const differences: DifferenceRow[] = [];
  const outcomes = bars.map((bar): Insertion => {
    const key = keyOf(bar.config, bar.time);
    const kept = known.get(key);
    if (kept === undefined) {
      const stored = { ...bar, seq: lastSeq + fresh.length + 1 };
      known.set(key, stored);
      fresh.push(stored);
      return { outcome: 'inserted', seq: stored.seq };
    }
    if (saysTheSame(kept, bar)) return { outcome: 'same' };
    differences.push(differenceRow(bar, kept, at));
    return { outcome: 'differs', kept };
  });
  return { outcomes, fresh, differences };
}

/** The holes between ascending open times in [from, to). */
export function gapsBetween(
  times: readonly Instant[],
  intervalMs: number,
  from: Instant,
  to: Instant,
): BarGap[] {
  const gaps: BarGap[] = [];
  let next = Math.ceil(from / intervalMs) * intervalMs;
  for (const time of times) {
    if (time > next) gaps.push({ from: next, to: time });
    next = Math.max(next, time + intervalMs);
  }
  // the last bar that opens before `to` need not end before it
  const end = Math.ceil(to / intervalMs) * intervalMs;
  if (next < end) gaps.push({ from: next, to: end });
  return gaps;
}
