import { captureState, type Instant, type OwnState, restoreState } from '#base';
import { type LegOutcome, LegTracker, type VenueCommand } from '#execution';
import type { ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import type { Leg, Plan } from '#risk';

interface Tracked {
  readonly plan: Plan;
  readonly requests: readonly OrderRequest[];
}

/** What the trackers need from the lane they work for. */
export interface LegTrackersPort {
  readonly nextId: () => ClientOrderId;
  readonly worth: (leg: Leg, lots: number) => number;
  readonly reducesNet: (leg: Leg) => boolean;
  readonly heldLots: (leg: Leg) => number;
  readonly carryOut: (command: VenueCommand) => void;
  readonly ended: (plan: Plan, outcome: LegOutcome, why: string | null) => void;
}

/** Plans of several legs under way: each is held to all or none until it has ended. */
export class LegTrackers implements OwnState {
  private readonly tracked = new Map<string, Tracked>();
  private readonly trackers = new Map<string, LegTracker>();
  private readonly port: LegTrackersPort;

  constructor(port: LegTrackersPort) {
    this.port = port;
  }

  track(plan: Plan, requests: readonly OrderRequest[]): void {
    this.tracked.set(plan.id, { plan, requests });
    this.trackers.set(plan.id, this.make(plan, requests));
  }

  /** Whether a plan of several legs is still under way. */
  tracks(planId: string): boolean {
    return this.tracked.has(planId);
  }

  private make(plan: Plan, requests: readonly OrderRequest[]): LegTracker {
    const { nextId, worth, reducesNet, heldLots } = this.port;
    return new LegTracker(plan, requests, { ids: nextId, worth, reducesNet, heldLots });
  }

  onReport(report: VenueReport): void {
    for (const [id, tracker] of this.trackers) this.obey(id, tracker, tracker.onReport(report));
  }

  onTime(at: Instant): void {
    for (const [id, tracker] of this.trackers) this.obey(id, tracker, tracker.advance(at));
  }

  private obey(id: string, tracker: LegTracker, commands: readonly VenueCommand[]): void {
    for (const command of commands) this.port.carryOut(command);
    const outcome = tracker.outcome();
    if (outcome === null) return;
    const { plan } = this.tracked.get(id)!;
    this.trackers.delete(id);
    this.tracked.delete(id);
    this.port.ended(plan, outcome, tracker.failure());
  }

  nextDue(): Instant {
    let due = Infinity;
    if (this.trackers.size === 0) return due;
    for (const tracker of this.trackers.values()) due = Math.min(due, tracker.nextDue());
    return due;
  }

  captureOwn(): unknown {
    return [...this.tracked].map(([id, { plan, requests }]) => ({
      plan,
      requests,
      state: captureState(this.trackers.get(id)!),
    }));
  }

  restoreOwn(state: unknown): void {
    this.tracked.clear();
    this.trackers.clear();
    for (const { plan, requests, state: own } of state as (Tracked & { state: unknown })[]) {
      this.track(plan, requests);
      restoreState(this.trackers.get(plan.id)!, captureState(own));
    }
  }
}
