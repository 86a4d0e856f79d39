import type { Instant } from '#base';
import type { Objection } from '#ensemble';
import type { BookId, ClientOrderId } from '#ledger';
import {
  approveShadow,
  type Limit,
  type Plan,
  type PlanFacts,
  platformGuard,
  RiskDesk,
  type WasApproved,
} from '#risk';
import { tally } from './counts.ts';
import type { DeskRuntime } from './desk-runtime.ts';
import type { Engine } from './engine.ts';
import { planFacts } from './entry-plan.ts';
import type { EntryMemory } from './held.ts';
import type { JudgeOutcome } from './host.ts';
import type { InstrumentRuntime } from './instrument-runtime.ts';
import type { Lane } from './lane.ts';
import { limitsInForce, portfolioLimitsOf } from './portfolio-limits.ts';

/** A plan that waits for a reviewer. Plain data. */
interface UnderReview {
  readonly planId: string;
  readonly desk: string;
  readonly expiresAt: Instant;
  readonly memory: EntryMemory;
  /** What each leg's book held when the plan was made: an answer to another position is no answer. */
  readonly books: readonly { readonly book: BookId; readonly lots: number }[];
}

/** Where the desks' plans meet risk: judged, reviewed, sent. */
export class PlanDesk {
  static readonly configuration = ['engine', 'unmeasured', 'limits', 'layers'];
  private readonly engine: Engine;
  private readonly riskDesks: readonly RiskDesk[];
  /** What each risk desk asks, by reference: the portfolio's part of it changes at run time. */
  private readonly limits: readonly Limit[][];
  private readonly layers: readonly Limit[][];
  /** Exits are not measured: nothing may keep us in a position. */
  private readonly unmeasured: PlanFacts;
  private readonly reviews = new Map<string, UnderReview>();
  private exitCount = 0;

  constructor(engine: Engine) {
    this.engine = engine;
    this.unmeasured = {
      notional: 0,
      margin: 0,
      fee: 0,
      riskToStop: 0,
      leverage: 1,
      instrumentOf: engine.instrumentOf,
    };
    this.limits = engine.desks.map(() => []);
    this.layers = engine.desks.map(() => []);
    this.limitsChanged();
    this.riskDesks = engine.desks.map(
      ({ parts }, i) =>
        new RiskDesk({
          limits: this.limits[i]!,
          safetyLayers: this.layers[i]!,
          solvent: parts.unlimitedCredit !== true,
          reviewMs: parts.review?.timeoutMs ?? null,
        }),
    );
  }

  /** The portfolio's own limits as they stand, asked after those of a desk and before the platform's guard. */
  get portfolioLimits(): readonly Limit[] {
    const { definition, limitChanges } = this.engine;
    return portfolioLimitsOf(limitsInForce(definition.limits ?? {}, limitChanges));
  }

  /** To be called whenever limits may be others than before: after a change of them or of a desk's parts, after a restore. */
  limitsChanged(): void {
    const { desks, definition } = this.engine;
    const { platform } = definition;
    const shared = this.portfolioLimits;
    const guard = platform === null ? [] : [platformGuard(platform)];
    for (const [i, { parts }] of desks.entries()) {
      this.limits[i]!.splice(0, this.limits[i]!.length, ...(parts.limits ?? []), ...shared, ...guard);
      this.layers[i]!.splice(0, this.layers[i]!.length, ...(parts.safetyLayers ?? []));
    }
  }

  private riskDeskOf(desk: string): RiskDesk {
    return this.riskDesks[this.engine.desks.findIndex((d) => d.name === desk)]!;
  }

  private measure(plan: Plan): PlanFacts {
    const { engine } = this;
    return planFacts(plan, engine.instrumentOf, (instrument, amount) =>
      engine.real.ledger.inBase(instrument.settle, amount, true),
    );
  }

