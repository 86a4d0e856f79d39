import type { Readable } from 'node:stream';
import type { ProjectionStore } from '#adapters';
import type { AnswerOf, Asked, Role, RouteTable, Scope } from '../contract/index.ts';
import type { ControlAnswer, ControlRequest } from '../runner/control.ts';
import type { ConsoleStore } from './identity/console-store.ts';
import type { Identity } from './identity/identity.ts';

/** Who calls, as identity/ found out. */
export interface Who {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly via: 'session' | 'token' | 'jwt';
  /** The session or token itself, so that it can be ended. */
  readonly credential: string;
}

/** The portfolios of one data directory, as the server can reach them. */
export interface Portfolios {
  /** Names of all with a journal, sorted. */
  names(): readonly string[];
  /** The one that is meant: `named`, else the first that runs, else the first. Throws {@link Problem} 404. */
  choose(named: string | undefined): Promise<string>;
  folder(name: string): string;
  /** Asks the loop; null when none answers. */
  ask(name: string, question: ControlRequest, timeoutMs?: number): Promise<ControlAnswer | null>;
  /** The projections, read only, opened once and again after a failure. Throws {@link Problem} 503 when out of reach. */
  projections(name: string): Promise<ProjectionStore>;
}

/** How the server itself stands. */
export interface Vitals {
  readonly startedAt: number;
  /** Live clients that are connected. */
  readonly clients: number;
  /** Delay of the event loop over the last minute, milliseconds. */
  readonly lagMsP99: number;
}

/** What every handler may use. */
export interface ConsoleContext {
  readonly dataDir: string;
  /** File of the configuration that `quorum start` would read; null when none was named. */
  readonly configFile: string | null;
  readonly vitals: () => Vitals;
  readonly portfolios: Portfolios;
  readonly store: ConsoleStore;
  readonly identity: Identity;
  /** Whether the session cookie is only sent over TLS. */
  readonly secureCookie: boolean;
  /** Wall time, epoch ms. */
  readonly now: () => number;
  /** Sends a snapshot message (job, ...) to every live client that may see it. */
  readonly announce: (message: { type: 'job'; data: unknown }) => void;
  /** Journals an act that is not the loop's own and keeps it in the audit table. */
  readonly audit: (entry: {
    readonly by: string;
    readonly what: string;
    readonly reason: string;
    readonly detail?: string;
    readonly address?: string;
    readonly portfolio?: string;
  }) => Promise<void>;
}

/** One call. */
export interface Call {
  readonly who: Who | null;
  readonly address: string;
  readonly agent: string;
  readonly signal: AbortSignal;
  /** Headers of the answer, such as cookies. */
  header(name: string, value: string): void;
}

/**
 * An answer that is not JSON, of a route whose `answer` is null. HTML is shown in a sandbox: its scripts run without the
 * console's origin, cookies and network.
 */
export class Raw {
  readonly type: string;
  readonly body: string | Buffer | Readable;

  constructor(type: string, body: string | Buffer | Readable) {
    this.type = type;
    this.body = body;
  }
}

type Answered<R> = R extends { readonly answer: null } ? Raw : AnswerOf<R>;

/** A handler for every route of a table, by the types of its schemas. */
export type Handlers<T extends RouteTable> = {
  readonly [K in keyof T]-?: (asked: Asked<T[K]>, call: Call) => Promise<Answered<T[K]>> | Answered<T[K]>;
};

/** An answer that is an error with a status; its words go to the caller. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly mend: string;

  constructor(status: number, code: string, message: string, mend: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.mend = mend;
  }
}
