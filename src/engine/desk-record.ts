import type { Instant } from '#base';
import { type Expectancy, type MonitorFinding, ShadowRecord, StrategyMonitor, TradeRecord } from '#learning';
import type { Severity, TrackRecord } from '#risk';
import type { DeskParts } from './desk.ts';

/** What a closed trade changed that others must hear of. */
export type RecordWord = 'nothing' | 'edge-returned' | 'resumed';

/** Whether a desk's own trades, and its shadow trades, show an edge. */
export interface EdgeState {
  /** `unknown`: too few closed trades to say; `returned`: allowed back after a pause, at exploration risk. */
  readonly state: 'unknown' | 'edge' | 'no-edge' | 'returned';
  readonly record: TrackRecord;
  /** Expectancy of the newest trades is negative: what the breaker calls a collapse. */
  readonly collapsed: boolean;
  readonly shadow: Expectancy & { readonly edge: boolean };
  readonly monitor: {
    readonly watched: boolean;
    readonly severity: Severity | null;
    readonly action: string;
    readonly findings: readonly MonitorFinding[];
  };
}

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

  /** For people who watch: whether this desk earns what it risks. */
  edge(): EdgeState {
    const { trades, shadows, watched, monitor } = this;
    const record = this.trackRecord();
    const judged = trades.withoutEdge ? 'no-edge' : 'edge';
    const { severity, action, findings } = monitor.current;
    return {
      state: record.edgeReturned ? 'returned' : trades.isJudged ? judged : 'unknown',
      record,
      collapsed: trades.collapsed,
      shadow: { ...shadows.expectancy, edge: shadows.edge },
      monitor: { watched, severity, action, findings },
    };
  }

  /** Rows of the monitor that object now, by name. */
  get findings(): readonly string[] {
    return this.watched ? this.monitor.current.findings.map((f) => `${f.row}:${f.severity}`) : [];
  }
}