  /** Runs a desk's plan through breaker, limits, safety layers and review; what is approved leaves at once. */
  judge(desk: DeskRuntime, plan: Plan, memory: EntryMemory): JudgeOutcome {
    const { engine } = this;
    const stopped = this.entryObjection(plan);
    if (stopped !== null) return { kind: 'refused', objections: [stopped] };
    if (this.isUnderReview(plan)) {
      return {
        kind: 'refused',
        objections: [{ by: 'review', reason: 'another plan for this book is under review' }],
      };
    }
    const judgement = this.riskDeskOf(desk.name).judge({
      plan,
      facts: this.measure(plan),
      account: engine.account(engine.real),
      breaker: engine.breaker,
      at: engine.at,
    });
    for (const { layer, objection } of judgement.layers) {
      if (objection !== null) engine.safetyViolated(desk.name, layer, objection);
    }
    if (judgement.kind === 'refused') return { kind: 'refused', objections: judgement.refused.objections };
    if (judgement.kind === 'review') {
      engine.counts.reviews += 1;
      const { expiresAt } = judgement.question;
      const questionId = engine.ask(
        { topic: desk.parts.review!.topic, prompt: judgement.question },
        expiresAt,
      );
      const books = plan.legs.map(({ book }) => ({ book, lots: this.lotsIn(book) }));
      this.reviews.set(questionId, { planId: plan.id, desk: desk.name, expiresAt, memory, books });
      return { kind: 'in-review', reductions: judgement.reductions, orders: [] };
    }
    return { kind: 'sent', reductions: judgement.reductions, orders: this.send(judgement, memory) };
  }

  /** Why nothing may be entered by a plan now, whatever the limits would say, or null. */
  private entryObjection(plan: Plan): Objection | null {
    const { engine } = this;
    const stopped = engine.entryObjection(plan.desk, plan.confidence);
    if (stopped !== null) return stopped;
    for (const { instrument } of plan.legs) {
      const unrated = engine.rateObjection(engine.instrumentOf(instrument), engine.at);
      if (unrated !== null) return unrated;
      if (engine.isHalted(instrument)) return { by: 'halted', reason: `${instrument} does not trade` };
    }
    return null;
  }

  private lotsIn(book: BookId): number {
    return this.engine.real.ledger.position(book)?.lots ?? 0;
  }

  private isUnderReview(plan: Plan): boolean {
    if (this.reviews.size === 0) return false;
    const books = new Set(plan.legs.map(({ book }) => book));
    for (const review of this.reviews.values())
      if (review.books.some(({ book }) => books.has(book))) return true;
    return false;
  }

  /** Why a plan that was allowed may not leave any more, or null. */
  private overtaken({ books }: UnderReview, plan: Plan): Objection | null {
    const { engine } = this;
    const stopped = this.entryObjection(plan);
    if (stopped !== null) return stopped;
    if (books.some(({ book }) => engine.real.hasWorkingEntry(book))) {
      return { by: 'working-order', reason: 'an entry order is working by now' };
    }
    if (books.some(({ book, lots }) => this.lotsIn(book) !== lots)) {
      return { by: 'review', reason: 'the position has changed during the review' };
    }
    return null;
  }

  private send(approved: WasApproved, memory: EntryMemory): readonly ClientOrderId[] {
    return this.engine.real.submit(approved.approved, this.engine.at, memory);
  }

  shadow(lane: Lane, plan: Plan, memory: EntryMemory): void {
    lane.submit(approveShadow(plan, this.engine.at, plan.expiresAt - plan.at), this.engine.at, memory);
  }

