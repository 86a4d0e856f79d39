import { assert, broken, type Instant } from '#base';
import {
  type ClientOrderId,
  type OrderRequest,
  type OrderType,
  opposite,
  sideSign,
  type TimeInForce,
} from '#ledger';
import { type Approved, isApproved, type Leg, type Plan, type Protection } from '#risk';

export interface PlanOrdersOptions {
  /** The loop's time: an approval that has run out may not be used. */
  readonly at: Instant;
  /**
   * Whether a reduce-only order of this side and size also reduces the venue's net, once `before` more (signed) lots
   * have filled; default yes.
   */
  readonly reducesNet?: (
    order: Pick<OrderRequest, 'instrument' | 'side' | 'lots'>,
    before: number,
  ) => boolean;
  /** What of a reversal's leg is closed apart from the rest; default nothing. */
  readonly closesFirst?: (leg: Leg) => ClosedFirst | null;
}

/** Lots of a reversal that do not leave with its entry. */
export interface ClosedFirst {
  readonly lots: number;
  /** Of these, what a reduce-only order of their own must close: orders at work close the rest. */
  readonly asked: number;
}

const NOTHING_FIRST: ClosedFirst = { lots: 0, asked: 0 };

/** The worst price a leg may fill at becomes part of the order's type. */
function bounded(leg: Leg): { type: OrderType; limitTicks: number | null; timeInForce: TimeInForce } {
  const { type, worstTicks, limitTicks, timeInForce, side } = leg;
  if (worstTicks === null) return { type, limitTicks, timeInForce };
  switch (type) {
    case 'market': {
      // it must not rest at its worst price: what cannot fill now is not wanted later
      const now = timeInForce === 'FOK' ? 'FOK' : 'IOC';
      return { type: 'limit', limitTicks: worstTicks, timeInForce: now };
    }
    case 'stop':
      return { type: 'stop-limit', limitTicks: worstTicks, timeInForce };
    case 'take-profit':
      return { type: 'take-profit-limit', limitTicks: worstTicks, timeInForce };
    case 'limit':
    case 'stop-limit':
    case 'take-profit-limit': {
      const best = side === 'buy' ? Math.min : Math.max;
      return {
        type,
        limitTicks: limitTicks === null ? worstTicks : best(limitTicks, worstTicks),
        timeInForce,
      };
    }
    case 'trailing-stop':
      assert(false, 'a trailing stop has no worst price');
  }
}

interface ChildSpec {
  readonly type: OrderType;
  readonly triggerTicks: number | null;
  readonly trailRate: number | null;
  readonly reason: string;
}

function childSpecs({ stopTicks, targetTicks, trailRate }: Protection): ChildSpec[] {
  const specs: ChildSpec[] = [];
  if (stopTicks !== null) {
    specs.push({ type: 'stop', triggerTicks: stopTicks, trailRate: null, reason: 'stop-loss' });
  }
  if (targetTicks !== null) {
    specs.push({ type: 'take-profit', triggerTicks: targetTicks, trailRate: null, reason: 'take-profit' });
  }
  if (trailRate !== null)
    specs.push({ type: 'trailing-stop', triggerTicks: null, trailRate, reason: 'trailing-stop' });
  return specs;
}

/**
 * Stop, target and trail rest as children of the entry and cancel each other. They work once it has filled, and `before`
 * lots with it: that is when they must reduce the venue's net, whatever it is now.
 */
