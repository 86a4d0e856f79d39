import type { Instant } from '#base';
import type { Decision, Objection } from '#ensemble';
import type { ClientOrderId } from '#ledger';
import type { Instrument, InstrumentId } from '#market';
import type { AccountSummary, Plan, SizingContext } from '#risk';
import type { Question, Signal, View } from '#signals';
import type { Counts } from './counts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { EntryMemory } from './held.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import type { Lane } from './lane.ts';
import type { HappeningTrace, TraceSink } from './trace.ts';

/** What became of a plan that a desk proposed. */
export type JudgeOutcome =
  | { readonly kind: 'refused'; readonly objections: readonly Objection[] }
  | {
      readonly kind: 'in-review';
      readonly reductions: readonly Objection[];
      readonly orders: readonly string[];
    }
  | { readonly kind: 'sent'; readonly reductions: readonly Objection[]; readonly orders: readonly string[] };

/** What the portfolio gives its desks: books, risk, questions, counters. The engine implements it. */
export interface Host {
  readonly counts: Counts;
  readonly trace: TraceSink;
  readonly real: Lane;
  /** Fee rate of a run that overrides the instruments' schedules, as a fraction; null otherwise. */
  readonly feeRate: number | null;
  /** Minor units of the base currency as a float. */
  readonly toMoney: (minor: number) => number;
  /** The account of a lane, made once per slice or fill. */
  account(lane: Lane): AccountSummary;
  /** Why no entry of a desk may leave now at this confidence, or null: stopped, breaker, stale rates. */
  entryObjection(desk: string, confidence: number): Objection | null;
  /** Why nothing may be entered in an instrument whose money cannot be reckoned in the base currency, or null. */
  rateObjection(instrument: Instrument, at: Instant): Objection | null;
  /** Whether nothing may be entered in an instrument: it does not trade, or its grid is about to change. */
  isHalted(id: InstrumentId): boolean;
  /** See {@link SizingContext}: undefined where the instrument settles in the base currency. */
  quotePerMinor(instrument: Instrument, price: number): number | undefined;
  breakerMultiplier(): number;
  /** The breaker wants every position closed. */
  readonly closesAll: boolean;
  ask(question: Question, expiresAt: Instant): string;
  /** What a desk's sources say of an instrument, before it is pooled: its kill switch may trip by it. */
  heard(desk: DeskRuntime, signals: readonly Signal[], view: View): void;
  /** A desk has pooled what its sources said of an instrument; nobody acts on it, some watch. */
  decided(desk: DeskRuntime, instrument: InstrumentRuntime, decision: Decision): void;
  judge(desk: DeskRuntime, plan: Plan, memory: EntryMemory): JudgeOutcome;
  approveShadow(lane: Lane, plan: Plan, memory: EntryMemory): void;
  exitNow(
    lane: Lane,
    desk: DeskRuntime,
    instrument: InstrumentRuntime,
    lots: number,
    reason: string,
    /** Ordered by a person: the only exit that SHUTDOWN lets through. */
    manual: boolean,
  ): readonly ClientOrderId[];
  /** Marks and breaker inputs that belong before a slice's decisions. */
  beforeSlice(at: Instant): void;
  happened(
    type: HappeningTrace['type'],
    desk: string | null,
    instrument: InstrumentId | null,
    text: string,
    data?: Readonly<Record<string, unknown>>,
    shadow?: boolean,
  ): void;
}
