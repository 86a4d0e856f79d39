import { assert, type Instant } from '#base';
import type { Objection } from '#ensemble';
import {
  BREAKER_LEVELS,
  type BreakerConfig,
  type BreakerLevel,
  type CriticalKind,
  type Severity,
  SIGMA_BREAKER,
  stepReached,
} from './breaker-table.ts';
import { HighestEquity, LatencyMedian, OrderOutcomes } from './breaker-windows.ts';

export type BreakerTrigger =
  | 'latency'
  | 'order-failures'
  | 'failure-rate'
  | 'slippage'
  | 'loss'
  | 'monitor'
  | 'expectancy-collapse'
  | CriticalKind;

/** Why the breaker is where it is: the newest of each trigger since it left CLOSED. */
export interface BreakerCause {
  readonly trigger: BreakerTrigger;
  readonly level: BreakerLevel;
  readonly at: Instant;
  readonly measured: number;
}

export interface BreakerMove {
  readonly at: Instant;
  readonly from: BreakerLevel;
  readonly to: BreakerLevel;
  /** A trigger, `cool-down`, `recover` or `override`. */
  readonly why: string;
  readonly reason: string;
}

/** What the breaker measures, as it stands; null: nothing was measured since the start or the last recovery. */
export interface BreakerMeasures {
  /** Median of the latest calls, ms. */
  readonly latencyMs: number | null;
  /** Order failures in a row. */
  readonly failures: number;
  /** Share of the orders of the window that failed, and how many orders that are. */
  readonly failureRate: number | null;
  readonly ordersInWindow: number;
  /** Of the newest market fill, against us, as a fraction; 0 when it was in our favour. */
  readonly slippage: number | null;
  /** Fall from the highest equity of the window, as a fraction. */
  readonly loss: number | null;
}

export type BreakerAnswer = { readonly kind: 'ok' } | { readonly kind: 'refused'; readonly reason: string };

const HALT = BREAKER_LEVELS.indexOf('HALT');
const THROTTLE = BREAKER_LEVELS.indexOf('THROTTLE');
const SHUTDOWN = BREAKER_LEVELS.indexOf('SHUTDOWN');
const HISTORY = 256;
const CONFIRMATION = 'RESTART';

interface MutableCause {
  trigger: BreakerTrigger;
  level: BreakerLevel;
  at: Instant;
  measured: number;
}

/**
 * The circuit breaker of sigma.md 9: five states, up at once to the highest level triggered, down one level per
 * cool-down without a trigger of that level or above. It is fed by the engine and asks nobody. All state lies in
 * fields, so SHUTDOWN survives a restart with the snapshot. When nothing happens nothing is allocated.
 */
export class CircuitBreaker {
  static readonly configuration = ['config'];
  private readonly config: BreakerConfig;
  private readonly latencies: LatencyMedian;
  private readonly outcomes = new OrderOutcomes();
  private readonly equities: HighestEquity;
  private level = 0;
  private overridden = false;
  private failures = 0;
  private movedAt: Instant = 0;
  /** When the healthy time of the current level began. */
  private healthySince: Instant = 0;
  private closing = false;
  private lastSlippage: number | null = null;
  private lastEquity: number | null = null;
  private why: MutableCause[] = [];
  private moves: BreakerMove[] = [];

  constructor(config: BreakerConfig = SIGMA_BREAKER) {
    this.config = config;
    this.latencies = new LatencyMedian(config.latencyCalls);
    this.equities = new HighestEquity(config.loss.windowMinutes);
  }

  get state(): BreakerLevel {
    return BREAKER_LEVELS[this.effective()]!;
  }

  /** When the state was entered. */
  get since(): Instant {
    return this.movedAt;
  }

  get causes(): readonly BreakerCause[] {
    return this.why;
  }

  /** The numbers it goes by. */
  get thresholds(): BreakerConfig {
    return this.config;
  }

  /** True while a person's override holds it at HALT or above. */
  get isOverridden(): boolean {
    return this.overridden;
  }

