import { setTimeout as sleep } from 'node:timers/promises';
import type { TelegramAnswer, TelegramLink } from '#adapters';
import { SECOND } from '#base';
import { bounded } from './telegram-texts.ts';

export interface Button {
  readonly text: string;
  readonly data: string;
}

const TRIES = 3;
const WAIT_MOST_MS = 30 * SECOND;
const WAITING_MOST = 50;

/** Answers to people: sent beside everything else, tried a few times, then dropped with a line in the log. */
export class TelegramReplies {
  private readonly link: TelegramLink;
  private readonly signal: AbortSignal;
  private readonly log: (line: string) => void;
  private waiting = 0;

  constructor(link: TelegramLink, signal: AbortSignal, log: (line: string) => void) {
    this.link = link;
    this.signal = signal;
    this.log = log;
  }

  say(chat: number, text: string, buttons: readonly Button[] = []): void {
    const payload = {
      chat_id: chat,
      text: bounded(text),
      link_preview_options: { is_disabled: true },
      ...(buttons.length === 0 ? {} : { reply_markup: keyboard(buttons) }),
    };
    this.send(() => this.link.call('sendMessage', payload, { signal: this.signal }));
  }

  /** Replaces a message with its buttons. */
  replace(chat: number, messageId: number, text: string): void {
    const payload = { chat_id: chat, message_id: messageId, text: bounded(text) };
    this.send(() => this.link.call('editMessageText', payload, { signal: this.signal }));
  }

  /** Ends the clock on a pressed button. */
  noticed(pressId: string, text: string): void {
    const payload = { callback_query_id: pressId, text: text.slice(0, 190) };
    this.send(() => this.link.call('answerCallbackQuery', payload, { signal: this.signal }));
  }

  private send(call: () => Promise<TelegramAnswer<unknown>>): void {
    if (this.waiting >= WAITING_MOST) {
      this.log('telegram: too many answers wait, one is dropped');
      return;
    }
    this.waiting += 1;
    void this.retried(call).finally(() => {
      this.waiting -= 1;
    });
  }

  private async retried(call: () => Promise<TelegramAnswer<unknown>>): Promise<void> {
    for (let tries = 1; !this.signal.aborted; tries++) {
      const answer = await call();
      if (answer.ok || this.signal.aborted) return;
      const { code, reason, retryAfterMs } = answer;
      const later = code === 0 || code === 429 || code >= 500;
      const wait = retryAfterMs ?? SECOND * 2 ** (tries - 1);
      if (!later || tries >= TRIES || wait > WAIT_MOST_MS) {
        // what a person did not change needs no word
        if (!/message is not modified/.test(reason)) this.log(`telegram: an answer was not taken: ${reason}`);
        return;
      }
      await sleep(wait, undefined, { signal: this.signal }).catch(() => undefined);
    }
  }
}

const keyboard = (buttons: readonly Button[]) => ({
  inline_keyboard: [buttons.map(({ text, data }) => ({ text, callback_data: data }))],
});
