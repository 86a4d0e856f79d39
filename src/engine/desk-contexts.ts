import type { Instant } from '#base';
import type { Decision } from '#ensemble';
import type { Instrument } from '#market';
import type { AccountSummary, ExitContext, SizingContext, TrackRecord } from '#risk';
import type { DeskRecord } from './desk-record.ts';
import type { Host } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import type { Held, Lane } from './lane.ts';

/** What exits see of one position. The account is summed up only for an exit that looks at it. */
export class HeldContext implements ExitContext {
  readonly position: Held;
  private readonly runtime: InstrumentRuntime;
  private readonly lane: Lane;
  private readonly host: Host;

  constructor(runtime: InstrumentRuntime, position: Held, lane: Lane, host: Host) {
    this.runtime = runtime;
    this.position = position;
    this.lane = lane;
    this.host = host;
  }

  get at(): Instant {
    return this.runtime.at;
  }
  get instrument(): Instrument {
    return this.runtime.instrument;
  }
  get price(): number {
    return this.runtime.price;
  }
  get regime(): string | null {
    return this.runtime.regimeName;
  }
  get openPositions(): number {
    return this.lane.held.size;
  }
  get account(): AccountSummary {
    return this.host.account(this.lane);
  }
}

/** What a sizer sees of one idea. Account and record are summed up only for a sizer that looks at them. */
export class EntryContext implements SizingContext {
  readonly decision: Decision;
  readonly direction: 1 | -1;
  readonly costRate: number;
  private readonly outcomes: DeskRecord;
  private readonly host: Host;
  private readonly runtime: InstrumentRuntime;

  constructor(
    outcomes: DeskRecord,
    host: Host,
    runtime: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    costRate: number,
  ) {
    this.outcomes = outcomes;
    this.host = host;
    this.runtime = runtime;
    this.decision = decision;
    this.direction = direction;
    this.costRate = costRate;
  }

  get at(): Instant {
    return this.runtime.at;
  }
  get instrument(): Instrument {
    return this.runtime.instrument;
  }
  get price(): number {
    return this.runtime.price;
  }
  get regime(): string | null {
    return this.runtime.regimeName;
  }
  get account(): AccountSummary {
    return this.host.account(this.host.real);
  }
  get record(): TrackRecord {
    return this.outcomes.trackRecord();
  }
  get breakerMultiplier(): number {
    return this.host.breakerMultiplier();
  }
  get quotePerMinor(): number | undefined {
    return this.host.quotePerMinor(this.runtime.instrument, this.runtime.price);
  }
}
