import type { ServerResponse } from 'node:http';
import { type HttpFault, HttpLoopback, type Received, sendJson } from './http-loopback.ts';

type Json = Record<string, unknown>;

export interface SentMessage {
  readonly method: string;
  readonly chat: number | string | undefined;
  readonly text: string;
  readonly messageId: number;
  readonly buttons: readonly { readonly text: string; readonly callback_data: string }[];
  readonly payload: Json;
  readonly at: number;
}

/** Plays the Telegram Bot API: messages out, updates in by long polling with offsets, 409 for a second poller. */
export class TelegramLoopback {
  readonly token: string;
  readonly sent: SentMessage[] = [];
  /** Faults of one method, first in first out. */
  readonly faults: { method: string; fault: HttpFault }[] = [];
  /** Faults that stay until taken out. */
  readonly always = new Map<string, HttpFault>();
  polls = 0;
  private readonly http: HttpLoopback;
  private readonly updates: Json[] = [];
  private nextUpdate = 1;
  private nextMessage = 100;
  private waiting: { offset: number; response: ServerResponse; timer: NodeJS.Timeout } | null = null;

  constructor(token = '4242:AAF-loopback-token-that-nobody-may-see') {
    this.token = token;
    this.http = new HttpLoopback((call, response) => this.call(call, response));
    this.http.faultFor = (call) => this.faultOf(call);
  }

  get url(): string {
    return this.http.url;
  }

  get received(): readonly Received[] {
    return this.http.received;
  }

  async start(): Promise<this> {
    await this.http.start();
    return this;
  }

  async stop(): Promise<void> {
    if (this.waiting !== null) clearTimeout(this.waiting.timer);
    await this.http.stop();
  }

  /** A person writes. Returns the update's number. */
  says(
    text: string,
    {
      user = 42,
      chat = 42,
      at = Date.now(),
      id,
    }: { user?: number; chat?: number; at?: number; id?: number } = {},
  ): number {
    const length = text.startsWith('/') ? text.split(/\s/)[0]!.length : 0;
    return this.push(
      {
        message: {
          message_id: this.nextMessage++,
          from: { id: user, is_bot: false, first_name: 'x' },
          chat: { id: chat, type: chat < 0 ? 'group' : 'private' },
          date: Math.floor(at / 1_000),
          text,
          ...(length > 0 ? { entities: [{ type: 'bot_command', offset: 0, length }] } : {}),
        },
      },
      id,
    );
  }

  /** A person presses a button of a message. */
  press(data: string, { user = 42, chat = 42, messageId = 1 } = {}): number {
    return this.push({
      callback_query: {
        id: `press-${this.nextUpdate}`,
        from: { id: user, is_bot: false, first_name: 'x' },
        message: { message_id: messageId, chat: { id: chat, type: 'private' }, date: 0 },
        chat_instance: 'x',
        data,
      },
    });
  }

  /** Any update, well-formed or not. */
  push(update: Json, id = this.nextUpdate): number {
    this.nextUpdate = Math.max(this.nextUpdate, id) + 1;
    this.updates.push({ update_id: id, ...update });
    this.release();
    return id;
  }

  /** The newest message with buttons. */
  question(): SentMessage | undefined {
    return this.sent.findLast((one) => one.buttons.length > 0);
  }

  private faultOf({ path }: Received): HttpFault | undefined {
    const method = path.split('/').at(-1)!;
    const at = this.faults.findIndex((one) => one.method === method);
    return at >= 0 ? this.faults.splice(at, 1)[0]!.fault : this.always.get(method);
  }

  private call({ path, body, at }: Received, response: ServerResponse): void {
    const [, bot, method = ''] = path.split('/');
    if (bot !== `bot${this.token}`) {
      sendJson(response, 401, { ok: false, error_code: 401, description: 'Unauthorized' });
      return;
    }
    const payload = (body === '' ? {} : JSON.parse(body)) as Json;
    switch (method) {
      case 'getMe':
        return ok(response, { id: 4242, is_bot: true, first_name: 'Quorum', username: 'quorum_test_bot' });
      case 'getUpdates':
        return this.getUpdates(payload, response);
      case 'sendMessage':
      case 'editMessageText':
      case 'answerCallbackQuery':
        return this.message(method, payload, at, response);
      default:
        return ok(response, true);
    }
  }

  private message(method: string, payload: Json, at: number, response: ServerResponse): void {
    const text = String(payload.text ?? '');
    if (method === 'sendMessage' && (text === '' || asRead(text).length > 4_096)) {
      const description =
        text === '' ? 'Bad Request: message text is empty' : 'Bad Request: message is too long';
      sendJson(response, 400, { ok: false, error_code: 400, description });
      return;
    }
    const markup = payload.reply_markup as { inline_keyboard?: SentMessage['buttons'][] } | undefined;
    const messageId = this.nextMessage++;
    const chat = payload.chat_id as number | string | undefined;
    const buttons = markup?.inline_keyboard?.flat() ?? [];
    this.sent.push({ method, chat, text, messageId, buttons, payload, at });
    ok(
      response,
      method === 'answerCallbackQuery' ? true : { message_id: messageId, date: 0, chat: { id: chat }, text },
    );
  }

  private getUpdates({ offset = 0, timeout = 0 }: Json, response: ServerResponse): void {
    this.polls += 1;
    if (this.waiting !== null) {
      const description = 'Conflict: terminated by other getUpdates request';
      sendJson(response, 409, { ok: false, error_code: 409, description });
      return;
    }
    const from = Number(offset);
    // what lies below the offset is confirmed and forgotten
    if (from > 0)
      this.updates.splice(0, this.updates.length, ...this.updates.filter((u) => Number(u.update_id) >= from));
    const timer = setTimeout(() => this.release(true), Number(timeout) * 1_000);
    this.waiting = { offset: from, response, timer };
    response.on('close', () => {
      if (this.waiting?.response !== response) return;
      clearTimeout(timer);
      this.waiting = null;
    });
    this.release();
  }

  private release(empty = false): void {
    if (this.waiting === null || (this.updates.length === 0 && !empty)) return;
    const { response, timer } = this.waiting;
    clearTimeout(timer);
    this.waiting = null;
    ok(response, this.updates.slice(0, 100));
  }
}

/** Without markup, as Telegram counts. */
function asRead(text: string): string {
  return text
    .replace(/<\/?b>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

function ok(response: ServerResponse, result: unknown): void {
  sendJson(response, 200, { ok: true, result });
}
