import { formatDecimal, type Instant } from '#base';
import type { BookId, ClientOrderId, OrderRequest, Trade } from '#ledger';
import { instrumentFor } from '#market';
import type { ModelsNote } from '../runner/notes.ts';

/** What a desk's references meant for a while; undefined: it asks for no models. */
export type Models = ModelsNote['models'] | undefined;

/** What a desk did on paper with one model. Trades belong to the model that decided on the entry, whenever they ended. */
export interface ModelOnPaper {
  /** Id; null: without a model. */
  readonly model: string | null;
  /** First and last instant at which it was in place and something was heard. */
  readonly from: Instant;
  readonly to: Instant;
  /** Days that the bars cover which count as time on paper with it, of one instrument or on average of several. */
  readonly days: number;
  readonly trades: number;
  readonly won: number;
  /** Sums of the trades that won and of those that lost, both positive, and of all; decimals of what the desk is settled in. */
  readonly profit: string;
  readonly loss: string;
  readonly net: string;
}

interface Sums {
  readonly model: string | null;
  readonly from: Instant;
  to: Instant;
  trades: number;
  won: number;
  profit: number;
  loss: number;
}

/**
 * A desk's record on paper by model, from the entries of its journal in order. An order belongs to the model in place when it
 * was sent, a position to that of the order which opened it.
 */
export class ModelRecord {
  private readonly reference: (models: Models) => string | null;
  private readonly sums = new Map<string | null, Sums>();
  private models: Models;
  private model: string | null = null;
  private at: Instant = 0;
  private minorScale = 0;
  private readonly orders = new Map<
    ClientOrderId,
    { readonly model: string | null; readonly opens: boolean }
  >();
  private readonly opened = new Map<BookId, string | null>();
  /** The order that filled last in each book: what ends a position may be what opens the next. */
  private readonly filled = new Map<BookId, ClientOrderId>();

  constructor(models: Models) {
    // a desk with several models is told by the first that it asks for
    const [reference] = Object.keys(models ?? {});
    this.reference = (now) => (reference === undefined ? null : (now?.[reference] ?? null));
    this.take(models);
  }

  /** The desk goes on with other models. */
  changed({ models }: ModelsNote): void {
    this.take(models);
  }

  private take(models: Models): void {
    this.models = models;
    this.model = this.reference(models);
  }

  /** With which models a bar counts that comes now: all that are in place. Null: the desk asks for some, and has none. */
  get countsWith(): readonly string[] | null {
    if (this.models === undefined) return [];
    const ids = new Set(Object.values(this.models).filter((id) => id !== null));
    return ids.size === 0 ? null : [...ids];
  }

  /** Whether the journal says which models the desk has. */
  get namesModels(): boolean {
    return this.models !== undefined;
  }

  /** A bar was heard while it was news. */
  heard(at: Instant): void {
    this.at = at;
    this.now().to = at;
  }

  /** An order left. */
  sent({ clientId, reduceOnly }: OrderRequest): void {
    this.orders.set(clientId, { model: this.model, opens: !reduceOnly });
  }

  /** One of its orders filled. */
  fill(book: BookId, id: ClientOrderId): void {
    this.filled.set(book, id);
    if (!this.opened.has(book)) this.opened.set(book, this.openerOf(id));
  }

  private openerOf(id: ClientOrderId): string | null {
    const order = this.orders.get(id);
    return order === undefined ? this.model : order.model;
  }

  /** A position has ended; told behind the fill that ended it. */
  traded({ book, net, instrument }: Trade): void {
    const sums = this.now(this.opened.get(book) ?? this.model);
    this.minorScale = instrumentFor(instrument).minorScale;
    sums.trades += 1;
    if (net > 0) {
      sums.won += 1;
      sums.profit += net;
    } else sums.loss -= net;
    this.opened.delete(book);
    const last = this.filled.get(book);
    // a reversal closes one position and opens another
    if (last !== undefined && this.orders.get(last)?.opens) this.opened.set(book, this.openerOf(last));
  }

  private now(model = this.model): Sums {
    let sums = this.sums.get(model);
    if (sums === undefined) {
      const { at } = this;
      sums = { model, from: at, to: at, trades: 0, won: 0, profit: 0, loss: 0 };
      this.sums.set(model, sums);
    }
    return sums;
  }

  /** By model, in the order in which they came. `days`: the time on paper of each, by id. */
  result(days: ReadonlyMap<string, number>): readonly ModelOnPaper[] {
    const money = (minor: number) => formatDecimal(minor, this.minorScale);
    return [...this.sums.values()].map(({ profit, loss, ...rest }) => ({
      ...rest,
      days: days.get(rest.model ?? '') ?? 0,
      profit: money(profit),
      loss: money(loss),
      net: money(profit - loss),
    }));
  }
}
