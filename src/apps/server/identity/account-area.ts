import { DAY } from '#base';
import type { SESSION_ROUTES } from '../../contract/index.ts';
import type { Handlers } from '../context.ts';
import type { ApiToken } from './api-tokens.ts';
import { actor, callerOf, ownerOf, type People, renew } from './area-kit.ts';
import { proveAgain, tryCode } from './login.ts';
import { Refusal } from './refusal.ts';
import type { User } from './users.ts';

type Account = Pick<
  Handlers<typeof SESSION_ROUTES>,
  'enrolTotp' | 'confirmTotp' | 'newRecoveryCodes' | 'dropTotp' | 'tokens' | 'createToken' | 'revokeToken'
>;

const done = { ok: true } as const;

/** Handlers of the second factor and the API tokens of whoever is logged in. */
export function accountArea(people: People): Account {
  const { identity } = people;
  const { secondFactor, apiTokens, users, audit } = identity;

  const withFactor = (user: User) => {
    if (!user.secondFactor) throw new Refusal('refused', 'there is no second factor', 'enrol one first');
  };

  return {
    enrolTotp: async ({ body }, call) => {
      const user = ownerOf(people, call);
      await proveAgain(identity, user, { password: body.password, code: null }, actor(call));
      const enrolment = secondFactor.enrol(user);
      audit.write(actor(call), 'totp-enrolled', 'done');
      return { ...enrolment };
    },

    confirmTotp: ({ body }, call) => {
      const user = ownerOf(people, call);
      if (user.secondFactor)
        throw new Refusal('refused', 'the second factor is confirmed already', 'nothing is left to do');
      let recoveryCodes: string[] | null = null;
      const isRight = tryCode(identity, user, actor(call), () => {
        recoveryCodes = secondFactor.confirm(user, body.code);
        return recoveryCodes !== null;
      });
      if (!isRight || recoveryCodes === null)
        throw new Refusal(
          'bad-input',
          'the code is not right',
          'enter the code that the authenticator shows now, and check the time on the telephone',
        );
      audit.write(actor(call), 'totp-confirmed', 'done');
      renew(people, call);
      return { recoveryCodes };
    },

    newRecoveryCodes: async ({ body }, call) => {
      const user = ownerOf(people, call);
      withFactor(user);
      await proveAgain(identity, user, body, actor(call));
      audit.write(actor(call), 'recovery-codes-made', 'done');
      return { recoveryCodes: secondFactor.newRecoveryCodes(user) };
    },

    dropTotp: async ({ body }, call) => {
      const user = ownerOf(people, call);
      withFactor(user);
      await proveAgain(identity, user, body, actor(call));
      users.clearSecondFactor(user.id);
      audit.write(actor(call), 'totp-dropped', 'done');
      renew(people, call);
      return done;
    },

    tokens: (_, call) => {
      const user = callerOf(people, call);
      const working = apiTokens.list(user.id).filter(({ revokedAt }) => revokedAt === null);
      return { items: working.map(tokenLine) };
    },

    createToken: ({ body }, call) => {
      const user = ownerOf(people, call);
      const { token, text } = apiTokens.make(
        user,
        body.name,
        body.scopes,
        identity.store.now() + body.days * DAY,
      );
      const { id, scopes, expiresAt } = token;
      audit.write(actor(call), 'token-made', 'done', {
        subject: id,
        detail: { name: body.name, scopes, expiresAt },
      });
      return { ...tokenLine(token), token: text };
    },

    revokeToken: ({ params }, call) => {
      const user = ownerOf(people, call);
      const token = apiTokens.get(params.id);
      // somebody else's token is as unknown as one that never was
      if (token === null || token.userId !== user.id || !apiTokens.revoke(token))
        throw new Refusal('not-found', 'there is no such token of yours', 'list your tokens');
      audit.write(actor(call), 'token-revoked', 'done', { subject: token.id, detail: { name: token.name } });
      return done;
    },
  };
}

const tokenLine = ({ id, name, scopes, createdAt, expiresAt, lastUsedAt }: ApiToken) => ({
  id,
  name,
  scopes: [...scopes],
  createdAt,
  expiresAt,
  lastUsedAt,
});
