import { setTimeout as sleep } from 'node:timers/promises';
import { formatInstant, SECOND } from '#base';
import {
  type AlertChannel,
  type AlertMessage,
  type AlertVerb,
  cutText,
  type SendOutcome,
} from './channel.ts';
import type { TelegramLink } from './telegram-link.ts';

export interface TelegramChannelOptions {
  readonly name: string;
  readonly link: TelegramLink;
  readonly chatId: number | string;
  /** A topic of a group; none unless given. */
  readonly threadId?: number;
  /** Telegram takes about one message a second to a chat; 0 in tests. */
  readonly spacingMs?: number;
}

/** Telegram counts after reading the markup; what is cut away stays in the console. */
const TEXT_MOST = 3_800;
const BODY_MOST = 3_000;

/** Messages to one Telegram chat. */
export class TelegramChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'telegram';
  readonly verbs: readonly AlertVerb[] = ['trigger', 'resolve'];
  private readonly options: TelegramChannelOptions;
  private chatId: number | string;
  private freeAt = 0;

  constructor(options: TelegramChannelOptions) {
    this.name = options.name;
    this.options = options;
    this.chatId = options.chatId;
  }

  async send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome> {
    await this.pace(signal);
    let answer = await this.post(message, true, signal);
    if (!answer.ok && answer.movedTo !== null) {
      // the group became a supergroup: the old id is dead for good
      this.chatId = answer.movedTo;
      answer = await this.post(message, true, signal);
    }
    if (!answer.ok && answer.code === 400 && /parse entities/i.test(answer.reason))
      answer = await this.post(message, false, signal);
    if (answer.ok) return { is: 'delivered', reference: String(answer.result.message_id) };
    const { code, reason, retryAfterMs } = answer;
    if (code === 0 || code === 429 || code >= 500) return { is: 'retry', reason, afterMs: retryAfterMs };
    return { is: 'refused', reason };
  }

  private async pace(signal: AbortSignal | undefined): Promise<void> {
    const { spacingMs = SECOND } = this.options;
    const now = performance.now();
    const wait = this.freeAt - now;
    this.freeAt = Math.max(now, this.freeAt) + spacingMs;
    if (wait > 0) await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }

  private post(message: AlertMessage, markup: boolean, signal: AbortSignal | undefined) {
    const { link, threadId } = this.options;
    const text = markup ? telegramHtml(message) : plainText(message);
    const payload = {
      chat_id: this.chatId,
      text,
      link_preview_options: { is_disabled: true },
      // fills and summaries do not ring at night
      disable_notification: message.severity === 'info',
      ...(markup ? { parse_mode: 'HTML' as const } : {}),
      ...(threadId === undefined ? {} : { message_thread_id: threadId }),
    };
    return link.call('sendMessage', payload, signal === undefined ? {} : { signal });
  }
}

/** Text for Telegram's HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

const markOf = ({ verb, severity }: AlertMessage): string =>
  verb === 'resolve' ? 'RESOLVED' : verb === 'acknowledge' ? 'ACKNOWLEDGED' : severity.toUpperCase();

function linesOf(
  message: AlertMessage,
  strong: (text: string) => string,
  text: (text: string) => string,
): string {
  const { severity, verb, portfolio, desk, title, body, at, id } = message;
  const where = [portfolio, desk].filter((one) => one !== null).join(' / ');
  // what is only news needs no headline
  const head = severity === 'info' && verb === 'trigger' ? '' : `${strong(markOf(message))} `;
  const lines = [`${head}${strong(text(cutText(title, 500)))}`];
  if (body !== '') lines.push(text(cutText(body, BODY_MOST)));
  const foot = [where, formatInstant(at), severity === 'info' ? '' : id].filter((one) => one !== '');
  lines.push(text(cutText(foot.join(' · '), TEXT_MOST - BODY_MOST - 550)));
  return lines.join('\n');
}

/** A message as Telegram HTML, at most 4,096 characters when read. */
export function telegramHtml(message: AlertMessage): string {
  return linesOf(message, (text) => `<b>${text}</b>`, escapeHtml);
}

function plainText(message: AlertMessage): string {
  const same = (text: string) => text;
  return linesOf(message, same, same);
}