  /** A reduce-only market order for `lots` held (signed), judged like every plan. */
  exit(
    lane: Lane,
    desk: DeskRuntime,
    instrument: InstrumentRuntime,
    lots: number,
    reason: string,
    manual: boolean,
  ): readonly ClientOrderId[] {
    const { engine } = this;
    this.exitCount += 1;
    const mark = lane.ledger.lastMark(instrument.instrument.id);
    const plan: Plan = {
      id: `${desk.name}-exit-${this.exitCount}`,
      desk: desk.name,
      at: engine.at,
      purpose: 'exit',
      confidence: 1,
      legs: [
        {
          book: instrument.book,
          instrument: instrument.instrument.id,
          side: lots > 0 ? 'sell' : 'buy',
          lots: Math.abs(lots),
          type: 'market',
          limitTicks: null,
          triggerTicks: null,
          timeInForce: 'GTC',
          postOnly: false,
          reduceOnly: true,
          leverage: 1,
          expectedTicks: mark?.ticks ?? 1,
          worstTicks: null,
          protection: null,
          reason,
        },
      ],
      legFailure: 'keep',
      unhedgedMax: null,
      worstLoss: 0,
      expiresAt: engine.at + instrument.intervalMs,
    };
    if (lane.shadow)
      return lane.submit(approveShadow(plan, engine.at, instrument.intervalMs), engine.at, null);
    const judgement = this.riskDeskOf(desk.name).judge({
      plan,
      facts: this.unmeasured,
      account: engine.account(lane),
      breaker: engine.breaker,
      at: engine.at,
      manual,
    });
    if (judgement.kind === 'approved') return lane.submit(judgement.approved, engine.at, null);
    const objection = judgement.kind === 'refused' ? judgement.refused.objections[0]! : REVIEWED_EXIT;
    engine.happened(
      'exit',
      desk.name,
      instrument.instrument.id,
      `exit refused by ${objection.by}: ${objection.reason}`,
    );
    return [];
  }

  nextDue(): Instant {
    let due = Infinity;
    if (this.reviews.size === 0) return due;
    for (const desk of this.riskDesks) due = Math.min(due, desk.nextExpiry ?? Infinity);
    return due;
  }

  onTime(at: Instant): void {
    for (const desk of this.riskDesks) {
      for (const { plan, objections } of desk.expire(at)) {
        for (const objection of objections) tally(this.engine.counts.refusalsByLimit, objection.by);
        this.engine.happened(
          'review',
          plan!.desk,
          plan!.legs[0]!.instrument,
          'nobody answered in time: refused',
        );
      }
    }
    for (const [id, review] of this.reviews) if (at >= review.expiresAt) this.reviews.delete(id);
  }

  /** True when the answer belonged to a review. */
  onAnswer(questionId: string, answer: unknown): boolean {
    const review = this.reviews.get(questionId);
    if (review === undefined) return false;
    this.reviews.delete(questionId);
    const { engine } = this;
    const judgement = this.riskDeskOf(review.desk).answer(review.planId, answer, {
      account: engine.account(engine.real),
      breaker: engine.breaker,
      at: engine.at,
      measure: (plan) => this.measure(plan),
    });
    if (judgement.kind === 'refused') {
      engine.happened('review', review.desk, null, this.refusedText(judgement.refused.objections));
      return true;
    }
    const { plan } = judgement.approved;
    const instrument = plan.legs[0]!.instrument;
    const objection = this.overtaken(review, plan);
    if (objection === null) {
      const orders = this.send(judgement, review.memory);
      engine.happened('review', review.desk, instrument, 'allowed', { orders });
    } else engine.happened('review', review.desk, instrument, this.refusedText([objection]));
    return true;
  }

  private refusedText(objections: readonly Objection[]): string {
    for (const objection of objections) tally(this.engine.counts.refusalsByLimit, objection.by);
    return `refused: ${objections[0]!.reason}`;
  }

  /** Questions still open, for people who approve. */
  get open(): readonly { questionId: string; planId: string; desk: string; expiresAt: Instant }[] {
    return [...this.reviews].map(([questionId, { planId, desk, expiresAt }]) => ({
      questionId,
      planId,
      desk,
      expiresAt,
    }));
  }
}

const REVIEWED_EXIT: Objection = { by: 'review', reason: 'exits are not reviewed' };
