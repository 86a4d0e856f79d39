/** The value of a cookie in a Cookie header; null where it is not there. Of two with the same name the first counts. */
export function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/**
 * A Set-Cookie header that scripts cannot read and other sites cannot send. `value` must need no quoting; an empty one and no
 * age take the cookie away.
 */
export function setCookie(name: string, value: string, maxAgeS: number, secure: boolean): string {
  const parts = [`${name}=${value}`, 'Path=/', `Max-Age=${maxAgeS}`, 'HttpOnly', 'SameSite=Strict'];
  if (secure) parts.push('Secure');
  return parts.join('; ');
}
