import type { SESSION_ROUTES } from '../../contract/index.ts';
import type { Handlers } from '../context.ts';
import { ACCESS_TOKEN_MS } from './access-tokens.ts';
import { accountArea } from './account-area.ts';
import { actor, callerOf, handOver, ownerOf, type People, renew, selfOf } from './area-kit.ts';
import { logIn, proveAgain } from './login.ts';
import { asOAuthRefusal, OAuthRefusal, scopesAsked } from './oauth.ts';
import { Refusal } from './refusal.ts';
import { usersArea } from './users-area.ts';

type Session = Handlers<typeof SESSION_ROUTES>;

const done = { ok: true } as const;

/** Handlers of everything about who is there; how the server itself is comes from `others`. */
export function sessionArea(people: People, others: Pick<Session, 'health'>): Session {
  return { ...others, ...logInArea(people), ...accountArea(people), ...usersArea(people) };
}

type LogIn = Pick<
  Session,
  | 'issueToken'
  | 'logIn'
  | 'logOut'
  | 'whoAmI'
  | 'changePassword'
  | 'ownSessions'
  | 'endOtherSessions'
  | 'revokeSession'
>;

function logInArea(people: People): LogIn {
  const { identity } = people;
  const { sessions, users, audit } = identity;
  return {
    issueToken: async ({ body }, call) => {
      call.header('cache-control', 'no-store');
      if (body.grant_type !== undefined && body.grant_type !== 'password')
        throw new OAuthRefusal('unsupported_grant_type', 'the grant type is password');
      const given = { name: body.username, password: body.password, code: body.otp ?? null };
      const user = await logIn(identity, given, call.address).catch((error: unknown) => {
        throw asOAuthRefusal(error);
      });
      if (user.mustChange)
        throw new OAuthRefusal(
          'invalid_grant',
          'the password is a one-time one: log in to the console and change it',
        );
      const scopes = scopesAsked(body.scope, user.role);
      const { text } = await identity.accessTokens.make(user, scopes);
      return {
        access_token: text,
        token_type: 'bearer' as const,
        expires_in: ACCESS_TOKEN_MS / 1_000,
        scope: scopes.join(' '),
      };
    },

    logIn: async ({ body }, call) => {
      const given = { name: body.name, password: body.password, code: body.otp ?? null };
      const user = await logIn(identity, given, call.address);
      // never the session that was there before: somebody else may have planted it
      if (call.who?.via === 'session') sessions.end(call.who.id, call.who.credential);
      const made = sessions.open(user.id, call.address, call.agent);
      handOver(people, call, made);
      return selfOf(people, user, 'session', made.session.id);
    },

    logOut: (_, call) => {
      const { id, via, credential } = call.who!;
      if (via === 'token')
        throw new Refusal(
          'refused',
          'an API token is not logged in',
          'revoke it with DELETE /api/v1/tokens/{id}',
        );
      if (via === 'jwt') identity.accessTokens.revoke(id, credential);
      else {
        sessions.end(id, credential);
        handOver(people, call, null);
      }
      audit.write(actor(call), 'logout', 'done');
      return done;
    },

    whoAmI: (_, call) => {
      const { via, credential, scopes } = call.who!;
      return { ...selfOf(people, callerOf(people, call), via, credential), scopes: [...scopes] };
    },

    changePassword: async ({ body }, call) => {
      const user = ownerOf(people, call);
      await proveAgain(identity, user, { password: body.current, code: null }, actor(call));
      const { via, credential } = call.who!;
      await users.choosePassword(user, body.next, via === 'session' ? credential : null);
      audit.write(actor(call), 'password-changed', 'done');
      return selfOf(people, users.known(user.id), via, renew(people, call));
    },

    ownSessions: (_, call) => {
      const user = callerOf(people, call);
      const items = sessions.list(user.id).map(({ id, createdAt, seenAt, address, agent }) => ({
        id,
        createdAt,
        lastSeenAt: seenAt,
        address,
        agent,
        current: id === call.who!.credential,
      }));
      return { items };
    },

    endOtherSessions: (_, call) => {
      const user = ownerOf(people, call);
      const { via, credential } = call.who!;
      users.endAll(user.id, via === 'session' ? credential : null);
      audit.write(actor(call), 'sessions-ended', 'done');
      return done;
    },

    revokeSession: ({ params }, call) => {
      const user = ownerOf(people, call);
      if (!sessions.end(user.id, params.id))
        throw new Refusal('not-found', 'there is no such session of yours', 'list your sessions');
      audit.write(actor(call), 'session-ended', 'done', { subject: params.id });
      return done;
    },
  };
}