function protectionOrders(
  entry: OrderRequest,
  leg: Leg,
  nextId: () => ClientOrderId,
  before: number,
  { reducesNet }: PlanOrdersOptions,
): OrderRequest[] {
  if (leg.protection === null || leg.type === 'trailing-stop') return [];
  const specs = childSpecs(leg.protection);
  const ocoGroup = specs.length > 1 ? `${entry.clientId}/protection` : null;
  const { instrument, lots } = entry;
  const reduceOnlyAtVenue = reducesNet?.({ instrument, side: opposite(entry.side), lots }, before) ?? true;
  return specs.map((spec) => ({
    clientId: nextId(),
    book: entry.book,
    instrument: entry.instrument,
    side: opposite(entry.side),
    lots: entry.lots,
    type: spec.type,
    limitTicks: null,
    triggerTicks: spec.triggerTicks,
    trailRate: spec.trailRate,
    timeInForce: 'GTC',
    expiresAt: null,
    postOnly: false,
    reduceOnly: true,
    reduceOnlyAtVenue,
    ocoGroup,
    parent: entry.clientId,
    leverage: entry.leverage,
    expectedTicks: spec.triggerTicks,
    reason: spec.reason,
  }));
}

/**
 * Orders of an approved plan: for each leg its order and then its protection. `ids(n)` names the n-th order, n from 0.
 * The whole plan expires with its GTD legs at `plan.expiresAt`. Throws on a plan risk did not approve or whose
 * approval has run out: both are bugs of the caller.
 */
export function planOrders<P extends Plan>(
  approved: Approved<P>,
  ids: (n: number) => ClientOrderId,
  options: PlanOrdersOptions,
): OrderRequest[] {
  assert(isApproved(approved), 'only an approved plan becomes orders');
  if (!(options.at <= approved.approvedUntil)) broken(`the approval of plan ${approved.plan.id} has run out`);
  const { plan } = approved;
  const closes = plan.purpose === 'exit' || plan.purpose === 'unwind';
  const orders: OrderRequest[] = [];
  let n = 0;
  const nextId = () => ids(n++);
  for (const whole of plan.legs) {
    if (!(Number.isSafeInteger(whole.lots) && whole.lots > 0))
      broken(`plan ${plan.id} has a leg without size`);
    const apart = (plan.purpose === 'reverse' ? options.closesFirst?.(whole) : null) ?? NOTHING_FIRST;
    if (!(Number.isSafeInteger(apart.lots) && apart.lots >= 0 && apart.lots < whole.lots))
      broken(`plan ${plan.id} closes ${apart.lots} of ${whole.lots} lots`);
    if (!(Number.isSafeInteger(apart.asked) && apart.asked >= 0 && apart.asked <= apart.lots))
      broken(`plan ${plan.id} asks for ${apart.asked} of ${apart.lots} lots`);
    const leg = apart.lots === 0 ? whole : { ...whole, lots: whole.lots - apart.lots };
    const reduceOnly = leg.reduceOnly || closes;
    const { type, limitTicks, timeInForce } = bounded(leg);
    const trailing = type === 'trailing-stop';
    const trailRate = trailing ? (leg.protection?.trailRate ?? null) : null;
    assert(!trailing || trailRate !== null, 'a trailing leg states its distance in its protection');
    const first = apart.asked > 0 ? nextId() : null;
    const entry: OrderRequest = {
      clientId: nextId(),
      book: leg.book,
      instrument: leg.instrument,
      side: leg.side,
      lots: leg.lots,
      type,
      limitTicks,
      triggerTicks: leg.triggerTicks,
      trailRate,
      timeInForce,
      expiresAt: timeInForce === 'GTD' ? plan.expiresAt : null,
      postOnly: leg.postOnly && type === 'limit',
      reduceOnly,
      reduceOnlyAtVenue: reduceOnly && (options.reducesNet?.(leg, 0) ?? true),
      ocoGroup: null,
      parent: null,
      leverage: leg.leverage,
      expectedTicks: leg.expectedTicks,
      reason: leg.reason,
    };
    if (first !== null) {
      const closes = { ...whole, lots: apart.asked };
      orders.push({
        ...entry,
        clientId: first,
        lots: apart.asked,
        reduceOnly: true,
        reduceOnlyAtVenue: options.reducesNet?.(closes, 0) ?? true,
        reason: 'exit:reverse',
      });
    }
    const whenFilled = sideSign(leg.side) * whole.lots;
    orders.push(entry, ...protectionOrders(entry, leg, nextId, whenFilled, options));
  }
  return orders;
}
