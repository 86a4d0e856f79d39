import { type Instant, numberToSteps, parseDecimal } from '#base';
import type { BookId, ClientOrderId, Fill, VenueReport } from '#ledger';
import type { EdgexContract, EdgexDirectory } from './contracts.ts';
import type { AccountAsset, FillTransaction, Order } from './shapes.ts';

/** Whole steps of decimal text; null when it is none. */
function stepsOf(text: string, step: { units: number; scale: number }): number | null {
  const units = parseDecimal(text, step.scale);
  return units === null || units % step.units !== 0 ? null : units / step.units;
}

/** Ends that we did not ask for, in words. */
const REASONS: Readonly<Record<string, string>> = {
  USER_CANCELED: 'canceled by us',
  EXPIRE_CANCELED: 'expired',
  COULD_NOT_FILL: 'could not be filled at once',
  REDUCE_ONLY_CANCELED: 'would not have reduced',
  LIQUIDATE_CANCELED: 'the account was liquidated',
  MARGIN_NOT_ENOUGH: 'not enough margin',
  SYSTEM_LIMIT_EVICTED: 'the venue has too many orders',
  ADMIN_CANCELED: 'canceled by the venue',
  INTERNAL_FAILED: 'the venue failed',
};

/** What an order's state says; null for one that says nothing new (filled orders are told by their fills). */
export function reportOfOrder(order: Order, at: Instant): VenueReport | null {
  const clientId = order.clientOrderId as ClientOrderId;
  const stamp = { at, eventTime: at, clientId };
  switch (order.status) {
    case 'PENDING':
    case 'OPEN':
    case 'UNTRIGGERED':
      return { ...stamp, kind: 'order-accepted', venueOrderId: order.orderId ?? order.id ?? '' };
    case 'CANCELED':
      return order.cancelReason === 'EXPIRE_CANCELED'
        ? { ...stamp, kind: 'order-expired', reason: 'expired' }
        : {
            ...stamp,
            kind: 'order-canceled',
            reason: REASONS[order.cancelReason ?? ''] ?? order.cancelReason ?? 'canceled',
          };
    case 'CANCELING':
    case 'FILLED':
      return null;
  }
}

/** A fill on the instrument's grid; null when it is not on it, which a person must look at. */
export function fillOf(row: FillTransaction, contract: EdgexContract): Fill | null {
  const { instrument } = contract;
  const lots = stepsOf(row.fillSize, instrument.lot);
  const ticks = stepsOf(row.fillPrice, instrument.tick);
  const fee = Number(row.fillFee);
  const side = row.orderSide ?? row.side;
  if (lots === null || lots <= 0 || ticks === null || !Number.isFinite(fee) || side === undefined)
    return null;
  return {
    fillId: `edgex-${row.id}`,
    clientId: (row.orderClientOrderId ?? row.clientOrderId ?? '') as ClientOrderId,
    instrument: instrument.id,
    side: side === 'BUY' ? 'buy' : 'sell',
    lots,
    ticks,
    // fees round against us
    fee: numberToSteps(fee, { units: 1, scale: instrument.minorScale }, 'ceil'),
    liquidity: row.isLiquidate ? 'liquidation' : row.direction === 'MAKER' ? 'maker' : 'taker',
  };
}

/** A fill as a report: of an order of ours, or one that nobody asked for, booked to `unasked`. */
export function reportOfFill(
  row: FillTransaction,
  contract: EdgexContract,
  at: Instant,
  isOurs: (clientId: ClientOrderId) => boolean,
  unasked: BookId,
): VenueReport | null {
  const fill = fillOf(row, contract);
  if (fill === null) return null;
  const stamp = { at, eventTime: row.createdTime };
  if (!row.isLiquidate && !row.isDeleverage && isOurs(fill.clientId))
    return { ...stamp, kind: 'order-filled', fill };
  const cause = row.isLiquidate ? 'liquidation' : row.isDeleverage ? 'deleveraging' : 'manual';
  return { ...stamp, kind: 'unasked-fill', book: unasked, cause, fill };
}

/** What the venue says is held and open. */
export function reportOfAccount(
  asset: AccountAsset,
  openOrders: readonly Order[],
  directory: EdgexDirectory,
  at: Instant,
): VenueReport {
  const nets = asset.positionList.flatMap((position) => {
    const contract = directory.byContract.get(position.contractId);
    if (contract === undefined) return [];
    const lots = stepsOf(position.openSize, contract.instrument.lot);
    return lots === null || lots === 0 ? [] : [{ instrument: contract.instrument.id, lots }];
  });
  return {
    kind: 'account-reported',
    at,
    eventTime: at,
    venue: 'EDGEX',
    nets,
    openOrders: openOrders.map((order) => order.clientOrderId as ClientOrderId),
  };
}
