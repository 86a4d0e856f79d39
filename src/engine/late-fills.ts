import { RecentMap } from '#base';
import {
  type BookId,
  bookKey,
  type ClientOrderId,
  type Fill,
  isEnded,
  type Ledger,
  type OrderRequest,
  type OrderState,
  type Position,
} from '#ledger';
import type { InstrumentId } from '#market';
import type { EntryMemory, Leaving } from './held.ts';

/** What becomes of a fill that nobody expected any more: closed, protected anew, or left as its plan protects it. */
export type LateOutcome = 'leaves' | 'protected' | 'stands';

type Reducing = Pick<OrderRequest, 'instrument' | 'side' | 'lots'>;

/** What is needed from the lane. */
export interface LateFillsPort {
  readonly ledger: Ledger;
  readonly nextId: () => ClientOrderId;
  readonly reducesNet: (order: Reducing) => boolean;
  readonly send: (order: OrderRequest) => void;
  readonly leave: (book: BookId, leaving: Leaving) => void;
}

/** How a fill came. */
interface Came {
  /** Its order had ended before and has ended after it. */
  readonly late: boolean;
  /** Its book was flat before, or was turned by it. */
  readonly opened: boolean;
  /** Why what it fills is to be closed; null: it is not. */
  readonly unwanted: Leaving | null;
  /** Nothing may be asked for: another version has done that. */
  readonly muted: boolean;
}

/** An entry that has ended before it had filled whole. Plain data. */
interface EndedEntry {
  readonly id: ClientOrderId;
  readonly book: BookId;
  /** What the desk knew when it asked for it; null: nothing is known. */
  readonly memory: EntryMemory | null;
  /** Why its book was to be flat when it was canceled or later; null: it was not. */
  readonly unwanted: Leaving | null;
}

/** As many as may still tell a fill, not as many as there were. */
const ENDED_MOST = 64;

/** Of what nobody wants and no exit was asked for. */
export const LATE: Leaving = Object.freeze({ reason: 'exit:late-fill', manual: false });

/** A person's word is not weakened by a later one. */
export const stronger = (first: Leaving | null | undefined, second: Leaving): Leaving =>
  first?.manual === true ? first : second;

/**
 * Venues tell fills after they have told the end of an order. The books take them as facts; this part remembers what
 * is to become of such a position: whether its book was to be flat, and what its plan says of it.
 */
export class LateFills {
  static readonly configuration = ['port'];
  private readonly port: LateFillsPort;
  /** Entries that work and are being canceled because their book is to be flat. */
  private readonly unwanted = new Map<ClientOrderId, Leaving>();
  private readonly ended = new RecentMap<ClientOrderId, EndedEntry>(ENDED_MOST);

  constructor(port: LateFillsPort) {
    this.port = port;
  }

  /** An entry is canceled because its book is to be flat. */
  entryLeaves(id: ClientOrderId, leaving: Leaving): void {
    this.unwanted.set(id, stronger(this.unwanted.get(id), leaving));
  }

  /** A book is to be flat: that goes for what its ended entries may have filled as well. */
  bookLeaves(book: BookId, leaving: Leaving): void {
    if (this.ended.size === 0) return;
    for (const entry of this.ended.values())
      if (entry.book === book)
        this.ended.set(entry.id, { ...entry, unwanted: stronger(entry.unwanted, leaving) });
  }

  /** An entry has just ended. */
  entryEnded({ request, status }: OrderState, memory: EntryMemory | null): void {
    const { clientId: id, book } = request;
    const unwanted = this.unwanted.get(id) ?? null;
    if (unwanted !== null) this.unwanted.delete(id);
    if (status !== 'filled') this.ended.set(id, { id, book, memory, unwanted });
  }

  /** An entry that was given up is alive after all: what was known of it, null where nothing was. */
  revived(id: ClientOrderId): EndedEntry | null {
    const entry = this.of(id);
    this.ended.delete(id);
    if (entry !== null && entry.unwanted !== null) this.unwanted.set(id, entry.unwanted);
    return entry;
  }

  of(id: ClientOrderId): EndedEntry | null {
    return this.ended.get(id) ?? null;
  }

