import { type Instant, mulDiv, numberToSteps, type Step, stepsToNumber } from '#base';
import type { Decision, Objection } from '#ensemble';
import { type BookId, isPerpetual, type Side, sideSign } from '#ledger';
import { canReckon, feesAt, type Instrument, type InstrumentId, notional, RATE_ONE } from '#market';
import type { Leg, LegFacts, LegFailure, Plan, PlanFacts, Protection, Sized } from '#risk';
import type { Proposal } from '#signals';
import type { EntryStyle } from './desk.ts';

/**
 * The one door from floats to the grid: a sized idea becomes a plan in ticks and lots. Sizes round down, stops
 * round away from the entry only as far as the tick demands and never nearer than asked, limits round against us.
 */
export interface EntryIdea {
  readonly id: string;
  readonly desk: string;
  readonly at: Instant;
  readonly instrument: Instrument;
  readonly book: BookId;
  readonly decision: Decision;
  readonly direction: 1 | -1;
  readonly price: number;
  readonly sized: Sized;
  readonly style: EntryStyle;
  readonly intervalMs: number;
  readonly legFailure: LegFailure;
  /** Lots already held against the idea, turned round by the same order. */
  readonly reverseLots: number;
}

export function entryPlan(idea: EntryIdea): Plan | Objection {
  const { instrument, sized, direction, price } = idea;
  const numbers = [price, sized.quantity, sized.leverage, sized.stopDistance ?? 1, sized.targetDistance ?? 1];
  if (!numbers.every((x) => Number.isFinite(x) && x > 0)) {
    return { by: 'grid', reason: 'a price, size or distance is not a positive finite number' };
  }
  const farthest = price + (sized.stopDistance ?? 0) + (sized.targetDistance ?? 0);
  if (!onGrid(sized.quantity, instrument.lot) || !onGrid(farthest, instrument.tick)) {
    return { by: 'grid', reason: 'a size or distance is beyond what whole lots and ticks can hold' };
  }
  const lots = numberToSteps(sized.quantity, instrument.lot, 'floor');
  if (lots < instrument.minLots) {
    return {
      by: 'grid',
      reason: `size is below the smallest order of ${instrument.id}`,
      measured: sized.quantity,
      needed: stepsToNumber(instrument.minLots, instrument.lot),
      relation: '>=',
      unit: 'units',
    };
  }
  if (!canReckon(instrument, lots + idea.reverseLots, price)) {
    return {
      by: 'grid',
      reason: `so many lots of ${instrument.id} at this price are more than money can be reckoned in`,
    };
  }
  const ticks = numberToSteps(price, instrument.tick, 'half-away');
  const protection = protectionOf(instrument, direction, price, sized);
  if (protection !== null && protection.stopTicks !== null && protection.stopTicks <= 0) {
    return {
      by: 'grid',
      reason: 'the stop would lie at or below zero',
      measured: price,
      needed: sized.stopDistance!,
    };
  }
  const side: Side = direction === 1 ? 'buy' : 'sell';
  const leg: Leg = {
    book: idea.book,
    instrument: instrument.id,
    side,
    lots: lots + idea.reverseLots,
    type: idea.style.type,
    limitTicks: limitTicks(instrument, direction, price, idea.style),
    triggerTicks: null,
    timeInForce: idea.style.type === 'limit' ? 'GTD' : 'GTC',
    postOnly: idea.style.type === 'limit' && idea.style.postOnly,
    reduceOnly: false,
    leverage: sized.leverage,
    expectedTicks: ticks,
    worstTicks: null,
    protection,
    reason: idea.reverseLots > 0 ? 'reverse' : 'entry',
  };
  const wait = idea.style.type === 'limit' ? idea.style.bars * idea.intervalMs : idea.intervalMs;
  const plan: Plan = {
    id: idea.id,
    desk: idea.desk,
    at: idea.at,
    purpose: idea.reverseLots > 0 ? 'reverse' : 'entry',
    confidence: idea.decision.confidence,
    legs: [leg],
    legFailure: idea.legFailure,
    unhedgedMax: null,
    worstLoss: riskToStop(instrument, leg, lots),
    expiresAt: idea.at + wait,
  };
  return plan;
}

