import { SECOND } from '#base';
import { safeReason } from './channel.ts';
import { messageUrl, postJson } from './http-post.ts';

export interface TelegramLinkOptions {
  readonly token: string;
  /** `https://api.telegram.org` or a Bot API server of one's own. */
  readonly baseUrl?: string;
  readonly now?: () => number;
}

/** What of the Bot API is used, with what each method returns. */
export interface TelegramMethods {
  getMe: { readonly username?: string };
  getUpdates: readonly unknown[];
  sendMessage: { readonly message_id: number };
  editMessageText: unknown;
  answerCallbackQuery: unknown;
  setMyCommands: unknown;
}

/** What Telegram said. `code` 0 is no answer at all. Reasons hold neither the token nor the address, which has it in it. */
export type TelegramAnswer<T> =
  | { readonly ok: true; readonly result: T }
  | {
      readonly ok: false;
      readonly code: number;
      readonly reason: string;
      /** What `retry_after` asks for; null without one. */
      readonly retryAfterMs: number | null;
      /** Where a group has moved that became a supergroup. */
      readonly movedTo: number | null;
    };

const CALL_MS = 15 * SECOND;
const PAUSE_MOST_MS = 3_600 * SECOND;
const CHATS_MOST = 1_000;

/**
 * Calls to the Bot API that never throw and never show the token. A chat that asked for a pause gets one, whoever of
 * the program wants to write there.
 */
export class TelegramLink {
  private readonly options: TelegramLinkOptions;
  private readonly root: string;
  private readonly pausedUntil = new Map<string, number>();

  constructor(options: TelegramLinkOptions) {
    this.options = options;
    const { href } = messageUrl(options.baseUrl ?? 'https://api.telegram.org', 'Telegram');
    this.root = href.replace(/\/$/, '');
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  async call<M extends keyof TelegramMethods>(
    method: M,
    payload: Readonly<Record<string, unknown>>,
    { timeoutMs = CALL_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<TelegramAnswer<TelegramMethods[M]>> {
    const chat = payload.chat_id === undefined ? null : String(payload.chat_id);
    const wait = chat === null ? 0 : (this.pausedUntil.get(chat) ?? 0) - this.now();
    if (wait > 0) return failed(429, 'Telegram asked for a pause', wait);
    const url = new URL(`${this.root}/bot${this.options.token}/${method}`);
    const answer = await postJson({ url, body: JSON.stringify(payload), headers: {}, timeoutMs, signal });
    if (answer.status === null) return failed(0, answer.reason, null);
    const read = this.read<TelegramMethods[M]>(answer.status, answer.text);
    if (!read.ok && read.code === 429 && chat !== null) this.pause(chat, read.retryAfterMs ?? SECOND);
    return read;
  }

  private read<T>(status: number, text: string): TelegramAnswer<T> {
    const envelope = parsed(text);
    if (envelope?.ok === true && 'result' in envelope) return { ok: true, result: envelope.result as T };
    const { error_code, description, parameters } = (envelope ?? {}) as {
      error_code?: unknown;
      description?: unknown;
      parameters?: { retry_after?: unknown; migrate_to_chat_id?: unknown };
    };
    // an answer of another shape comes from a proxy, or from a server in trouble
    if (typeof error_code !== 'number')
      return failed(status >= 400 ? status : 0, `status ${status}, no answer of the Bot API`, null);
    const words = typeof description === 'string' ? description : '';
    const reason = safeReason(`Telegram answered ${error_code}: ${words}`, [this.options.token]);
    const seconds = parameters?.retry_after;
    const pause =
      typeof seconds === 'number' && seconds >= 0 ? Math.min(seconds * SECOND, PAUSE_MOST_MS) : null;
    const moved = parameters?.migrate_to_chat_id;
    return { ...failed(error_code, reason, pause), movedTo: typeof moved === 'number' ? moved : null };
  }

  private pause(chat: string, ms: number): void {
    if (this.pausedUntil.size >= CHATS_MOST) this.pausedUntil.clear();
    this.pausedUntil.set(chat, this.now() + ms);
  }
}

function failed(code: number, reason: string, retryAfterMs: number | null) {
  return { ok: false, code, reason, retryAfterMs, movedTo: null } as const;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
