export {
  AbsentChannel,
  type AlertChannel,
  type AlertMessage,
  type AlertVerb,
  cutText,
  type SendOutcome,
  safeReason,
} from './channel.ts';
export {
  loopbackHost,
  messageUrl,
  networkReason,
  type PostAnswer,
  postJson,
  retryAfter,
} from './http-post.ts';
export { dedupKey, PagerDutyChannel, type PagerDutyOptions, pagerDutyEvent } from './pagerduty-channel.ts';
export { mailOf, SmtpChannel, type SmtpOptions } from './smtp-channel.ts';
export {
  escapeHtml,
  TelegramChannel,
  type TelegramChannelOptions,
  telegramHtml,
} from './telegram-channel.ts';
export {
  type TelegramAnswer,
  TelegramLink,
  type TelegramLinkOptions,
  type TelegramMethods,
} from './telegram-link.ts';
export {
  WEBHOOK_HEADERS,
  WebhookChannel,
  type WebhookOptions,
  webhookIsGenuine,
  webhookSignature,
} from './webhook-channel.ts';
