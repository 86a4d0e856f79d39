import { DAY, type Instant, MINUTE } from '#base';

/** A counter that adds up to `most` and not beyond. One that several processes share keeps them within one budget. */
export interface Counter {
  spend(name: string, amount: number, most: number): Promise<boolean>;
  forgetSpent(prefix: string, name: string): Promise<void>;
}

/** A counter of this process alone. */
export class OwnCounter implements Counter {
  private readonly used = new Map<string, number>();

  async spend(name: string, amount: number, most: number): Promise<boolean> {
    const sum = (this.used.get(name) ?? 0) + amount;
    if (sum > most) return false;
    this.used.set(name, sum);
    return true;
  }

  async forgetSpent(prefix: string, name: string): Promise<void> {
    for (const key of [...this.used.keys()]) if (key >= prefix && key < name) this.used.delete(key);
  }
}

export interface CreditLimits {
  readonly perMinute: number;
  readonly perDay: number;
}

/** What the free plan gives. */
export const FREE_CREDITS: CreditLimits = { perMinute: 8, perDay: 800 };

/** Digits of a window's number, so that names sort as numbers do. */
const DIGITS = 12;

/** Credits of a minute and of a UTC day. What is taken is not given back: the other side counts refused calls too. */
export class CreditBudget {
  readonly limits: CreditLimits;
  private readonly counter: Counter;
  private readonly account: string;
  /** Nothing is sent before: the other side said that the budget is spent. */
  private quietUntil: Instant = 0;
  private forgotten = -1;

  /** `account` names the budget where a counter is shared. */
  constructor(limits: CreditLimits, counter: Counter = new OwnCounter(), account = 'twelve-data') {
    this.limits = limits;
    this.counter = counter;
    this.account = account;
  }

  /** Takes credits; null, or the instant from which it may be tried again. */
  async take(credits: number, at: Instant): Promise<Instant | null> {
    if (at < this.quietUntil) return this.quietUntil;
    const { perMinute, perDay } = this.limits;
    // the day last: a minute that is spent in vain is soon over
    if (!(await this.counter.spend(this.name('minute', MINUTE, at), credits, perMinute)))
      return nextOf(at, MINUTE);
    if (!(await this.counter.spend(this.name('day', DAY, at), credits, perDay))) return nextOf(at, DAY);
    const day = Math.floor(at / DAY);
    if (day !== this.forgotten) {
      this.forgotten = day;
      await this.counter.forgetSpent(`${this.account}:minute:`, this.name('minute', MINUTE, at));
      await this.counter.forgetSpent(`${this.account}:day:`, this.name('day', DAY, at));
    }
    return null;
  }

  /** The other side says that its window is spent; its windows are ours. */
  spent(window: 'minute' | 'day', at: Instant): void {
    this.quietUntil = Math.max(this.quietUntil, nextOf(at, window === 'day' ? DAY : MINUTE));
  }

  private name(window: string, ms: number, at: Instant): string {
    return `${this.account}:${window}:${String(Math.floor(at / ms)).padStart(DIGITS, '0')}`;
  }
}

const nextOf = (at: Instant, ms: number): Instant => (Math.floor(at / ms) + 1) * ms;
