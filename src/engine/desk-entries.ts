import { type Instant, stepsToNumber } from '#base';
import { type Decision, directionOf, type Objection } from '#ensemble';
import { feesAt, type Instrument, RATE_ONE } from '#market';
import type { Leg, Plan, Sized } from '#risk';
import { copyValues } from './binding.ts';
import { tally } from './counts.ts';
import { EntryContext } from './desk-contexts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import { entryPlan, proposalPlan } from './entry-plan.ts';
import type { EntryMemory, Held } from './held.ts';
import type { Host } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';

import type { ShadowVenue } from './shadow-venue.ts';
import type { DecisionTrace } from './trace.ts';

/** A desk's way from a decision to a plan that is judged: sized, worded, refused with a reason, or followed as a shadow. */
export class DeskEntries {
  static readonly configuration = ['desk', 'host', 'shadow'];
  private readonly desk: DeskRuntime;
  private readonly host: Host;
  private readonly shadow: ShadowVenue;
  private ideaCount = 0;

  constructor(desk: DeskRuntime, host: Host, shadow: ShadowVenue) {
    this.desk = desk;
    this.host = host;
    this.shadow = shadow;
  }

  /** True when the idea used up its place in the slice: entered, in review, or followed as a shadow. */
  enter(instrument: InstrumentRuntime, decision: Decision): boolean {
    const { host } = this;
    const { parts } = this.desk;
    const direction = directionOf(decision.action) as 1 | -1;
    const held = host.real.held.get(instrument.book) ?? null;
    if (held !== null) {
      const turned = this.opposite(instrument, held, direction);
      if (turned !== 'reverse') return this.refuseHeld(instrument, decision, turned);
    } else if (direction === -1 && parts.shorts === false) {
      return this.refuse(instrument, decision, [{ by: 'long-only', reason: 'the desk does not go short' }]);
    }
    const stopped =
      host.entryObjection(this.desk.name, decision.confidence) ??
      host.rateObjection(instrument.instrument, instrument.at);
    if (stopped !== null) return this.refuse(instrument, decision, [stopped]);
    if (host.real.hasWorkingEntry(instrument.book)) {
      return this.refuse(instrument, decision, [
        { by: 'working-order', reason: 'an entry order is still working' },
      ]);
    }
    const sized = parts.sizer.size(
      new EntryContext(
        this.desk.record,
        host,
        instrument,
        decision,
        direction,
        this.costRate(instrument.instrument, instrument.at),
      ),
      instrument.sizerValues,
    );
    if (sized.kind === 'not-sized') {
      if (sized.shadow !== null) this.shadowEnter(instrument, decision, direction, sized.shadow);
      this.refuse(instrument, decision, [sized.objection], sized.shadow === null ? 'refused' : 'shadow');
      return sized.shadow !== null;
    }
    for (const cut of sized.cuts) if (cut.factor !== 1) tally(host.counts.sizeCuts, cut.by);
    const plan = this.planOf(instrument, decision, direction, sized, held);
    if (!('legs' in plan)) return this.refuse(instrument, decision, [plan]);
    return this.approve(instrument, decision, plan, sized);
  }

  private planOf(
    instrument: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    sized: Sized,
    held: Held | null,
  ): Plan | Objection {
    this.ideaCount += 1;
    const position = held === null ? undefined : this.host.real.ledger.position(instrument.book);
    return entryPlan({
      id: `${this.desk.name}-${this.ideaCount}`,
      desk: this.desk.name,
      at: instrument.at,
      instrument: instrument.instrument,
      book: instrument.book,
      decision,
      direction,
      price: instrument.price,
      sized,
      style: this.desk.parts.entry ?? { type: 'market' },
      intervalMs: instrument.intervalMs,
      legFailure: this.desk.parts.legFailure ?? 'unwind',
      reverseLots: position === undefined ? 0 : Math.abs(position.lots),
    });
  }

  private approve(
    instrument: InstrumentRuntime,
    decision: Decision,
    plan: Plan,
    sized: Sized | null,
  ): boolean {
    const { host } = this;
    const memory = this.memoryOf(instrument, plan);
    const outcome = host.judge(this.desk, plan, memory);
    if (outcome.kind === 'refused') {
      // what was not sized, a proposal, is counted by refuse
      if (sized !== null) for (const { by } of outcome.objections) tally(host.counts.refusalsByLimit, by);
      this.refuse(instrument, decision, outcome.objections, 'refused', sized);
      return false;
    }
    for (const reduction of outcome.reductions) tally(host.counts.reductionsByLimit, reduction.by);
    if (host.trace.level !== 'none') {
      const state = outcome.kind === 'in-review' ? 'in-review' : 'entered';
      host.trace.line(this.traceOf(instrument, decision, state, outcome.reductions, sized, outcome.orders));
    }
    return true;
  }

  private memoryOf(instrument: InstrumentRuntime, plan: Plan): EntryMemory {
    const protection = plan.legs[0]!.protection;
    const { tick } = instrument.instrument;
    const atEntry: Record<string, number> = {};
    (this.desk.parts.exits ?? []).forEach((exit, i) => {
      Object.assign(atEntry, copyValues(exit.features, instrument.exitValues[i]!));
    });
    return {
      planId: plan.id,
      stopPrice: protection?.stopTicks == null ? null : stepsToNumber(protection.stopTicks, tick),
      targetPrice: protection?.targetTicks == null ? null : stepsToNumber(protection.targetTicks, tick),
      regime: instrument.regimeName,
      atEntry,
      riskToStop: plan.worstLoss,
    };
  }