  /** For people who watch: what its thresholds are compared with. */
  measuresAt(at: Instant): BreakerMeasures {
    const { lastEquity } = this;
    const { rate, orders } = this.outcomes.rateAt(at, this.config.failureRate.windowMs);
    const latency = this.latencies.current;
    const highest = this.equities.current;
    return {
      latencyMs: Number.isNaN(latency) ? null : latency,
      failures: this.failures,
      failureRate: rate,
      ordersInWindow: orders,
      slippage: this.lastSlippage,
      loss: lastEquity === null || !(highest > 0) ? null : Math.max(0, (highest - lastEquity) / highest),
    };
  }

  /** The last 256 moves, oldest first. */
  get history(): readonly BreakerMove[] {
    return this.moves;
  }

  /** THROTTLE halves sizes, HALT and SHUTDOWN make them 0. */
  get sizeMultiplier(): number {
    const level = this.effective();
    return level >= HALT ? 0 : level === THROTTLE ? this.config.throttle.sizeMultiplier : 1;
  }

  /** HALT for a loss or a critical monitor severity: every position is to be closed. */
  get closesAll(): boolean {
    return this.closing && this.effective() === HALT;
  }

  /** SHUTDOWN leaves exits to a person. */
  exitsAllowed(manual = false): boolean {
    return manual || this.effective() !== SHUTDOWN;
  }

  allowsEntry(confidence: number): boolean {
    const level = this.effective();
    if (level >= HALT) return false;
    return level === THROTTLE ? confidence > this.config.throttle.confidenceAbove : !Number.isNaN(confidence);
  }

  /** Why an entry of this confidence may not leave, or null. */
  entryObjection(confidence: number): Objection | null {
    if (this.allowsEntry(confidence)) return null;
    if (this.effective() !== THROTTLE) return { by: 'breaker', reason: `no entries in ${this.state}` };
    const needed = this.config.throttle.confidenceAbove;
    return {
      by: 'breaker',
      reason: 'confidence is too low while throttled',
      measured: confidence,
      needed,
      relation: '>',
    };
  }

  /** One call to a venue took this long. */
  latency(ms: number, at: Instant): void {
    if (!(ms >= 0)) {
      this.critical('corruption', at);
      return;
    }
    const median = this.latencies.push(ms);
    this.raise('latency', stepReached(this.config.latencyMs, median), median, at);
  }

  /** Resets the counter of failures in a row, not the level. */
  orderSucceeded(at: Instant): void {
    this.failures = 0;
    this.outcomes.push(at, false);
  }

  orderFailed(at: Instant): void {
    this.failures += 1;
    this.outcomes.push(at, true);
    this.raise('order-failures', stepReached(this.config.failures, this.failures), this.failures, at);
    const { share, ordersMin, windowMs, level } = this.config.failureRate;
    this.outcomes.look(at, windowMs);
    const { orders, failures } = this.outcomes;
    if (orders < ordersMin || failures < share * orders * (1 - 1e-12)) return;
    this.raise('failure-rate', BREAKER_LEVELS.indexOf(level), failures / orders, at);
  }

  /** Slippage against us as a fraction of the expected price; a negative one was in our favour. */
  slippage(rate: number, at: Instant): void {
    if (Number.isNaN(rate)) {
      this.critical('corruption', at);
      return;
    }
    this.lastSlippage = rate;
    this.raise('slippage', stepReached(this.config.slippage, rate), rate, at);
  }

  /** Equity now, in any unit that stays the same. A value that is not finite is data corruption. */
  equity(value: number, at: Instant): void {
    if (!Number.isFinite(value)) {
      this.critical('corruption', at);
      return;
    }
    const highest = this.equities.push(at, value);
    this.lastEquity = value;
    const { share, level } = this.config.loss;
    const lost = highest - value;
    if (value > 0 && (lost <= 0 || lost < share * highest * (1 - 1e-12))) return;
    this.raise('loss', BREAKER_LEVELS.indexOf(level), highest > 0 ? lost / highest : 1, at);
  }

  /** What the strategy monitor found; null is nothing. */
  monitor(severity: Severity | null, at: Instant): void {
    if (severity === null) return;
    const rank = 1 + ['minor', 'moderate', 'severe', 'critical'].indexOf(severity);
    this.raise('monitor', BREAKER_LEVELS.indexOf(this.config.severity[severity]), rank, at);
    if (severity === 'critical' && this.level === HALT) this.closing = true;
  }