/** Whether a positive number of units is a whole number of steps that can be written down. */
const onGrid = (value: number, { units, scale }: Step): boolean =>
  (value * 10 ** scale) / units <= Number.MAX_SAFE_INTEGER;

function limitTicks(
  instrument: Instrument,
  direction: 1 | -1,
  price: number,
  style: EntryStyle,
): number | null {
  if (style.type === 'market') return null;
  const wanted = price * (1 - direction * style.offsetRate);
  return Math.max(1, numberToSteps(wanted, instrument.tick, direction === 1 ? 'floor' : 'ceil'));
}

function protectionOf(
  instrument: Instrument,
  direction: 1 | -1,
  price: number,
  sized: Sized,
): Protection | null {
  if (sized.stopDistance === null && sized.targetDistance === null) return null;
  const long = direction === 1;
  return {
    stopTicks:
      sized.stopDistance === null
        ? null
        : numberToSteps(price - direction * sized.stopDistance, instrument.tick, long ? 'floor' : 'ceil'),
    targetTicks:
      sized.targetDistance === null
        ? null
        : Math.max(
            1,
            numberToSteps(price + direction * sized.targetDistance, instrument.tick, long ? 'ceil' : 'floor'),
          ),
    trailRate: null,
  };
}

function riskToStop(instrument: Instrument, leg: Leg, lots: number): number {
  const stop = leg.protection?.stopTicks ?? null;
  const at = notional(instrument, leg.expectedTicks, lots, 'ceil');
  if (stop === null && leg.side === 'sell' && instrument.kind === 'binary' && instrument.payoutTicks !== null)
    return notional(instrument, instrument.payoutTicks, lots, 'ceil') - at;
  if (stop === null) return at;
  return Math.abs(at - notional(instrument, stop, lots, 'floor'));
}

/** Money facts of a plan in base minor units; `toBase` converts from a leg's settle currency, against us. */
export function planFacts(
  plan: Plan,
  instrumentOf: PlanFacts['instrumentOf'],
  toBase: (instrument: Instrument, amount: number) => number,
): PlanFacts {
  let total = 0;
  let margin = 0;
  let fee = 0;
  let leverage = 0;
  const legs: Omit<LegFacts, 'riskToStop'>[] = [];
  for (const leg of plan.legs) {
    const instrument = instrumentOf(leg.instrument);
    const ticks = leg.limitTicks ?? leg.expectedTicks;
    const value = toBase(instrument, notional(instrument, ticks, leg.lots, 'ceil'));
    const own = {
      instrument: instrument.id,
      underlying: instrument.underlying,
      direction: sideSign(leg.side),
      notional: value,
      margin: tiedUp(instrument, leg, value, toBase),
      fee: mulDiv(value, Math.max(0, feesAt(instrument, plan.at).takerRate), RATE_ONE, 'ceil'),
    };
    legs.push(own);
    total += value;
    margin += own.margin;
    fee += own.fee;
    leverage = Math.max(leverage, leg.leverage);
  }
  const riskToStop = toBase(instrumentOf(plan.legs[0]!.instrument), plan.worstLoss);
  const facts = { notional: total, margin, fee, riskToStop, leverage, instrumentOf };
  if (legs.length === 1) return facts;
  // the combined worst loss is shared out by worth; all else each leg has of its own
  const share = (leg: { notional: number }) => (total > 0 ? leg.notional / total : 1 / legs.length);
  return { ...facts, legs: legs.map((leg) => ({ ...leg, riskToStop: riskToStop * share(leg) })) };
}

