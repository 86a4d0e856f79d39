import { cookieName } from './area-kit.ts';
import { readCookie } from './cookies.ts';
import type { Identity } from './identity.ts';
import type { Identified } from './who.ts';

/** What of a request tells who sent it. */
export interface Shown {
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
  /** Sec-WebSocket-Protocol: pages cannot set other headers of a WebSocket. */
  readonly protocols: string | undefined;
  readonly address: string;
}

/** Longer than any token of ours. */
const TOKEN_MOST = 4_096;

/** Who sent a request, and whether something was shown that is not good. A bearer token counts before the cookie. */
export async function identify(
  identity: Identity,
  shown: Shown,
  secureCookie: boolean,
): Promise<{ readonly who: Identified | null; readonly isBad: boolean }> {
  const token = bearerOf(shown);
  if (token !== null) {
    const who = token.length > TOKEN_MOST ? null : await identity.byToken(token, shown.address);
    return { who, isBad: who === null };
  }
  const secret = readCookie(shown.cookie, cookieName(identity, secureCookie));
  const who = secret === null ? null : identity.bySession(secret);
  return { who, isBad: secret !== null && who === null };
}

/** `Authorization: Bearer TOKEN`, or the subprotocols `bearer, TOKEN`; null without. Any other scheme is an empty token. */
function bearerOf({ authorization, protocols }: Shown): string | null {
  if (authorization !== undefined) return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  const [first, second] = protocols?.split(',').map((word) => word.trim()) ?? [];
  return first?.toLowerCase() === 'bearer' ? (second ?? '') : null;
}