  /** Expectancy of the last 100 closed trades is negative over at least 30. */
  expectancyCollapse(at: Instant): void {
    this.raise('expectancy-collapse', BREAKER_LEVELS.indexOf(this.config.expectancyCollapse), 1, at);
  }

  /** Corrupt data, a breach of security, the kill command: straight to SHUTDOWN. */
  critical(trigger: CriticalKind, at: Instant): void {
    this.raise(trigger, SHUTDOWN, 1, at);
  }

  /** Time passes: at most one level down, when its cool-down is over. */
  tick(at: Instant): void {
    if (at < this.nextDue) return;
    const before = this.effective();
    this.level -= 1;
    this.healthySince = at;
    if (this.level < HALT) this.closing = false;
    if (this.level === 0) this.why = [];
    this.moved(before, at, 'cool-down', 'healthy for the whole cool-down');
  }

  /** When {@link tick} would go down a level if nothing happens until then; Infinity when never. */
  get nextDue(): Instant {
    if (this.level === 0 || this.level === SHUTDOWN) return Infinity;
    return this.healthySince + this.config.coolDownMs[this.level - 1]!;
  }

  /**
   * A person sets the breaker back to CLOSED and states why. Refused from SHUTDOWN unless `confirm` is RESTART, and
   * while an override holds. The evidence so far is dropped: losses and failures count from now on.
   */
  recover(
    request: { readonly reason: string; readonly confirm?: string | null },
    at: Instant,
  ): BreakerAnswer {
    if (request.reason.trim() === '') return { kind: 'refused', reason: 'recovery needs a reason' };
    if (this.overridden) return { kind: 'refused', reason: 'an override holds HALT: lift it first' };
    if (this.level === SHUTDOWN && request.confirm !== CONFIRMATION) {
      return { kind: 'refused', reason: `SHUTDOWN is left only with the confirmation ${CONFIRMATION}` };
    }
    const before = this.effective();
    this.level = 0;
    this.healthySince = at;
    this.closing = false;
    this.failures = 0;
    this.why = [];
    this.latencies.clear();
    this.outcomes.clear();
    this.equities.clear();
    this.lastSlippage = null;
    this.lastEquity = null;
    this.moved(before, at, 'recover', request.reason);
    return { kind: 'ok' };
  }

  /** `enabled` forces at least HALT until it is lifted; what is below goes on as if it were not there. */
  override(request: { readonly enabled: boolean; readonly reason: string }, at: Instant): BreakerAnswer {
    if (request.reason.trim() === '') return { kind: 'refused', reason: 'an override needs a reason' };
    const before = this.effective();
    this.overridden = request.enabled;
    this.moved(before, at, 'override', request.reason);
    return { kind: 'ok' };
  }

  private effective(): number {
    return this.overridden && this.level < HALT ? HALT : this.level;
  }

  private raise(trigger: BreakerTrigger, level: number, measured: number, at: Instant): void {
    if (level === 0) return;
    assert(level > 0, 'the breaker table names an unknown level');
    const reached = BREAKER_LEVELS[level]!;
    // a trigger below the current level neither restarts the clock nor explains the state
    if (level < this.level) return;
    const known = this.why.find((cause) => cause.trigger === trigger);
    if (known === undefined) this.why.push({ trigger, level: reached, at, measured });
    else Object.assign(known, { level: reached, at, measured });
    this.healthySince = at;
    if (trigger === 'loss' && level === HALT) this.closing = true;
    if (level === this.level) return;
    const before = this.effective();
    this.level = level;
    this.moved(before, at, trigger, `${trigger} ${measured}`);
  }

  private moved(before: number, at: Instant, why: string, reason: string): void {
    const now = this.effective();
    if (now === before) return;
    this.movedAt = at;
    this.moves.push({ at, from: BREAKER_LEVELS[before]!, to: BREAKER_LEVELS[now]!, why, reason });
    if (this.moves.length > HISTORY) this.moves.shift();
  }
}

/** Slippage of a fill against us as a fraction of the expected price; negative when it was in our favour. */
export function adverseSlippage(side: 'buy' | 'sell', expected: number, filled: number): number {
  return ((side === 'buy' ? 1 : -1) * (filled - expected)) / expected;
}
