import { type Access, ROLES, type Role, SCOPES, type Scope } from '../../contract/index.ts';
import type { Who } from '../context.ts';

/** Who asks, found out from a session cookie or a bearer token. */
export interface Identified extends Who {
  /** Has to choose a password before anything else. */
  readonly mustChange: boolean;
  /** Has a confirmed second factor. */
  readonly secondFactor: boolean;
  /** The user's, when this was found out. */
  readonly version: number;
  /** When the token expires; null for a session, which may be used on and on. */
  readonly expiresAt: number | null;
}

const rank = (role: Role) => ROLES.indexOf(role);

/** Scopes of a role. viewer: read; trader: read, trade; administrator: all. */
export const scopesOf = (role: Role): readonly Scope[] => SCOPES.slice(0, rank(role) + 1);

/** Those asked for that the role allows, with the weaker ones they hold. */
export function scopesWithin(role: Role, asked: readonly Scope[]): readonly Scope[] {
  const highest = Math.max(-1, ...asked.map((scope) => SCOPES.indexOf(scope)));
  return scopesOf(role).slice(0, highest + 1);
}

export const roleReaches = (has: Role, needed: Role): boolean => rank(has) >= rank(needed);

/** Whether a route lets somebody in; the refusal says what is missing. */
export type Permission =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: 'unauthenticated' | 'role' | 'scope'; readonly needs: string };

/** Decides by role and scope alone. */
export function permission(who: Who | null, access: Access): Permission {
  if (access === 'anyone') return { allowed: true };
  if (who === null) return { allowed: false, code: 'unauthenticated', needs: access.role };
  if (!roleReaches(who.role, access.role)) return { allowed: false, code: 'role', needs: access.role };
  if (!who.scopes.includes(access.scope)) return { allowed: false, code: 'scope', needs: access.scope };
  return { allowed: true };
}
