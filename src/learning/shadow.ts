import { assert } from '#base';
import { NumberRing } from './ring.ts';
import { type Expectancy, expectancyOf } from './trade-statistics.ts';

export interface ShadowConfig {
  /** Shadow trades that must show an edge together. */
  readonly window: number;
  /** Entries begin again by themselves; otherwise a person allows it. */
  readonly autoResume: boolean;
}

/** sigma.md 6. Backtests turn `autoResume` on unless stated otherwise. */
export const SIGMA_SHADOW: ShadowConfig = { window: 30, autoResume: false };

export type ShadowWord = 'nothing' | 'edge-returned' | 'resume';

/**
 * Shadow trades while a desk's size is 0: the way back from a negative expectancy. Their window is their own; what
 * they say is reported once per return of the edge, and entries resume when a person or the configuration allows.
 */
export class ShadowRecord {
  static readonly configuration = ['config'];
  private readonly config: ShadowConfig;
  private readonly nets: NumberRing;
  private reported = false;
  private allowed = false;

  constructor(config: Partial<ShadowConfig> = {}) {
    this.config = { ...SIGMA_SHADOW, ...config };
    this.nets = new NumberRing(this.config.window);
  }

  /**
   * A shadow trade closed. `edge-returned` is said once; `resume` asks the caller to resume the trade record, and
   * this window has then been emptied.
   */
  closed(net: number): ShadowWord {
    assert(Number.isFinite(net), 'a closed shadow trade has no finite result');
    this.nets.push(net);
    if (!this.edge) {
      this.reported = false;
      return 'nothing';
    }
    if (this.config.autoResume || this.allowed) return this.takeResume();
    if (this.reported) return 'nothing';
    this.reported = true;
    return 'edge-returned';
  }

  /** A person allows entries again: at once when the edge is there, otherwise as soon as it is. */
  allow(): ShadowWord {
    this.allowed = true;
    return this.edge ? this.takeResume() : 'nothing';
  }

  /** The window is full and its expectancy is above 0. */
  get edge(): boolean {
    return this.nets.length >= this.config.window && this.expectancy.expectancy > 0;
  }

  get expectancy(): Expectancy {
    return expectancyOf(this.nets.last(this.config.window));
  }

  private takeResume(): ShadowWord {
    this.nets.clear();
    this.reported = false;
    this.allowed = false;
    return 'resume';
  }
}
