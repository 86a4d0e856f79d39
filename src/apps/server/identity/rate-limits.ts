import type { RouteId, RouteShape } from '../../contract/index.ts';

/** Calls a minute: of a user where somebody is logged in, of an address otherwise. */
export interface RateLimits {
  /** Attempts to log in. */
  readonly login: number;
  /** Everything else that nobody is logged in for, refused calls too. */
  readonly anonymous: number;
  readonly read: number;
  readonly write: number;
  /** Dangerous actions; each takes two calls. */
  readonly danger: number;
}

export type RateClass = keyof RateLimits;

export const RATE_LIMITS: RateLimits = {
  login: 20,
  anonymous: 600,
  read: 60_000,
  write: 600,
  danger: 60,
};

const LOGIN: readonly RouteId[] = ['logIn', 'issueToken'];

/** The class of a call of a route; null for one that is not of the contract. */
export function rateClassOf(
  id: RouteId | null,
  shape: RouteShape | null,
  method: string,
  isKnown: boolean,
): RateClass {
  if (id !== null && LOGIN.includes(id)) return 'login';
  if (!isKnown) return 'anonymous';
  if (shape?.danger === true) return 'danger';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write';
}
