import type { Instant } from '#base';
import { ShadowRecord, StrategyMonitor, TradeRecord } from '#learning';
import type { Severity, TrackRecord } from '#risk';
import type { DeskParts } from './desk.ts';

/** What a closed trade changed that others must hear of. */
export type RecordWord = 'nothing' | 'edge-returned' | 'resumed';

/** A desk's outcomes, handed to learning/ as they come and back to risk/ as plain figures. */
export class DeskRecord {
  static readonly configuration = ['watched', 'toMoney'];
  private readonly trades = new TradeRecord();
  private readonly shadows: ShadowRecord;
  private readonly monitor: StrategyMonitor;
  private readonly watched: boolean;
  private readonly toMoney: (minor: number) => number;

  constructor(parts: DeskParts, toMoney: (minor: number) => number, autoResume: boolean) {
    this.shadows = new ShadowRecord({ autoResume, ...parts.shadow });
    this.monitor = new StrategyMonitor(parts.monitor ?? {});
    this.watched = parts.monitor !== undefined;
    this.toMoney = toMoney;
  }

  trackRecord(): TrackRecord {
    return this.trades.record(this.watched ? this.monitor.current.multiplier : 1);
  }

  /** Takes a closed trade's net result and the account's equity after it, both in minor units of the base currency. */
  closed(netMinor: number, closedAt: Instant, shadow: boolean, equity: number): RecordWord {
    const net = this.toMoney(netMinor);
    if (shadow) return this.heed(this.shadows.closed(net));
    this.trades.closed(net);
    const before = this.toMoney(equity) - net;
    if (this.watched && before > 0) this.monitor.closed({ closedAt, net, equity: before });
    return 'nothing';
  }

  /** A person lets entries resume once the shadow window shows an edge. */
  allowResume(): RecordWord {
    return this.heed(this.shadows.allow());
  }

  private heed(word: ReturnType<ShadowRecord['closed']>): RecordWord {
    if (word !== 'resume') return word;
    this.trades.resume();
    this.monitor.restart();
    return 'resumed';
  }

  /** For the breaker: the monitor's severity, and whether expectancy has collapsed. */
  health(): { severity: Severity | null; collapsed: boolean } {
    return {
      severity: this.watched ? this.monitor.current.severity : null,
      collapsed: this.trades.collapsed,
    };
  }

  /** Rows of the monitor that object now, by name. */
  get findings(): readonly string[] {
    return this.watched ? this.monitor.current.findings.map((f) => `${f.row}:${f.severity}`) : [];
  }
}