/** What a leg ties up: margin of a contract, the whole price of what is bought outright, the payout of a claim sold. */
function tiedUp(
  instrument: Instrument,
  leg: Leg,
  value: number,
  toBase: (instrument: Instrument, amount: number) => number,
): number {
  if (isPerpetual(instrument)) return Math.ceil(value / leg.leverage);
  if (leg.side === 'buy') return value;
  const { payoutTicks } = instrument;
  if (instrument.kind !== 'binary' || payoutTicks === null) return Math.ceil(value / leg.leverage);
  return Math.max(0, toBase(instrument, notional(instrument, payoutTicks, leg.lots, 'ceil')) - value);
}

/** What a proposal becomes a plan from. */
export interface ProposalIdea {
  readonly id: string;
  readonly desk: string;
  readonly at: Instant;
  readonly proposal: Proposal;
  readonly confidence: number;
  readonly intervalMs: number;
  readonly legFailure: LegFailure;
  readonly leverage: number;
  readonly find: (
    id: InstrumentId,
  ) => { readonly instrument: Instrument; readonly book: BookId; readonly price: number } | null;
  /** Signed lots held in a book. */
  readonly heldLots: (book: BookId) => number;
}

/** All legs of a proposal or none. Legs that only close what is held make an exit plan. */
export function proposalPlan(idea: ProposalIdea): Plan | Objection {
  const legs: Leg[] = [];
  let closing = 0;
  for (const wanted of idea.proposal.legs) {
    const found = idea.find(wanted.instrument);
    if (found === null) return { by: 'proposal', reason: `the desk does not trade ${wanted.instrument}` };
    const { instrument, book, price } = found;
    const { side, quantity, limitPrice } = wanted;
    if (![price, quantity, limitPrice ?? 1].every((x) => Number.isFinite(x) && x > 0)) {
      return {
        by: 'grid',
        reason: `a leg in ${instrument.id} has a price or size that is not positive and finite`,
      };
    }
    if (!onGrid(quantity, instrument.lot) || !onGrid(limitPrice ?? price, instrument.tick)) {
      return { by: 'grid', reason: `a leg in ${instrument.id} is beyond what whole lots and ticks can hold` };
    }
    const lots = numberToSteps(quantity, instrument.lot, 'floor');
    if (lots < instrument.minLots) {
      return {
        by: 'grid',
        reason: `a leg is below the smallest order of ${instrument.id}`,
        measured: quantity,
      };
    }
    if (![price, limitPrice ?? price].every((at) => canReckon(instrument, lots, at))) {
      return { by: 'grid', reason: `a leg in ${instrument.id} is worth more than money can be reckoned in` };
    }
    const held = idea.heldLots(book);
    const closes = held !== 0 && held > 0 === (side === 'sell') && Math.abs(held) >= lots;
    if (closes) closing += 1;
    legs.push({
      book,
      instrument: instrument.id,
      side,
      lots,
      type: limitPrice === null ? 'market' : 'limit',
      limitTicks:
        limitPrice === null
          ? null
          : numberToSteps(limitPrice, instrument.tick, side === 'buy' ? 'floor' : 'ceil'),
      triggerTicks: null,
      timeInForce: limitPrice === null ? 'GTC' : 'GTD',
      postOnly: wanted.postOnly ?? false,
      reduceOnly: closes,
      leverage: idea.leverage,
      expectedTicks: numberToSteps(price, instrument.tick, 'half-away'),
      worstTicks: null,
      protection: null,
      reason: closes ? 'leg-close' : 'leg',
    });
  }
  if (legs.length === 0) return { by: 'proposal', reason: 'the proposal has no legs' };
  const first = idea.find(legs[0]!.instrument)!.instrument;
  const allClose = closing === legs.length;
  return {
    id: idea.id,
    desk: idea.desk,
    at: idea.at,
    purpose: allClose ? 'exit' : 'entry',
    confidence: idea.confidence,
    legs: allClose ? legs : legs.map((leg) => ({ ...leg, reduceOnly: false })),
    // what was to be closed is not opened again because another leg could not be closed
    legFailure: allClose ? 'complete-at-market' : idea.legFailure,
    unhedgedMax: null,
    worstLoss: Math.ceil(idea.proposal.worstLoss * 10 ** first.minorScale),
    expiresAt: idea.at + idea.intervalMs,
  };
}
