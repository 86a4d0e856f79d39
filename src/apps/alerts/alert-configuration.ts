import { z } from 'zod';
import { alertRulesSchema } from './alert-rules.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;
const name = z.string().regex(NAME, 'use lower-case letters, digits and hyphens, at most 31 of them');
const environmentName = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]*$/,
    'give the name of an environment variable in capitals, never the secret itself',
  );
const chatId = z.union([
  z.int(),
  z.string().regex(/^(?:-?\d{1,20}|@\w{3,40})$/, 'give the number of a chat or @channel'),
]);
const user = z.string().regex(/^\d{1,20}$/, 'give the number of a Telegram user');

const telegram = z.strictObject({
  kind: z.literal('telegram'),
  tokenEnv: environmentName.default('QUORUM_TELEGRAM_TOKEN'),
  chatId: chatId.describe('where alerts go'),
  threadId: z.int().optional().describe('topic of a group'),
  baseUrl: z.url().optional().describe('a Bot API server of your own'),
  commands: z
    .strictObject({
      users: z
        .record(user, z.string().min(1).max(60))
        .describe('numbers of the users who may give commands, with the names that are journaled'),
      chats: z.array(z.int()).min(1).max(50).describe('numbers of the chats in which they may'),
    })
    .optional()
    .describe('listen to commands; without it messages only go out'),
});
const pagerduty = z.strictObject({
  kind: z.literal('pagerduty'),
  routingKeyEnv: environmentName.default('QUORUM_PAGERDUTY_KEY'),
  baseUrl: z.url().optional().describe('https://events.eu.pagerduty.com in Europe'),
  consoleUrl: z.url().optional().describe('link in the incident'),
});
const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: z.url().optional(),
  urlEnv: environmentName.optional().describe('instead of url, when the address itself is a secret'),
  secretEnv: environmentName.default('QUORUM_WEBHOOK_SECRET').describe('key of the signature'),
});
const smtp = z.strictObject({
  kind: z.literal('smtp'),
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).default(587),
  tls: z.enum(['implicit', 'starttls', 'none']).default('starttls').describe('none: this machine only'),
  caFile: z.string().min(1).optional().describe('PEM file of certificates to trust besides the usual ones'),
  userEnv: environmentName.optional(),
  passwordEnv: environmentName.optional(),
  from: z.email(),
  to: z.array(z.email()).min(1).max(50),
});
const channel = z.discriminatedUnion('kind', [telegram, pagerduty, webhook, smtp]);

/** `alerts` of the configuration: ways out, and the rules that use them. */
export const alertsSchema = z.strictObject({
  channels: z.record(name, channel).default({}),
  ...alertRulesSchema.shape,
});

export type AlertsConfiguration = z.output<typeof alertsSchema>;
export type ChannelConfiguration = z.output<typeof channel>;
export type TelegramConfiguration = z.output<typeof telegram>;

/** What holds when a configuration says nothing about alerts: the console shows them. */
export const NO_ALERTS: AlertsConfiguration = alertsSchema.parse({});

/** Known keys at a path below `alerts`, for the hint after a typing error. */
export function alertKeysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(alertsSchema.shape);
  if (path[0] === 'channels')
    return [...new Set([telegram, pagerduty, webhook, smtp].flatMap((one) => Object.keys(one.shape)))];
  return [];
}