  private opposite(
    instrument: InstrumentRuntime,
    held: Held,
    direction: 1 | -1,
  ): 'same' | 'ignored' | 'closed' | 'reverse' {
    if (held.direction === direction) return 'same';
    const rule = this.desk.parts.opposite ?? 'ignore';
    if (rule === 'ignore') return 'ignored';
    if (rule === 'reverse' && !(direction === -1 && this.desk.parts.shorts === false)) return 'reverse';
    this.desk.close(this.host.real, instrument, 'exit:opposite-signal');
    return 'closed';
  }

  private refuseHeld(
    instrument: InstrumentRuntime,
    decision: Decision,
    why: 'same' | 'ignored' | 'closed',
  ): boolean {
    const reason =
      why === 'closed'
        ? 'the opposite position is closed first'
        : 'a position is already held in this instrument';
    this.refuse(
      instrument,
      decision,
      [{ by: 'held-position', reason }],
      why === 'closed' ? 'exited' : 'held',
    );
    return false;
  }

  refuse(
    instrument: InstrumentRuntime,
    decision: Decision,
    objections: readonly Objection[],
    outcome: DecisionTrace['outcome'] = 'refused',
    sized: Sized | null = null,
  ): false {
    const { host } = this;
    if (outcome === 'refused' && sized === null) {
      for (const objection of objections) tally(host.counts.refusalsByLimit, objection.by);
    }
    if (host.trace.level !== 'none') {
      host.trace.line(this.traceOf(instrument, decision, outcome, objections, sized));
    }
    return false;
  }

  /** Plans of several legs from a proposal, judged and sent like any other. */
  propose(instrument: InstrumentRuntime, decision: Decision): boolean {
    const { host } = this;
    const { proposal } = decision;
    if (proposal === undefined) {
      return this.refuse(instrument, decision, [
        { by: 'proposal', reason: 'the decision carries no proposal' },
      ]);
    }
    this.ideaCount += 1;
    const plan = proposalPlan({
      id: `${this.desk.name}-${this.ideaCount}`,
      desk: this.desk.name,
      at: instrument.at,
      proposal,
      confidence: decision.confidence,
      intervalMs: instrument.intervalMs,
      legFailure: this.desk.parts.legFailure ?? 'unwind',
      leverage: this.desk.parts.leverage ?? 1,
      find: (id) => this.desk.instruments.find((i) => i.instrument.id === id) ?? null,
      heldLots: (book) => host.real.ledger.position(book)?.lots ?? 0,
    });
    if (!('legs' in plan)) return this.refuse(instrument, decision, [plan]);
    for (const leg of plan.legs) {
      if (host.real.hasWorkingEntry(leg.book)) {
        return this.refuse(instrument, decision, [{ by: 'working-order', reason: 'a leg is still working' }]);
      }
      if (this.isClosedAlready(leg)) {
        return this.refuse(instrument, decision, [
          { by: 'working-order', reason: 'what a leg would close is being closed already' },
        ]);
      }
    }
    return this.approve(instrument, decision, plan, null);
  }

  /** Whether a leg goes against what its book holds while something else closes that. */
  private isClosedAlready({ book, side }: Leg): boolean {
    const { real } = this.host;
    const held = real.ledger.position(book)?.lots ?? 0;
    return held !== 0 && held > 0 === (side === 'sell') && real.freeLots(book) !== held;
  }

  private shadowEnter(
    instrument: InstrumentRuntime,
    decision: Decision,
    direction: 1 | -1,
    sized: Sized,
  ): void {
    const { lane } = this.shadow;
    const held = lane.held.get(instrument.book);
    if (held !== undefined) {
      // as with a real position: what would turn it round ends it
      const turns = held.direction !== direction && (this.desk.parts.opposite ?? 'ignore') !== 'ignore';
      if (turns) this.desk.close(lane, instrument, 'exit:opposite-signal');
      return;
    }
    if (lane.hasWorkingEntry(instrument.book) || this.host.isHalted(instrument.instrument.id)) return;
    const plan = this.planOf(instrument, decision, direction, sized, null);
    if ('legs' in plan) this.host.approveShadow(lane, plan, this.memoryOf(instrument, plan));
  }

  /** One side's cost as a fraction of price: taker fee and the slippage the desk expects. */
  private costRate(instrument: Instrument, at: Instant): number {
    const { simulation = {} } = this.desk.parts;
    const fee = this.host.feeRate ?? feesAt(instrument, at).takerRate / RATE_ONE;
    return fee + (simulation.slippageBps ?? 0) / 10_000;
  }

  traceOf(
    instrument: InstrumentRuntime,
    decision: Decision,
    outcome: DecisionTrace['outcome'],
    objections: readonly Objection[],
    sized: Sized | null = null,
    orders: readonly string[] = [],
  ): DecisionTrace {
    return {
      type: 'decision',
      at: instrument.at,
      desk: this.desk.name,
      instrument: instrument.instrument.id,
      shadow: outcome === 'shadow',
      regime: instrument.regimeName,
      signals: decision.signals,
      action: decision.wanted ?? decision.action,
      confidence: decision.confidence,
      rule: decision.rule,
      size:
        sized === null
          ? null
          : { quantity: String(sized.quantity), riskFraction: sized.riskFraction, cuts: sized.cuts },
      objections,
      outcome,
      orders,
    };
  }
}
