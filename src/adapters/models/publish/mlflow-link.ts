import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '#base';
import { loopbackHost } from '../../alerts/http-post.ts';
import { UnreachableError } from '../../feeds/feed-clock.ts';
import {
  answerText,
  type HttpAnswer,
  PATIENCE,
  type Patience,
  patientCall,
  serverUrl,
} from './patient-http.ts';

/** A tracking server, and as whom one comes. */
export interface MlflowPlace {
  /** Of the server, without the path of its API. */
  readonly server: URL;
  readonly experiment: string;
  /** The value of an `Authorization` header; null for an open server. */
  readonly authorization: string | null;
}

/** A call that the server understood and refused. */
export interface MlflowRefusal {
  /** `RESOURCE_ALREADY_EXISTS` and the like; empty where it gave none. */
  readonly code: string;
  readonly error: InputError;
}

type Answer = Record<string, unknown>;

/** Calls of a tracking server's REST API. */
export interface MlflowCall {
  readonly origin: string;
  /** Throws {@link InputError} for a refusal. */
  readonly post: (method: string, body: unknown) => Promise<Answer>;
  readonly tryPost: (method: string, body: unknown) => Promise<Answer | MlflowRefusal>;
  /** Makes something that must not be made twice, unless `find` finds it: also after an answer that was lost. */
  readonly findOrMake: <T>(
    find: () => Promise<T | null>,
    method: string,
    body: unknown,
  ) => Promise<Answer | T>;
  /** Null for what does not exist. */
  readonly maybe: (
    verb: 'GET',
    method: string,
    query: Readonly<Record<string, string>>,
  ) => Promise<Answer | null>;
  readonly getFile: (path: string) => Promise<Uint8Array | null>;
  readonly putFile: (path: string, bytes: Uint8Array, type: string) => Promise<void>;
}

const API = 'api/2.0/mlflow/';
const FILES = 'api/2.0/mlflow-artifacts/artifacts/';

/** The server of `mlflow+http://host:port` or `mlflow+https://...`. Throws {@link InputError}. */
export function readMlflowAddress(text: string): URL {
  // many tracking servers stand in a house without certificates, and a model is no secret of theirs; a password is
  if (/^mlflow\+https?:\/\//.test(text)) return serverUrl(text.slice('mlflow+'.length), true);
  throw new InputError(`"${text}" is no tracking server`, 'write mlflow+https://mlflow.example.com');
}

/** {@link MlflowCall} over HTTP, each call made until it is answered. */
export class MlflowLink implements MlflowCall {
  private readonly base: string;
  private readonly place: MlflowPlace;
  private readonly patience: Patience;

  constructor(place: MlflowPlace, patience: Patience) {
    const { server, authorization } = place;
    if (authorization !== null && server.protocol === 'http:' && !loopbackHost(server.hostname))
      throw new InputError(`${server.origin} would hear a password in the clear`, 'use mlflow+https://');
    this.place = place;
    this.patience = patience;
    this.base = `${place.server.origin}${place.server.pathname.replace(/\/+$/, '')}/`;
  }

  get origin(): string {
    return this.place.server.origin;
  }

  async post(method: string, body: unknown): Promise<Answer> {
    const found = await this.tryPost(method, body);
    if (found.error instanceof InputError) throw found.error;
    return found as Answer;
  }

  async findOrMake<T>(find: () => Promise<T | null>, method: string, body: unknown): Promise<Answer | T> {
    const { tries = PATIENCE.tries, firstWaitMs = PATIENCE.firstWaitMs } = this.patience;
    const once = { ...this.patience, tries: 1 };
    for (let tried = 1; ; tried++) {
      const found = await find();
      if (found !== null) return found;
      try {
        const answer = await this.call('POST', API + method, JSON.stringify(body), 'application/json', once);
        if (answer.status === 200) return this.json(answer, method);
        throw this.refusal(answer, method).error;
      } catch (error) {
        // its answer may have been lost, not what it asked for: look again before it is asked twice
        if (!(error instanceof UnreachableError) || tried >= tries) throw error;
        await sleep(firstWaitMs * 2 ** (tried - 1));
      }
    }
  }

  async tryPost(method: string, body: unknown): Promise<Answer | MlflowRefusal> {
    const answer = await this.call('POST', API + method, JSON.stringify(body), 'application/json');
    return answer.status === 200 ? this.json(answer, method) : this.refusal(answer, method);
  }

  async maybe(verb: 'GET', method: string, query: Readonly<Record<string, string>>): Promise<Answer | null> {
    const answer = await this.call(verb, `${API}${method}?${new URLSearchParams(query)}`);
    if (answer.status === 200) return this.json(answer, method);
    const { code, error } = this.refusal(answer, method);
    if (code === 'RESOURCE_DOES_NOT_EXIST') return null;
    throw error;
  }

  async getFile(path: string): Promise<Uint8Array | null> {
    const answer = await this.call('GET', FILES + encoded(path));
    // servers differ in how they say that a file is not there; a real fault shows when it is written
    return answer.status === 200 ? answer.bytes : null;
  }

  async putFile(path: string, bytes: Uint8Array, type: string): Promise<void> {
    const answer = await this.call('PUT', FILES + encoded(path), bytes, type);
    if (answer.status !== 200 && answer.status !== 201 && answer.status !== 204)
      throw this.refusal(answer, path).error;
  }

  private call(
    method: string,
    path: string,
    body?: string | Uint8Array,
    type = 'application/json',
    patience = this.patience,
  ): Promise<HttpAnswer> {
    const { authorization } = this.place;
    const headers = {
      'user-agent': 'quorum',
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(authorization === null ? {} : { authorization }),
    };
    const init =
      body === undefined
        ? { method, headers }
        : { method, headers, body: typeof body === 'string' ? body : new Uint8Array(body) };
    return patientCall(() => new Request(this.base + path, init), patience);
  }

  private json(answer: HttpAnswer, method: string): Answer {
    let value: unknown;
    try {
      value = JSON.parse(answerText(answer) || '{}');
    } catch {
      value = null;
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Answer;
    throw new InputError(
      `${this.origin} answers ${method} with something that is no JSON object`,
      'is that the address of an MLflow tracking server, 2.0 or newer?',
    );
  }

  private refusal(answer: HttpAnswer, what: string): MlflowRefusal {
    let code = '';
    let message = '';
    try {
      const told = JSON.parse(answerText(answer)) as { error_code?: unknown; message?: unknown };
      code = typeof told.error_code === 'string' ? told.error_code : '';
      message = typeof told.message === 'string' ? told.message.slice(0, 200) : '';
    } catch {
      // a page of a proxy: the status says enough
    }
    const { status } = answer;
    const words = [code, message].filter((one) => one !== '').join(': ') || `status ${status}`;
    const mend =
      status === 401 || status === 403
        ? 'check the environment variables that hold the token or the user and password'
        : 'compare with what the tracking server logs';
    return { code, error: new InputError(`${this.origin} refuses ${what}: ${words}`, mend) };
  }
}

const encoded = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
