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
  readonly freeLots: (leg: Leg) => number;
  readonly carryOut: (command: VenueCommand) => void;
  readonly ended: (plan: Plan, outcome: LegOutcome, why: string | null) => void;
}

/** Plans that have ended and are still remembered: a fill of theirs may come late. */
const ENDED_MOST = 16;

/** Plans of several legs under way: each is held to all or none until it has ended, and again when a fill comes late. */
export class LegTrackers implements OwnState {
  private readonly tracked = new Map<string, Tracked>();
  private readonly trackers = new Map<string, LegTracker>();
  /** The same of the plans that ended last, oldest first. */
  private readonly ended = new Map<string, Tracked & { readonly tracker: LegTracker }>();
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
    const { nextId: ids, worth, reducesNet, heldLots, freeLots } = this.port;
    return new LegTracker(plan, requests, { ids, worth, reducesNet, heldLots, freeLots });
  }

  onReport(report: VenueReport): void {
    if (report.kind === 'order-filled' && this.ended.size > 0) this.reopen(report);
    for (const [id, tracker] of this.trackers) this.obey(id, tracker, tracker.onReport(report));
  }

  /** A fill that comes after the end of its plan takes it up again, where the plan says that it must not stand. */
  private reopen(report: VenueReport): void {
    for (const [id, { plan, requests, tracker }] of this.ended) {
      const commands = tracker.onReport(report);
      if (commands.length === 0 && tracker.outcome() !== null) continue;
      this.ended.delete(id);
      this.tracked.set(id, { plan, requests });
      this.trackers.set(id, tracker);
      this.obey(id, tracker, commands);
    }
  }

  onTime(at: Instant): void {
    for (const [id, tracker] of this.trackers) this.obey(id, tracker, tracker.advance(at));
  }

  private obey(id: string, tracker: LegTracker, commands: readonly VenueCommand[]): void {
    for (const command of commands) this.port.carryOut(command);
    const outcome = tracker.outcome();
    if (outcome === null) return;
    const { plan, requests } = this.tracked.get(id)!;
    this.trackers.delete(id);
    this.tracked.delete(id);
    this.ended.set(id, { plan, requests, tracker });
    if (this.ended.size > ENDED_MOST) this.ended.delete(this.ended.keys().next().value!);
    this.port.ended(plan, outcome, tracker.failure());
  }

  nextDue(): Instant {
    let due = Infinity;
    if (this.trackers.size === 0) return due;
    for (const tracker of this.trackers.values()) due = Math.min(due, tracker.nextDue());
    return due;
  }

  captureOwn(): unknown {
    const captured = ({ plan, requests }: Tracked, tracker: LegTracker) => ({
      plan,
      requests,
      state: captureState(tracker),
    });
    return {
      tracked: [...this.tracked].map(([id, tracked]) => captured(tracked, this.trackers.get(id)!)),
      ended: [...this.ended.values()].map((one) => captured(one, one.tracker)),
    };
  }

  restoreOwn(state: unknown): void {
    const { tracked, ended } = state as Record<'tracked' | 'ended', (Tracked & { state: unknown })[]>;
    this.tracked.clear();
    this.trackers.clear();
    this.ended.clear();
    const restored = ({ plan, requests, state: own }: Tracked & { state: unknown }) => {
      const tracker = this.make(plan, requests);
      restoreState(tracker, captureState(own));
      return tracker;
    };
    for (const one of tracked) {
      this.tracked.set(one.plan.id, { plan: one.plan, requests: one.requests });
      this.trackers.set(one.plan.id, restored(one));
    }
    for (const one of ended)
      this.ended.set(one.plan.id, { plan: one.plan, requests: one.requests, tracker: restored(one) });
  }
}
