import type { Instant } from '#base';
import type { Decision } from '#ensemble';
import type { Instrument } from '#market';
import type { AccountSummary, ExitContext, SizingContext, TrackRecord } from '#risk';
import type { DeskRecord } from './desk-record.ts';
import type { Held } from './held.ts';
import type { Host } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import type { Lane } from './lane.ts';

/** What exits and sizers see alike. The account is summed up only for those that look at it. */
class LaneContext {
  protected readonly runtime: InstrumentRuntime;
  protected readonly lane: Lane;
  protected readonly host: Host;

  constructor(runtime: InstrumentRuntime, lane: Lane, host: Host) {
    this.runtime = runtime;
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
  get account(): AccountSummary {
    return this.host.account(this.lane);
  }
}

/** What exits see of one position. */
export class HeldContext extends LaneContext implements ExitContext {
  readonly position: Held;

  constructor(runtime: InstrumentRuntime, position: Held, lane: Lane, host: Host) {
    super(runtime, lane, host);
    this.position = position;
  }

  get openPositions(): number {
    return this.lane.held.size;
  }
}

/** What a sizer sees of one idea. The record is summed up only for a sizer that looks at it. */
export class EntryContext extends LaneContext implements SizingContext {
  readonly decision: Decision;
  readonly direction: 1 | -1;
  readonly costRate: number;
  private readonly outcomes: DeskRecord;

  constructor(
    outcomes: DeskRecord,
    host: Host,
    runtime: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    costRate: number,
  ) {
    super(runtime, host.real, host);
    this.outcomes = outcomes;
    this.decision = decision;
    this.direction = direction;
    this.costRate = costRate;
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
