import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '#base';
import { readBarRequest } from './bar-body.ts';
import { barEntry } from './bar-record.ts';
import type { BarStreams, Offered, StreamDepth } from './bar-streams.ts';
import { KnownConfigs, type WebhookConfig, type WebhookDesk } from './known-configs.ts';
import { MemoryBuckets, type RateBuckets, WEBHOOK_RATE } from './rate-buckets.ts';
import { secretMark } from './secrets.ts';
import { AddressList, plainAddress, senderOf } from './sender-address.ts';
import { type AccessOptions, WebhookAccess } from './webhook-access.ts';
import { REFUSALS, type Refusal, rateRefusal, refusalAnswer, sizeRefusal } from './webhook-answers.ts';
import { placeOf, type WebhookNote } from './webhook-notes.ts';
import { WebhookSockets } from './webhook-sockets.ts';
import { type WebhookSnapshot, WebhookTally } from './webhook-tally.ts';
import { Answer, type Visit } from './webhook-visit.ts';

export interface WebhookServerOptions extends AccessOptions {
  readonly streams: BarStreams;
  /** Whose depth is told; the group of the worker. */
  readonly group: string;
  readonly configs: readonly WebhookConfig[];
  readonly desks: readonly WebhookDesk[];
  /** Proxies whose X-Forwarded-For counts. */
  readonly trustedProxies?: readonly string[];
  /** Default 64 KiB. */
  readonly bodyBytesMost?: number;
  /** How far ahead of our clock a bar may close. Default 5 s. */
  readonly aheadMsMost?: number;
  /** Of each sender one for the right secret and one for guesses. Default: buckets of this process. */
  readonly buckets?: RateBuckets;
  /** Requests at work at the same time. Default 1,000. */
  readonly inFlightMost?: number;
  /** Epoch ms. */
  readonly now?: () => number;
  readonly note?: (note: WebhookNote) => void;
  /** Told of each answer; `startedMs` by the monotonic clock. Must neither wait nor throw. */
  readonly onAnswer?: (answered: WebhookAnswered) => void;
}

/** One request that was answered, without its address and its secret. */
export interface WebhookAnswered {
  readonly method: string;
  /** Null where it did not come so far. */
  readonly desk: string | null;
  readonly status: number;
  readonly startedMs: number;
}

const BODY_BYTES_MOST = 65_536;
const AHEAD_MS_MOST = 5_000;
const IN_FLIGHT_MOST = 1_000;
const DEPTH_MS = 2_000;
const GRACE_MS = 3_000;
/** Lines of a log: a flood of refusals is counted, not written. */
const NOTES = { burst: 50, perSecond: 2 };

