import { Problem } from '../context.ts';

/** Codes that clients may rely on. */
export type RefusalCode =
  | 'bad-input'
  | 'unauthenticated'
  | 'wrong-credentials'
  | 'second-factor-required'
  | 'password-change-required'
  | 'forbidden'
  | 'csrf'
  | 'not-found'
  | 'refused'
  | 'confirmation-required'
  | 'locked-out'
  | 'too-many-requests'
  | 'busy';

const STATUS: Readonly<Record<RefusalCode, number>> = {
  'bad-input': 400,
  unauthenticated: 401,
  'wrong-credentials': 401,
  'second-factor-required': 401,
  'password-change-required': 403,
  forbidden: 403,
  csrf: 403,
  'not-found': 404,
  refused: 409,
  'confirmation-required': 428,
  'locked-out': 429,
  'too-many-requests': 429,
  busy: 503,
};

export interface RefusalMore {
  /** Put beside `error` in the answer. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Value of the Retry-After header, in seconds. */
  readonly retryAfterS?: number;
}

/** A request that is not carried out, with what the caller is told. */
export class Refusal extends Problem {
  override name = 'Refusal';
  readonly extra: Readonly<Record<string, unknown>>;
  readonly retryAfterS: number | null;

  constructor(code: RefusalCode, message: string, mend: string, more: RefusalMore = {}) {
    super(STATUS[code], code, message, mend);
    this.extra = more.extra ?? {};
    this.retryAfterS = more.retryAfterS ?? null;
  }

  /** The whole answer. */
  body(): Record<string, unknown> {
    return { error: { code: this.code, message: this.message, mend: this.mend }, ...this.extra };
  }
}
