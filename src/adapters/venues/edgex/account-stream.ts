import { Chance, MINUTE, SECOND } from '#base';
import type { BookId, ClientOrderId, VenueReport } from '#ledger';
import { type FeedClock, systemClock } from '../../feeds/feed-clock.ts';
import { assertVenueUrlAllowed } from '../../feeds/venue-guard.ts';
import type { EdgexDirectory } from './contracts.ts';
import { EDGEX_WS_URL } from './edgex-feed-options.ts';
import type { EdgexCredentials } from './edgex-rest.ts';
import { reportOfFill, reportOfOrder } from './reports.ts';
import { requestSignature } from './request-signature.ts';
import type { SocketMessage } from './shapes.ts';
import { EdgexSocket } from './socket.ts';

const PATH = '/api/v1/private/ws';

/**
 * Address and headers of the private stream. How the two values of the query enter the signed text is the least certain
 * thing known of this venue: it stands here and nowhere else.
 */
export function privateHandshake(
  wsUrl: string,
  credentials: EdgexCredentials,
  timestamp: number,
): { url: string; headers: Record<string, string> } {
  const { accountId, apiKey, passphrase, secret } = credentials;
  const fields = { accountId, timestamp: String(timestamp) };
  const signature = requestSignature({ timestamp, method: 'GET', path: PATH, fields }, secret);
  return {
    url: `${wsUrl}${PATH}?accountId=${accountId}&timestamp=${timestamp}`,
    headers: {
      'X-edgeX-Api-Key': apiKey,
      'X-edgeX-Passphrase': passphrase,
      'X-edgeX-Signature': signature,
      'X-edgeX-Timestamp': String(timestamp),
    },
  };
}

export interface AccountStreamOptions {
  readonly credentials: EdgexCredentials;
  readonly directory: EdgexDirectory;
  readonly unaskedBook: BookId;
  readonly isOurs: (clientId: ClientOrderId) => boolean;
  readonly onReport: (report: VenueReport) => void;
  /** Down: what is known of orders may be old; up again: ask for the account and for every open order. */
  readonly onState: (state: 'up' | 'down', detail: string) => void;
  /** A message that should have been a report and could not be read: a person must look. */
  readonly onFault: (what: string) => void;
  readonly armed: boolean;
  readonly wsUrl?: string;
  readonly serverNow?: () => number;
  readonly clock?: FeedClock;
  readonly chance?: Chance;
  readonly silentMs?: number;
}

/** Orders and fills of one account as they happen. The snapshot that greets is not repeated as news: a query tells more. */
export class EdgexAccountStream {
  private readonly options: AccountStreamOptions;
  private readonly socket: EdgexSocket;
  private readonly clock: FeedClock;

  constructor(options: AccountStreamOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    const wsUrl = options.wsUrl ?? EDGEX_WS_URL;
    assertVenueUrlAllowed(`${wsUrl}${PATH}`, { armed: options.armed });
    const now = () => Math.floor((options.serverNow ?? (() => this.clock.now()))());
    let handshake = privateHandshake(wsUrl, options.credentials, now());
    this.socket = new EdgexSocket({
      url: () => {
        handshake = privateHandshake(wsUrl, options.credentials, now());
        return handshake.url;
      },
      headers: () => handshake.headers,
      channels: [],
      clock: this.clock,
      chance: options.chance ?? new Chance('edgex-account'),
      silentMs: options.silentMs ?? MINUTE,
      connectMs: 15 * SECOND,
      backoffBaseMs: SECOND,
      backoffMostMs: MINUTE,
      onOpen: () => options.onState('up', 'connected'),
      onDown: (reason) => options.onState('down', reason),
      onMessage: (message) => this.receive(message),
    });
  }

  start(): void {
    this.socket.start();
  }

  stop(): void {
    this.socket.stop();
  }

  /** Messages of unknown shape. */
  get malformed(): number {
    return this.socket.malformed;
  }

  private receive(message: SocketMessage): void {
    if (message.type !== 'trade-event' || message.content.event === 'Snapshot') return;
    const { directory, isOurs, unaskedBook, onReport, onFault } = this.options;
    const at = Math.floor(this.clock.now());
    const { order, orderFillTransaction } = message.content.data;
    for (const row of orderFillTransaction) {
      const contract = directory.byContract.get(row.contractId);
      const report = contract === undefined ? null : reportOfFill(row, contract, at, isOurs, unaskedBook);
      if (report === null) onFault(`fill ${row.id} is not on the grid of any contract known`);
      else onReport(report);
    }
    for (const row of order) {
      if (!isOurs(row.clientOrderId as ClientOrderId)) continue;
      const report = reportOfOrder(row, at);
      if (report !== null) onReport(report);
    }
  }
}