const QUEUED = new Answer(202, { ok: true, duplicate: false });
const DUPLICATE = new Answer(200, { ok: true, duplicate: true });
const PATH = /^\/webhook\/([^/?#]{1,200})\/([\w-]{1,64})\/?(?:\?.*)?$/;

/**
 * The address that bars are posted to: `POST /webhook/{secret}/{desk}`. A bar is answered with 202 once it is durable in the
 * queue and before anything is done with it, a repetition with 200; `GET /health` tells the state of the queue. TLS is the
 * work of a proxy in front.
 */
export class WebhookServer {
  private readonly options: WebhookServerOptions;
  private readonly streams: BarStreams;
  private readonly access: WebhookAccess;
  private readonly configs: KnownConfigs;
  private readonly desks: ReadonlyMap<string, WebhookDesk>;
  private readonly proxies: AddressList;
  private readonly buckets: RateBuckets;
  private readonly bodyBytesMost: number;
  private readonly aheadMsMost: number;
  private readonly inFlightMost: number;
  private readonly tooLong: Refusal;
  private readonly now: () => number;
  private readonly notes = new MemoryBuckets(NOTES);
  private readonly tally = new WebhookTally();
  private readonly sockets: WebhookSockets;
  private depth: readonly StreamDepth[] = [];
  private depthTimer: NodeJS.Timeout | null = null;
  private isAway = false;
  private isClosing = false;
  private isProxyNoted = false;

  /** Throws InputError for settings that cannot be. */
  constructor(options: WebhookServerOptions) {
    this.options = options;
    this.streams = options.streams;
    this.bodyBytesMost = options.bodyBytesMost ?? BODY_BYTES_MOST;
    this.aheadMsMost = options.aheadMsMost ?? AHEAD_MS_MOST;
    this.inFlightMost = options.inFlightMost ?? IN_FLIGHT_MOST;
    this.tooLong = sizeRefusal(this.bodyBytesMost);
    this.now = options.now ?? Date.now;
    this.access = new WebhookAccess(options, this.bodyBytesMost);
    this.configs = new KnownConfigs(options.configs);
    this.desks = new Map(options.desks.map((desk) => [desk.name, desk]));
    this.proxies = new AddressList(options.trustedProxies ?? []);
    this.buckets = options.buckets ?? new MemoryBuckets(WEBHOOK_RATE);
    checkNames(options, this.configs);
    this.sockets = new WebhookSockets({
      visit: (visit) => this.take(visit),
      left: (isAnswered) => this.left(isAnswered),
      malformed: () => {
        this.tally.malformed++;
      },
    });
  }

  /** Throws InputError when the port cannot be had. */
  async listen(port: number, host = '127.0.0.1'): Promise<{ host: string; port: number }> {
    const { server } = this.sockets;
    await new Promise<void>((done, failed) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        failed(
          new InputError(
            `the webhook cannot listen on ${host}:${port} (${error.code})`,
            'choose another port',
          ),
        );
      });
      server.listen(port, host, done);
    });
    this.depthTimer = setInterval(() => void this.look(), DEPTH_MS).unref();
    await this.look();
    return { host, port: (server.address() as AddressInfo).port };
  }

  private async look(): Promise<void> {
    try {
      this.depth = await this.streams.depth(this.options.group);
      this.isAway = false;
    } catch {
      this.isAway = true;
    }
  }

  snapshot(): WebhookSnapshot {
    const { kind, durability } = this.streams;
    return this.tally.snapshot({ kind, durability, depth: this.depth, isAway: this.isAway });
  }

  /** Answers what is at work, takes nothing new, and leaves the queue open. */
  async close(): Promise<void> {
    this.isClosing = true;
    if (this.depthTimer !== null) clearInterval(this.depthTimer);
    const { server } = this.sockets;
    if (!server.listening) return;
    const closed = new Promise((done) => server.close(done));
    this.sockets.finish();
    await Promise.race([closed, sleep(GRACE_MS, null, { ref: false })]);
    this.sockets.destroy();
    await closed;
  }

  private left(isAnswered: boolean): void {
    this.tally.inFlight--;
    if (!isAnswered) this.tally.broken++;
  }

  private take(visit: Visit): void {
    this.tally.inFlight++;
    this.guarded(visit, () => this.open(visit));
  }

  /** What a request makes of us must end with that request, whatever it is: the others and the process go on. */
  private guarded(visit: Visit, work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.fail(visit, cause);
    }
  }

  /** As {@link guarded}, for what comes later. */
  private later<T>(visit: Visit, answer: Promise<T>, work: (value: T) => void, away: () => void): void {
    answer.then(work, away).catch((cause: unknown) => this.fail(visit, cause));
  }

  private readBody(
    visit: Visit,
    bytesMost: number,
    done: (body: Buffer | null, isWhole: boolean) => void,
  ): void {
    visit.read(bytesMost, (body, isWhole) => this.guarded(visit, () => done(body, isWhole)));
  }

  private fail(visit: Visit, cause: unknown): void {
    try {
      this.note({ kind: 'failed', where: placeOf(cause), sender: visit.sender });
      if (visit.isAnswered) return;
      this.tally.refuse(REFUSALS.fault.reason);
      // the rest of the body may not have come: the connection goes with the answer
      this.answer(visit, refusalAnswer(REFUSALS.fault, true));
    } catch {
      visit.drop();
    }
  }

  private open(visit: Visit): void {
    const { url, headers } = visit;
    if (url === '/health') return this.tellHealth(visit);
    const path = PATH.exec(url);
    if (path === null) return this.refuse(visit, REFUSALS.path, false);
    if (visit.method !== 'POST') return this.refuse(visit, REFUSALS.method, false);
    if (this.isClosing) return this.refuse(visit, REFUSALS.closing, false);
    if (this.tally.inFlight > this.inFlightMost) return this.refuse(visit, REFUSALS.busy, false);
    const forwarded = headers['x-forwarded-for'] as string | undefined;
    visit.sender = senderOf(visit.remote, forwarded, this.proxies);
    if (visit.sender === null) return this.refuse(visit, REFUSALS.sender, false);
    const secret = this.access.opens(path[1]!) ? null : path[1]!;
    if (secret === null && forwarded !== undefined) this.lookAtProxy(visit);
    // guesses have a bucket of their own: behind a proxy that is not listed everybody has one address, and whoever guesses
    // there must not shut out who knows
    const wait = this.buckets.take(secret === null ? visit.sender : `guess ${visit.sender}`);
    const enter = (waitMs: number) => this.enter(visit, secret, path[2]!, waitMs);
    if (typeof wait === 'number') enter(wait);
    else this.later(visit, wait, enter, () => this.refuse(visit, REFUSALS.away, false));
  }

  /** Says once that senders come through somebody whose word on them does not count. */
  private lookAtProxy({ remote, sender }: Visit): void {
    if (this.isProxyNoted || sender !== plainAddress(remote) || this.proxies.has(sender!)) return;
    this.isProxyNoted = true;
    this.options.note?.({ kind: 'unlisted-proxy', proxy: sender! });
  }

  /** `wrong`: the secret where it is none of ours. */
  private enter(visit: Visit, wrong: string | null, desk: string, waitMs: number): void {
    if (waitMs > 0) return this.refuse(visit, rateRefusal(waitMs), false);
    if (wrong !== null) return this.refuse(visit, REFUSALS.secret, false, secretMark(wrong));
    visit.desk = this.desks.get(desk) ?? null;
    if (visit.desk === null) return this.refuse(visit, REFUSALS.desk, false);
    const { headers } = visit;
    if (!isReadable(headers['content-type'], headers['content-encoding'])) {
      return this.refuse(visit, REFUSALS.type, false);
    }
    const fault = this.access.headFault(headers, visit.sender!);
    if (fault !== null) return this.refuse(visit, fault, false);
    if (visit.holdsBack) {
      if (Number(headers['content-length'] ?? 0) > this.bodyBytesMost)
        return this.refuse(visit, this.tooLong, true);
      visit.goOn();
    }
    this.readBody(visit, this.bodyBytesMost, (body) => {
      if (body === null) this.refuse(visit, this.tooLong, true);
      else this.read(visit, body);
    });
  }

  private read(visit: Visit, body: Buffer): void {
    const { headers } = visit;
    const now = this.now();
    const unsigned = this.access.bodyFault(headers, body, now);
    if (unsigned !== null) return this.refuse(visit, unsigned, true);
    const read = readBarRequest(body.toString(), this.configs, visit.desk!.configs, now, this.aheadMsMost);
    if ('reason' in read) return this.refuse(visit, read, true);
    const unknown = this.access.tokenFault(headers, read.token);
    if (unknown !== null) return this.refuse(visit, unknown, true);
    const { id, stream } = read.config;
    const offered = this.streams.offer(stream, barEntry(read.record, now));
    const told = (one: Offered) => this.tell(visit, id, read.record.barTime, one);
    this.later(visit, offered, told, () => {
      this.isAway = true;
      this.refuse(visit, REFUSALS.away, true);
    });
  }

  private tell(visit: Visit, config: string, barTime: number, offered: Offered): void {
    this.isAway = false;
    if (offered.kind === 'full') return this.refuse(visit, REFUSALS.full, true);
    if (offered.kind === 'queued') {
      this.tally.took(config);
      this.answer(visit, QUEUED);
      return;
    }
    this.tally.duplicates++;
    if (offered.differs) {
      this.tally.differing++;
      this.note({ kind: 'differs', config, barTime, sender: visit.sender! });
    }
    this.answer(visit, DUPLICATE);
  }

  /** `isRead`: the body has been read, or its rest is dropped with the connection. */
  private refuse(visit: Visit, refused: Refusal, isRead: boolean, secret: string | null = null): void {
    const { sender, desk, holdsBack } = visit;
    const { status, reason, message } = refused;
    this.tally.refuse(reason);
    this.note({ kind: 'refused', status, reason, message, sender, desk: desk?.name ?? null, secret });
    const answer = (endsConnection: boolean) =>
      this.answer(visit, refusalAnswer(refused, endsConnection || this.isClosing));
    if (isRead || holdsBack) return answer(status === 413 || holdsBack);
    // Answered once the body has come, or the sender might never read the answer; a long one is cut off.
    this.readBody(visit, 0, (_, isWhole) => answer(!isWhole));
  }

  private answer(visit: Visit, answer: Answer): void {
    visit.isAnswered = true;
    visit.answer(answer);
    const { method, desk, startedMs } = visit;
    this.tally.answered(performance.now() - startedMs);
    this.options.onAnswer?.({ method, desk: desk?.name ?? null, status: answer.status, startedMs });
  }

  private note(note: WebhookNote): void {
    if (this.options.note !== undefined && this.notes.take('') === 0) this.options.note(note);
  }

  private tellHealth(visit: Visit): void {
    const { depth, isAway, isClosing } = this;
    const ok = !isAway && !isClosing;
    const sum = (of: (one: StreamDepth) => number) => depth.reduce((total, one) => total + of(one), 0);
    const body = {
      ok,
      queue: this.streams.kind,
      state: isClosing ? 'closing' : isAway ? 'away' : 'ready',
      waiting: sum(({ waiting }) => waiting),
      pending: sum(({ pending }) => pending),
    };
    this.readBody(visit, 0, (_, isWhole) => {
      visit.isAnswered = true;
      visit.answer(new Answer(ok ? 200 : 503, body, [], isClosing || !isWhole));
    });
  }
}

/** TradingView sends JSON as application/json and anything else as text/plain; a relay may send no type at all. */
function isReadable(type: string | undefined, encoding: string | undefined): boolean {
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return false;
  if (type === undefined || type === 'application/json') return true;
  const plain = type.split(';', 1)[0]!.trim().toLowerCase();
  return plain === 'application/json' || plain === 'text/plain';
}

function checkNames({ desks, streams }: WebhookServerOptions, configs: KnownConfigs): void {
  for (const { id, stream } of configs.list) {
    if (!streams.streams.includes(stream)) {
      throw new InputError(`the stream of ${id} is not one of the queue`, `open the queue with ${stream}`);
    }
  }
  for (const desk of desks) {
    if (!/^[\w-]{1,64}$/.test(desk.name)) {
      throw new InputError(`${desk.name} cannot end an address`, 'letters, digits, _ and - only');
    }
    const unknown = desk.configs.find((id) => configs.byId(id) === null);
    if (unknown !== undefined)
      throw new InputError(`desk ${desk.name} takes ${unknown}, which is no config`, 'add the config');
  }
}