  /** Why what an entry fills now is to be closed; null: it is not. */
  whyUnwanted(id: ClientOrderId): Leaving | null {
    return this.unwanted.get(id) ?? this.ended.get(id)?.unwanted ?? null;
  }

  /** What becomes of a fill that nobody expected any more; null for all others. It has been booked. */
  settle(order: OrderState, fill: Fill, position: Position | null, came: Came): LateOutcome | null {
    const { clientId, book, reduceOnly } = order.request;
    if (position === null || position.lots === 0 || position.lots > 0 !== (fill.side === 'buy')) return null;
    if (reduceOnly) {
      // one that is told before the fill of its entry only looks as if it had opened something
      if (this.port.ledger.works(book, false)) return null;
      this.port.leave(book, LATE);
      return 'leaves';
    }
    const isUnknown = came.late && came.opened && this.of(clientId) === null;
    const unwanted = came.unwanted ?? (isUnknown ? LATE : null);
    if (unwanted !== null) {
      this.port.leave(book, unwanted);
      return came.late ? 'leaves' : null;
    }
    if (!came.late) return null;
    return came.muted ? 'stands' : this.protect(order, Math.min(fill.lots, Math.abs(position.lots)));
  }

  /** Sends the protective orders of an entry again where they ended with it. */
  private protect(entry: OrderState, lots: number): LateOutcome {
    const { ledger, leave, nextId, reducesNet, send } = this.port;
    const lost = lostProtection(ledger, entry);
    const passed = lost.find((order) => isPassed(ledger, order));
    if (passed !== undefined) {
      leave(entry.request.book, { reason: `exit:${passed.request.reason}`, manual: false });
      return 'leaves';
    }
    for (const order of protectionAnew(lost, lots, nextId, reducesNet)) send(order);
    return lost.length > 0 ? 'protected' : 'stands';
  }

  /** Levels and sizes of an instrument are no longer those that were planned. */
  forget(instrument: InstrumentId): void {
    for (const { id, book } of this.ended.values())
      if (bookKey(book).instrument === instrument) this.ended.delete(id);
  }
}

const isAlive = ({ status, cancelRequestedAt }: OrderState): boolean =>
  !isEnded(status) && cancelRequestedAt === null;

const isTarget = ({ request }: OrderState): boolean => request.reason === 'take-profit';

/**
 * The protective orders of an entry that are to be sent again for what it has filled after its end: none while its stop
 * (its target, where it has no stop) works, as where the venue lets it follow what its entry fills.
 */
function lostProtection(ledger: Ledger, { request }: OrderState): readonly OrderState[] {
  const children = ledger
    .recentOrders(request.instrument, -Infinity)
    .filter((order) => order.request.parent === request.clientId);
  const stops = children.filter((order) => !isTarget(order));
  if ((stops.length > 0 ? stops : children).some(isAlive)) return [];
  return children.filter((order) => !isAlive(order));
}

/** Whether the price has reached a stop already: its position is to be closed, a venue may refuse such a stop. */
function isPassed(ledger: Ledger, { request, triggerTicks }: OrderState): boolean {
  const mark = ledger.lastMark(request.instrument);
  if (mark === null || triggerTicks === null || request.reason === 'take-profit') return false;
  return request.side === 'sell' ? mark.ticks <= triggerTicks : mark.ticks >= triggerTicks;
}

/** Protective orders again, for `lots`, as orders of their own: their entry has ended. */
function protectionAnew(
  lost: readonly OrderState[],
  lots: number,
  nextId: () => ClientOrderId,
  reducesNet: (order: Reducing) => boolean,
): readonly OrderRequest[] {
  const ids = lost.map(nextId);
  const ocoGroup = ids.length > 1 ? `${ids[0]}/protection` : null;
  return lost.map(({ request, triggerTicks }, i) => ({
    ...request,
    clientId: ids[i]!,
    lots,
    triggerTicks,
    expectedTicks: triggerTicks,
    reduceOnlyAtVenue: reducesNet({ ...request, lots }),
    ocoGroup,
    parent: null,
  }));
}
