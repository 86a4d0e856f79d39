export { type Actor, Audit, type AuditEntry } from './audit.ts';
export { type ConfirmHeaders, confirmAct } from './confirm-act.ts';
export * from './confirmations.ts';
export { CONSOLE_FILE, ConsoleStore, openConsoleStore, type SqlRow } from './console-store.ts';
export { type Ended, endsFor } from './endings.ts';
export { actorOf, CURRENT_MS, type Identity, openIdentity } from './identity.ts';
export {
  type IdentityPluginOptions,
  identityPlugin,
  isCookieSecure,
} from './identity-plugin.ts';
export { checkListening, isLoopback, type Listening } from './listening.ts';
export { type Credentials, logIn } from './login.ts';
export type { Migration, MigrationArea } from './migration.ts';
export { HASH_COST, type HashCost, PasswordHasher } from './passwords.ts';
export { REPORT_CSP } from './protection.ts';
export { RATE_LIMITS, type RateLimits } from './rate-limits.ts';
export { Refusal, type RefusalCode } from './refusal.ts';
export { sessionArea } from './session-area.ts';
export type { OneTimePassword, User } from './users.ts';
export { type Identified, permission, roleReaches, scopesOf, scopesWithin } from './who.ts';
