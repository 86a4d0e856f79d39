import { DAY, type Instant } from '#base';

/** When one desk's kill switch trips. Losses and falls are shares of the portfolio's equity; null: never. */
export interface KillRules {
  /** Loss since 00:00 UTC, against the equity the day began with, from which it trips. */
  readonly dayLossMax: number | null;
  /** Fall of what the desk has made from its highest, against that height on top of the opening cash, above which it trips. */
  readonly drawdownMax: number | null;
  /** Trades closed without a profit one after the other, from which it trips. */
  readonly lossesInARow: number | null;
}

/** When the switch that several desks share trips. */
export interface KillGroupRules {
  readonly dayLossMax: number | null;
  /** A feed is old once its newest bar has ended more than so many bars ago ... */
  readonly staleBars: number;
  /** ... and from so many desks with an old feed it trips; null: never. */
  readonly staleDesks: number | null;
  /** It trips with the portfolio's breaker at HALT or beyond. */
  readonly withBreaker: boolean;
}

export type KillTrigger =
  | 'day-loss'
  | 'drawdown'
  | 'losses'
  | 'feed'
  | 'breaker'
  | 'manual'
  /** What a desk's own watch names: an old model, inputs that drifted, parity. */
  | 'watch';

/** Why a switch has tripped. Plain data. */
export interface KillCause {
  readonly trigger: KillTrigger;
  readonly at: Instant;
  readonly text: string;
  readonly measured: number | null;
  readonly needed: number | null;
}

/** A loss that is the limit on paper reaches it, whatever its last digit. */
const PAPER = 1e-12;

/** The part of a kill switch that one desk and a group of desks have in common: a latch that only a person opens. */
export class KillSwitch {
  static readonly configuration = ['name'];
  readonly name: string;
  /** Null while it has not tripped. The first cause stands; later ones are not kept. */
  cause: KillCause | null = null;
  /** When a person last reset it. */
  resetAt: Instant | null = null;
  private day = -1;
  private dayStart = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** True when it trips by this: not when it had before. */
  trip(cause: KillCause): boolean {
    if (this.cause !== null) return false;
    this.cause = cause;
    return true;
  }

  /**
   * What has been made so far (any unit), against the equity of the day's beginning in the same unit; the cause when the
   * loss of the day reaches `most`.
   */
  protected dayLoss(made: number, equity: number, most: number | null, at: Instant): KillCause | null {
    const day = Math.floor(at / DAY);
    if (day > this.day) {
      this.day = day;
      this.dayStart = made;
    }
    if (most === null || !(equity > 0)) return null;
    const loss = (this.dayStart - made) / equity;
    if (!(loss >= most - PAPER)) return null;
    return { trigger: 'day-loss', at, text: 'loss of the day', measured: loss, needed: most };
  }

  /** A person resets it: what was lost until now does not trip it again. */
  reset(made: number, at: Instant): void {
    this.cause = null;
    this.resetAt = at;
    this.dayStart = made;
  }
}

/** The kill switch of one desk. */
export class DeskKillSwitch extends KillSwitch {
  static override readonly configuration = ['name', 'rules'];
  readonly rules: KillRules;
  private highest = 0;
  private losses = 0;

  constructor(name: string, rules: KillRules) {
    super(name);
    this.rules = rules;
  }

  /** Losing trades in a row, as they stand. */
  get lossesInARow(): number {
    return this.losses;
  }

  /** A trade has closed; one that made nothing is a loss. */
  closed(net: number, at: Instant): KillCause | null {
    this.losses = net > 0 ? 0 : this.losses + 1;
    const { lossesInARow: most } = this.rules;
    if (most === null || this.losses < most) return null;
    return { trigger: 'losses', at, text: 'losing trades in a row', measured: this.losses, needed: most };
  }

  /** What the desk has made since the beginning, open positions included; `cash` is what the portfolio began with. */
  look(made: number, equityAtDayStart: number, cash: number, at: Instant): KillCause | null {
    this.highest = Math.max(this.highest, made);
    const { dayLossMax, drawdownMax } = this.rules;
    const loss = this.dayLoss(made, equityAtDayStart, dayLossMax, at);
    if (loss !== null || drawdownMax === null) return loss;
    const height = cash + this.highest;
    const fall = height > 0 ? (this.highest - made) / height : 0;
    if (!(fall > drawdownMax + PAPER)) return null;
    return { trigger: 'drawdown', at, text: 'drawdown beyond the band', measured: fall, needed: drawdownMax };
  }

  override reset(made: number, at: Instant): void {
    super.reset(made, at);
    this.highest = made;
    this.losses = 0;
  }
}

/** The kill switch of several desks together. */
export class GroupKillSwitch extends KillSwitch {
  static override readonly configuration = ['name', 'rules'];
  readonly rules: KillGroupRules;

  constructor(name: string, rules: KillGroupRules) {
    super(name);
    this.rules = rules;
  }

  look(made: number, equityAtDayStart: number, at: Instant): KillCause | null {
    return this.dayLoss(made, equityAtDayStart, this.rules.dayLossMax, at);
  }

  /** `stale`: desks whose feed is old now. */
  feeds(stale: readonly string[], at: Instant): KillCause | null {
    const { staleDesks, staleBars } = this.rules;
    if (staleDesks === null || stale.length < staleDesks) return null;
    const text = `no bar for more than ${staleBars} bars on ${stale.join(', ')}`;
    return { trigger: 'feed', at, text, measured: stale.length, needed: staleDesks };
  }
}
