import type { Role, Scope } from '../../contract/index.ts';
import { SCOPES } from '../../contract/index.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { scopesOf } from './who.ts';

/** Error codes of RFC 6749, section 5.2. */
export type OAuthError = 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type' | 'invalid_scope';

/** An error answer of the token endpoint: `{error, error_description}` instead of the house's shape. */
export class OAuthRefusal extends Refusal {
  override name = 'OAuthRefusal';
  readonly error: OAuthError;

  constructor(error: OAuthError, description: string, before: Refusal | null = null) {
    const code: RefusalCode =
      before?.status === 429 ? 'locked-out' : before?.status === 503 ? 'busy' : 'bad-input';
    const retryAfterS = before?.retryAfterS ?? null;
    super(code, description, '', retryAfterS === null ? {} : { retryAfterS });
    this.error = error;
  }

  override body(): Record<string, unknown> {
    return { error: this.error, error_description: printable(this.message) };
  }
}

/** A refusal of somebody who wants a token, in the RFC's shape. */
export function asOAuthRefusal(error: unknown): unknown {
  if (!(error instanceof Refusal) || error instanceof OAuthRefusal) return error;
  return new OAuthRefusal('invalid_grant', error.message, error);
}

/** An error answer of the token endpoint that came from elsewhere (a form that is none, too many calls), in the RFC's shape. */
export function oauthBody(payload: unknown): unknown {
  if (typeof payload !== 'string' || !payload.startsWith('{"error":{')) return payload;
  const { error } = JSON.parse(payload) as { error: { message: string } };
  return JSON.stringify({ error: 'invalid_request', error_description: printable(error.message) });
}

/** The RFC allows printable ASCII without quotes and backslashes. */
const printable = (text: string) => text.replace(/[^\x20-\x7e]|["\\]/g, ' ');

/** Scopes asked for in a form, all of the role's where none are. Throws {@link OAuthRefusal} for an unknown one or one above. */
export function scopesAsked(text: string | undefined, role: Role): readonly Scope[] {
  const words = (text ?? '').split(' ').filter((word) => word !== '');
  if (words.length === 0) return scopesOf(role);
  const asked = words.map((word) => SCOPES.find((scope) => scope === word));
  if (asked.some((scope) => scope === undefined))
    throw new OAuthRefusal('invalid_scope', `scopes are ${SCOPES.join(', ')}`);
  const above = asked.find((scope) => !scopesOf(role).includes(scope!));
  if (above !== undefined) throw new OAuthRefusal('invalid_scope', `a ${role} has no scope ${above}`);
  return asked.map((scope) => scope!);
}
