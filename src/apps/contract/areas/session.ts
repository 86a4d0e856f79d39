import { z } from 'zod';
import { done, instant, listOf, page, reasoned, text } from '../common.ts';
import { ADMINISTRATOR, ANYONE, defineRoutes, ROLES, SCOPES, VIEWER } from '../route.ts';

const role = z.enum(ROLES);
const scope = z.enum(SCOPES);
const password = z.string().min(1).max(200);
const code = z.string().min(6).max(20);

export const who = z.object({
  id: z.string(),
  name: z.string(),
  role,
  scopes: z.array(scope),
  via: z.enum(['session', 'token', 'jwt']),
  totp: z.boolean(),
  mustChangePassword: z.boolean(),
  /** To be sent as `x-quorum-csrf` with everything but GET; null for tokens. */
  csrf: z.string().nullable(),
});

export const user = z.object({
  id: z.string(),
  name: z.string(),
  role,
  disabled: z.boolean(),
  totp: z.boolean(),
  createdAt: instant,
  lastSeenAt: instant.nullable(),
  lockedUntil: instant.nullable(),
});

export const apiToken = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  createdAt: instant,
  expiresAt: instant,
  lastUsedAt: instant.nullable(),
});

const outcome = z.enum(['done', 'refused', 'failed']);

export const securityRules = z.strictObject({
  dangerNeedsCode: z
    .boolean()
    .describe('users with a second factor send a fresh code (x-quorum-code) with every dangerous action'),
});

export const SESSION_ROUTES = defineRoutes({
  health: {
    summary: 'Whether the server and the loops answer',
    access: ANYONE,
    answer: z.object({
      status: z.enum(['ok', 'degraded']),
      version: z.string(),
      time: instant,
      portfolios: z.array(z.object({ name: z.string(), running: z.boolean() })),
    }),
  },
  issueToken: {
    summary: 'OAuth2 password flow: a form with username and password; a short-lived bearer token',
    access: ANYONE,
    body: z.object({
      grant_type: z.string().max(100).optional().describe('password'),
      username: z.string().max(100),
      password,
      scope: z.string().max(100).optional(),
      otp: code.optional(),
    }),
    answer: z.object({
      access_token: z.string(),
      token_type: z.literal('bearer'),
      expires_in: z.int(),
      scope: z.string(),
    }),
  },
  logIn: {
    summary: 'Begin a browser session',
    access: ANYONE,
    body: z.strictObject({ name: z.string().max(100), password, otp: code.optional() }),
    answer: who,
  },
  logOut: { summary: 'End the session', access: VIEWER, answer: done },
  whoAmI: { summary: 'Who is logged in', access: VIEWER, answer: who },
  changePassword: {
    summary: 'Change the own password; every other session ends',
    access: VIEWER,
    body: z.strictObject({ current: password, next: password }),
    answer: who,
  },
  enrolTotp: {
    summary: 'Begin a second factor: a secret for an authenticator',
    access: VIEWER,
    body: z.strictObject({ password }),
    answer: z.object({ secret: z.string(), uri: z.string(), svg: z.string() }),
  },
  confirmTotp: {
    summary: 'Switch the second factor on with a first code',
    access: VIEWER,
    body: z.strictObject({ code }),
    answer: z.object({ recoveryCodes: z.array(z.string()) }),
  },
  newRecoveryCodes: {
    summary: 'New recovery codes; those before are worth nothing',
    access: VIEWER,
    body: z.strictObject({ password, code }),
    answer: z.object({ recoveryCodes: z.array(z.string()) }),
  },
  dropTotp: {
    summary: 'Switch the second factor off',
    access: VIEWER,
    body: z.strictObject({ password, code }),
    answer: done,
  },
  ownSessions: {
    summary: 'The own sessions',
    access: VIEWER,
    answer: z.object({
      items: z.array(
        z.object({
          id: z.string(),
          createdAt: instant,
          lastSeenAt: instant,
          address: z.string(),
          agent: z.string(),
          current: z.boolean(),
        }),
      ),
    }),
  },
  endOtherSessions: {
    summary: 'End all own sessions but this one, and every JWT',
    access: VIEWER,
    answer: done,
  },
  revokeSession: {
    summary: 'End one of the own sessions',
    access: VIEWER,
    params: z.object({ id: text }),
    answer: done,
  },
  tokens: { summary: 'The own API tokens', access: VIEWER, answer: z.object({ items: z.array(apiToken) }) },
  createToken: {
    summary: 'An API token; it is shown once',
    access: VIEWER,
    status: 201,
    body: z.strictObject({
      name: z.string().min(1).max(60),
      scopes: z.array(scope).min(1),
      days: z.int().min(1).max(366).default(90),
    }),
    answer: apiToken.extend({ token: z.string() }),
  },
  revokeToken: { summary: 'End an API token', access: VIEWER, params: z.object({ id: text }), answer: done },
  users: { summary: 'All users', access: ADMINISTRATOR, answer: z.object({ items: z.array(user) }) },
  createUser: {
    summary: 'A new user with a one-time password',
    access: ADMINISTRATOR,
    status: 201,
    body: z.strictObject({ name: z.string().min(2).max(40), role, reason: text }),
    answer: user.extend({ oneTimePassword: z.string() }),
  },
  changeUser: {
    summary: 'Change role, disable, or give a new one-time password',
    access: ADMINISTRATOR,
    params: z.object({ id: text }),
    body: z.strictObject({
      role: role.optional(),
      disabled: z.boolean().optional(),
      resetPassword: z.literal(true).optional(),
      dropTotp: z.literal(true).optional(),
      reason: text,
    }),
    answer: user.extend({ oneTimePassword: z.string().nullable() }),
  },
  removeUser: {
    summary: 'Remove a user',
    access: ADMINISTRATOR,
    params: z.object({ id: text }),
    body: reasoned,
    answer: done,
  },
  audit: {
    summary: 'Who did what and why',
    access: ADMINISTRATOR,
    query: page.extend({
      by: text.optional(),
      what: text.optional(),
      outcome: outcome.optional(),
    }),
    answer: listOf(
      z.object({
        id: z.string(),
        at: instant,
        by: z.string(),
        via: z.string(),
        what: z.string(),
        outcome,
        subject: z.string(),
        reason: z.string(),
        address: z.string().nullable(),
        detail: z.string(),
      }),
    ),
  },
  security: {
    summary: 'Rules of the log-in, and whether the audit is whole',
    access: ADMINISTRATOR,
    answer: securityRules.extend({ auditEntries: z.int(), auditBrokenAt: z.int().nullable() }),
  },
  saveSecurity: {
    summary: 'Change the rules of the log-in',
    access: ADMINISTRATOR,
    body: securityRules.extend({ reason: text }),
    answer: securityRules,
  },
});
