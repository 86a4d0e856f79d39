import type { SESSION_ROUTES } from '../../contract/index.ts';
import type { Handlers } from '../context.ts';
import { actor, ownerOf, type People } from './area-kit.ts';
import { Refusal } from './refusal.ts';
import type { User } from './users.ts';

type Everybody = Pick<
  Handlers<typeof SESSION_ROUTES>,
  'users' | 'createUser' | 'changeUser' | 'removeUser' | 'audit' | 'security' | 'saveSecurity'
>;

const CURSOR = /^[1-9]\d{0,14}$/;

/** Handlers of what administrators do with people. */
export function usersArea(people: People): Everybody {
  const { identity } = people;
  const { users, audit, attempts, sessions } = identity;

  const line = (user: User) => {
    const { id, name, role, disabled, secondFactor, createdAt, lastLoginAt } = user;
    const seen = sessions.list(id).map(({ seenAt }) => seenAt);
    const lastSeenAt = Math.max(lastLoginAt ?? 0, ...seen);
    return {
      id,
      name,
      role,
      disabled,
      totp: secondFactor,
      createdAt,
      lastSeenAt: lastSeenAt === 0 ? null : lastSeenAt,
      lockedUntil: attempts.lockedUntil(name),
    };
  };

  return {
    users: () => ({ items: users.list().map(line) }),

    createUser: async ({ body }, call) => {
      ownerOf(people, call);
      const { user, password } = await users.add(body.name, body.role);
      audit.write(actor(call), 'user-added', 'done', {
        subject: user.name,
        reason: body.reason,
        detail: { role: user.role },
      });
      return { ...line(user), oneTimePassword: password };
    },

    changeUser: async ({ params, body }, call) => {
      ownerOf(people, call);
      const user = users.known(params.id);
      const by = actor(call);
      const note = (act: string, detail: Record<string, unknown> = {}) =>
        audit.write(by, act, 'done', { subject: user.name, reason: body.reason, detail });
      // what can be refused comes first, so that nothing is half done
      if (body.role !== undefined && body.role !== user.role) {
        users.setRole(user, body.role);
        note('user-role-changed', { from: user.role, to: body.role });
      }
      if (body.disabled !== undefined && body.disabled !== user.disabled) {
        users.setDisabled(user, body.disabled);
        note(body.disabled ? 'user-disabled' : 'user-enabled');
      }
      let oneTimePassword: string | null = null;
      if (body.resetPassword === true) {
        oneTimePassword = (await users.resetPassword(user, body.dropTotp === true)).password;
        attempts.forgive(user.name);
        note('user-password-reset', { dropTotp: body.dropTotp === true });
      } else if (body.dropTotp === true) {
        users.clearSecondFactor(user.id);
        note('user-totp-dropped');
      }
      return { ...line(users.known(user.id)), oneTimePassword };
    },

    removeUser: ({ params, body }, call) => {
      ownerOf(people, call);
      const user = users.known(params.id);
      users.remove(user);
      audit.write(actor(call), 'user-removed', 'done', { subject: user.name, reason: body.reason });
      return { ok: true } as const;
    },

    audit: ({ query }) => {
      const { limit, cursor, by, what, outcome } = query;
      if (cursor !== undefined && !CURSOR.test(cursor))
        throw new Refusal('bad-input', 'this is no cursor of the audit', 'take `next` of the page before');
      const before = cursor === undefined ? null : Number(cursor);
      const entries = audit.list({ act: what, by, outcome }, limit, before);
      const items = entries.map((entry) => ({
        id: String(entry.id),
        at: entry.at,
        by: entry.by,
        via: entry.via,
        what: entry.act,
        outcome: entry.outcome,
        subject: entry.subject,
        reason: entry.reason,
        address: entry.address === '' ? null : entry.address,
        detail: JSON.stringify(entry.detail),
      }));
      return { items, next: items.length === limit ? items.at(-1)!.id : null };
    },

    security: () => {
      const { entries, brokenAt } = audit.verify();
      return { dangerNeedsCode: identity.dangerNeedsCode, auditEntries: entries, auditBrokenAt: brokenAt };
    },

    saveSecurity: ({ body }, call) => {
      ownerOf(people, call);
      const { dangerNeedsCode, reason } = body;
      identity.setDangerNeedsCode(dangerNeedsCode);
      audit.write(actor(call), 'security-changed', 'done', { reason, detail: { dangerNeedsCode } });
      return { dangerNeedsCode };
    },
  };
}
