import { stepsToNumber } from '#base';
import { canReckon, type Instrument, valueAt, WORTH_MOST } from '#market';
import type { Accounts } from './accounts.ts';
import type { Holdings } from './holdings.ts';
import type { Orders } from './orders.ts';

/** So many worths no larger than this can be added without being looked at. */
const UNSEEN = 64;
/** A price is judged with those up to so many times higher, which need no judging then. */
const HEADROOM = 16;

/**
 * Whether all that is held and ordered of the instrument in a slot could be reckoned at any price from `low` to `high`:
 * its worth, and the worth of everything held together, must fit whole minor units of its currency and of the base. A
 * price at which they do not must not become a mark. Costs one comparison as long as nothing was traded.
 */
export function canValue(
  accounts: Accounts,
  holdings: Holdings,
  orders: Orders,
  slot: number,
  low: number,
  high: number,
): boolean {
  if (holdings.isBelowCeiling(slot, high)) return true;
  const term = holdings.term(slot);
  let lots = holdings.size(slot);
  if (Number.isNaN(lots)) lots = holdings.count(slot, orders.openLots(term.id));
  const inverse = term.kind === 'inverse-perpetual';
  if (!inverse && isSmall(accounts, term, lots, high * HEADROOM)) {
    holdings.setCeiling(slot, lots === 0 ? Infinity : high * HEADROOM);
    return true;
  }
  const price = inverse ? low : high;
  if (isSmall(accounts, term, lots, price)) return true;
  if (!canReckon(term, lots, price)) return false;
  const worth = valueAt(term, lots, price) * perMinor(accounts, term);
  return worth + worthBeside(accounts, holdings, slot) <= WORTH_MOST;
}

/** Whether so many lots are worth so little that nobody need look at what else is held. */
function isSmall(accounts: Accounts, term: Instrument, lots: number, price: number): boolean {
  return (
    canReckon(term, lots, price) &&
    valueAt(term, lots, price) * perMinor(accounts, term) <= WORTH_MOST / UNSEEN
  );
}

/** Base minor units for a minor unit of an instrument's currency, and no less than one for one. */
function perMinor(accounts: Accounts, { settle }: Instrument): number {
  const slot = accounts.slotOf(settle);
  return slot === undefined ? 1 : Math.max(1, accounts.perMinor(slot));
}

/** What is held of all other instruments is worth at their marks, as a float. */
function worthBeside(accounts: Accounts, holdings: Holdings, slot: number): number {
  let sum = 0;
  for (const { instrumentSlot, position } of holdings.open) {
    const ticks = holdings.markTicks(instrumentSlot);
    if (instrumentSlot === slot || !(ticks > 0)) continue;
    const term = holdings.term(instrumentSlot);
    const worth = valueAt(term, Math.abs(position.lots), stepsToNumber(ticks, term.tick));
    sum += worth * perMinor(accounts, term);
  }
  return sum;
}
