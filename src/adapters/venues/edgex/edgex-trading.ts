import { InputError, type Instant, numberToSteps } from '#base';
import type { BookId, ClientOrderId, OrderRequest, VenueReport } from '#ledger';
import { type FeedClock, systemClock, VenueRefusal } from '../../feeds/feed-clock.ts';
import { LiveArming } from '../arming.ts';
import type { EdgexContract, EdgexDirectory } from './contracts.ts';
import type { EdgexRest } from './edgex-rest.ts';
import { orderBody, takesType } from './order-body.ts';
import type { OrderSigner } from './order-signature.ts';
import { reportOfAccount, reportOfFill, reportOfOrder } from './reports.ts';
import * as shapes from './shapes.ts';

/** The outcome of an order that was handed over: the venue's word, or that nobody knows. */
export type Handed =
  | { readonly outcome: 'reported'; readonly report: VenueReport }
  | { readonly outcome: 'not-sent' | 'unknown'; readonly reason: string };

export interface EdgexTradingOptions {
  /** The account as the configuration names it; the arming must be its own. */
  readonly account: string;
  readonly accountId: string;
  /** Signs; made with this account's credentials. */
  readonly rest: EdgexRest;
  readonly directory: EdgexDirectory;
  readonly signer: OrderSigner;
  /** Where fills go that nobody asked for. */
  readonly unaskedBook: BookId;
  readonly clock?: FeedClock;
}

/**
 * Orders at edgeX. Every method that could move money needs live trading to be armed for this account; without it the object
 * cannot be made. An order is sent once: when the answer is lost, `unknown`, and {@link query} finds out, for the client id
 * is the venue's idempotency key.
 */
export class EdgexTrading {
  private readonly options: EdgexTradingOptions;
  private readonly clock: FeedClock;

  constructor(options: EdgexTradingOptions, arming: LiveArming) {
    if (!LiveArming.arms(arming, options.account)) {
      throw new InputError(
        `live trading of ${options.account} is not armed`,
        'arm it in its two steps, or trade on paper',
      );
    }
    this.options = options;
    this.clock = options.clock ?? systemClock;
  }

  async submit(order: OrderRequest): Promise<Handed> {
    const { accountId, directory, signer, rest } = this.options;
    const contract = directory.byId.get(order.instrument);
    if (contract === undefined || !contract.tradable)
      return this.rejected(order, `edgeX does not trade ${order.instrument}`);
    if (!takesType(order.type)) return this.rejected(order, `edgeX has no ${order.type} orders`);
    let oracleTicks: number | null = null;
    try {
      if (order.limitTicks === null && order.side === 'buy') oracleTicks = await this.oracleTicks(contract);
    } catch (cause) {
      return { outcome: 'not-sent', reason: (cause as Error).message };
    }
    const now = Math.floor(rest.serverNow());
    const { domain } = directory;
    const body = orderBody(order, { accountId, contract, domain, signer, now, oracleTicks });
    if ('refused' in body) return this.rejected(order, body.refused as string);
    try {
      const { orderId } = await rest.post('/private/order/createOrder', body, shapes.createdOrder);
      const at = this.now();
      return {
        outcome: 'reported',
        report: {
          kind: 'order-accepted',
          at,
          eventTime: at,
          clientId: order.clientId,
          venueOrderId: orderId,
        },
      };
    } catch (cause) {
      // the venue's no is certain; whatever else went wrong may have happened after it took the order
      if (cause instanceof VenueRefusal) return this.rejected(order, cause.message);
      return { outcome: 'unknown', reason: (cause as Error).message };
    }
  }

  /** Asks to cancel by client id. Null: asked for, the stream will tell; otherwise the venue's refusal. */
  async cancel(clientId: ClientOrderId): Promise<VenueReport | null> {
    const { accountId, rest } = this.options;
    const { cancelResultMap } = await rest.post(
      '/private/order/cancelOrderByClientOrderId',
      { accountId, clientOrderIdList: [clientId] },
      shapes.cancelResult,
    );
    const result =
      cancelResultMap[clientId] ?? Object.values(cancelResultMap)[0] ?? 'no answer for this order';
    if (result === 'SUCCESS') return null;
    const at = this.now();
    return { kind: 'cancel-rejected', at, eventTime: at, clientId, reason: result };
  }

  /** What became of an order: its state and all of its fills. */
  async query(clientId: ClientOrderId): Promise<readonly VenueReport[]> {
    const { accountId, rest, directory, unaskedBook } = this.options;
    const found = await rest.get(
      '/private/order/getOrderByClientOrderId',
      { accountId, clientOrderIdList: clientId },
      shapes.order.array(),
    );
    const order = found.find((o) => o.clientOrderId === clientId);
    const at = this.now();
    if (order === undefined) return [{ kind: 'order-unknown', at, eventTime: at, clientId }];
    const fills = await rest.get(
      '/private/order/getHistoryOrderFillTransactionPage',
      { accountId, size: '100', filterOrderIdList: order.orderId ?? order.id ?? '' },
      shapes.page(shapes.fillTransaction),
    );
    const contract = directory.byContract.get(order.contractId);
    const filled =
      contract === undefined
        ? []
        : fills.dataList.map((row) => reportOfFill(row, contract, at, (id) => id === clientId, unaskedBook));
    return [...filled, reportOfOrder(order, at)].filter((report) => report !== null);
  }

  /** What is held and open, for reconciliation. */
  async account(): Promise<VenueReport> {
    const { accountId, rest, directory } = this.options;
    const asset = await rest.get('/private/account/getAccountAsset', { accountId }, shapes.accountAsset);
    const orders: shapes.Order[] = [];
    let offset = '';
    do {
      const query = { accountId, size: '200', offsetData: offset };
      const page = await rest.get('/private/order/getActiveOrderPage', query, shapes.page(shapes.order));
      orders.push(...page.dataList);
      offset = page.nextPageOffsetData ?? '';
    } while (offset !== '');
    return reportOfAccount(asset, orders, directory, this.now());
  }

  private async oracleTicks({ contractId, instrument }: EdgexContract): Promise<number | null> {
    const ticker = await this.options.rest.ticker(contractId);
    const price = Number(ticker?.oraclePrice ?? Number.NaN);
    return price > 0 ? numberToSteps(price, instrument.tick, 'half-away') : null;
  }

  private rejected({ clientId }: OrderRequest, reason: string): Handed {
    const at = this.now();
    return { outcome: 'reported', report: { kind: 'order-rejected', at, eventTime: at, clientId, reason } };
  }

  private now(): Instant {
    return Math.floor(this.clock.now());
  }
}
