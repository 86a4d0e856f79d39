export * from './bar-body.ts';
export * from './bar-record.ts';
export * from './bar-streams.ts';
export * from './embedded-streams.ts';
export * from './feature-cache.ts';
export * from './known-configs.ts';
export * from './rate-buckets.ts';
export * from './redis-streams.ts';
export * from './sender-address.ts';
export { signatureHeader } from './signature.ts';
export type { AccessOptions } from './webhook-access.ts';
export type { Refusal, RefusalReason } from './webhook-answers.ts';
export {
  type WebhookNote,
  WebhookServer,
  type WebhookServerOptions,
} from './webhook-server.ts';
export type { WebhookSnapshot } from './webhook-tally.ts';
