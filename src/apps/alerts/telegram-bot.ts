import { setTimeout as sleep } from 'node:timers/promises';
import type { TelegramLink } from '#adapters';
import { type Instant, SECOND } from '#base';
import type { TelegramConfiguration } from './alert-configuration.ts';
import type { Operator } from './operator.ts';
import { type CommandContext, TelegramCommands } from './telegram-commands.ts';
import { TelegramReplies } from './telegram-replies.ts';

export interface TelegramBotOptions {
  readonly name: string;
  readonly link: TelegramLink;
  readonly commands: NonNullable<TelegramConfiguration['commands']>;
  readonly operator: Operator;
  /** Acknowledges an alert; false for one that is not known. */
  readonly acknowledge?: (id: string, by: string) => boolean;
  /** Where the place in the stream of updates is kept over a restart. Both may throw. */
  readonly memory?: { readonly read: () => string | null; readonly write: (value: string) => void };
  readonly now?: () => Instant;
  readonly log?: (line: string) => void;
  /** How long Telegram holds a poll open when nothing comes. */
  readonly pollSeconds?: number;
  /** The first pause after a failed poll; the next ones double. */
  readonly pauseMs?: number;
}

type Update = {
  readonly update_id: number;
  readonly message?: Message;
  readonly callback_query?: {
    readonly id: string;
    readonly from: { readonly id: number };
    readonly message?: { readonly message_id: number; readonly chat: { readonly id: number } };
    readonly data?: string;
  };
};

interface Message {
  readonly from?: { readonly id: number; readonly is_bot: boolean };
  readonly chat: { readonly id: number };
  /** Seconds. */
  readonly date: number;
  readonly text?: string;
  readonly entities?: readonly { readonly type: string; readonly offset: number; readonly length: number }[];
}

export type BotState = 'stopped' | 'polling' | 'conflict' | 'refused' | 'unreachable';

const OLD_MS = 300 * SECOND;
const PAUSE_MOST_MS = 60 * SECOND;
const REFUSED_MS = 300 * SECOND;
const POLL_S = 25;
const QUICK_MS = 200;
const SEEN_MOST = 1_000;
const REMEMBER_MS = 86_400 * SECOND;
const POLL_SLACK_MS = 10 * SECOND;

/**
 * Listens to a Telegram bot by long polling and does what allowed users say in allowed chats. Everybody else gets no
 * answer at all and is counted. One process may poll a bot: a second one is told so by Telegram and waits.
 */
export class TelegramBot {
  private readonly options: TelegramBotOptions;
  private readonly commands: TelegramCommands;
  private readonly replies: TelegramReplies;
  private readonly abort = new AbortController();
  private polling: Promise<void> | null = null;
  /** Everything below it came and is not confirmed yet; null when all is. */
  private offset: number | null = null;
  private readonly seen = new Set<number>();
  private username: string | null = null;
  /** Updates below it were handled in the life before. */
  private before = 0;
  private readonly tallies: Record<string, number> = {};
  state: BotState = 'stopped';

  constructor(options: TelegramBotOptions) {
    this.options = options;
    const { link, operator, acknowledge, log } = options;
    this.replies = new TelegramReplies(link, this.abort.signal, (line) => log?.(line));
    this.commands = new TelegramCommands({
      operator,
      replies: this.replies,
      acknowledge,
      now: () => this.now(),
    });
  }

  private now(): Instant {
    return Math.floor((this.options.now ?? Date.now)());
  }

  /** What came and what was passed over, by reason. */
  counts(): Readonly<Record<string, number>> {
    return { ...this.tallies };
  }

  private tally(what: string): void {
    this.tallies[what] = (this.tallies[what] ?? 0) + 1;
  }

  start(): void {
    if (this.polling !== null) return;
    this.offset = this.remembered();
    this.before = this.offset ?? 0;
    this.polling = this.poll();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.polling;
    this.state = 'stopped';
  }

  private async poll(): Promise<void> {
    const { link, pollSeconds = POLL_S, pauseMs = SECOND } = this.options;
    const { signal } = this.abort;
    void this.introduce();
    for (let failures = 0; !signal.aborted; ) {
      const askedAt = performance.now();
      const answer = await link.call(
        'getUpdates',
        {
          limit: 100,
          timeout: pollSeconds,
          allowed_updates: ['message', 'callback_query'],
          ...(this.offset === null ? {} : { offset: this.offset }),
        },
        { timeoutMs: pollSeconds * SECOND + POLL_SLACK_MS, signal },
      );
      if (signal.aborted) return;
      if (answer.ok) {
        failures = 0;
        this.become('polling', '');
        const updates: readonly Update[] = Array.isArray(answer.result) ? (answer.result as Update[]) : [];
        // an empty answer says that all below the offset is confirmed. After a quiet week numbers begin anywhere
        if (updates.length === 0) {
          this.offset = null;
          this.before = 0;
        }
        this.takeAll(updates);
        // one that does not hold the poll open must not be asked without a pause
        if (updates.length === 0 && performance.now() - askedAt < QUICK_MS) await this.pause(pauseMs / 4);
        continue;
      }
      failures += 1;
      const { code, reason, retryAfterMs } = answer;
      this.become(
        code === 409 ? 'conflict' : code === 401 || code === 404 ? 'refused' : 'unreachable',
        reason,
      );
      this.tally(`poll.${code}`);
      const doubling = Math.min(pauseMs * 2 ** Math.min(failures - 1, 10), PAUSE_MOST_MS);
      const pause =
        this.state === 'refused' ? Math.max(doubling, Math.min(REFUSED_MS, pauseMs * 300)) : doubling;
      await this.pause(Math.max(pause, retryAfterMs ?? 0));
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.abort.signal }).catch(() => undefined);
  }

  private become(state: BotState, why: string): void {
    if (state === this.state) return;
    this.state = state;
    const words = {
      polling: 'listens to commands',
      conflict: `waits: another program polls this bot, or a webhook is set (${why})`,
      refused: `is refused (${why})`,
      unreachable: `cannot reach Telegram (${why})`,
      stopped: 'has stopped',
    };
    this.options.log?.(`telegram ${this.options.name} ${words[state]}`);
  }

  /** Own name, to know commands for others; and the list of commands that Telegram shows. */
  private async introduce(): Promise<void> {
    const { link } = this.options;
    const { signal } = this.abort;
    const me = await link.call('getMe', {}, { signal });
    if (me.ok) this.username = me.result.username ?? null;
    await link.call('setMyCommands', { commands: [...TelegramCommands.list] }, { signal });
  }

  /** Acts begin before anything is written, and the next poll waits for none of them. */
  private takeAll(updates: readonly Update[]): void {
    const acts: Promise<void>[] = [];
    for (const update of updates) {
      const { update_id: id } = update;
      this.offset = Math.max(this.offset ?? 0, id + 1);
      if (this.seen.has(id) || id < this.before) {
        this.tally('repeated');
        continue;
      }
      this.seen.add(id);
      const act = this.taken(update);
      if (act !== null) acts.push(act);
    }
    for (const id of this.seen) {
      if (this.seen.size <= SEEN_MOST) break;
      this.seen.delete(id);
    }
    const { offset } = this;
    if (updates.length > 0) void Promise.all(acts).then(() => this.remember(offset));
  }

  private taken(update: Update): Promise<void> | null {
    try {
      return this.take(update);
    } catch {
      // not of the shape that the protocol has
      this.tally('malformed');
      return null;
    }
  }

  /** What is to be done; null when nothing is. Never rejects. */
  private take(update: Update): Promise<void> | null {
    const { message, callback_query: press } = update;
    if (press !== undefined) {
      const chat = press.message?.chat.id;
      const who = chat === undefined ? null : this.allowed(press.from.id, chat);
      if (who === null || chat === undefined) return null;
      this.tally('pressed');
      return this.commands.pressed(press.id, press.data ?? '', press.message!.message_id, who);
    }
    if (message === undefined) return null;
    const { from, chat, date } = message;
    const who = from === undefined || from.is_bot ? null : this.allowed(from.id, chat.id);
    if (from === undefined || from.is_bot) this.tally('unknown');
    if (who === null) return null;
    if (this.now() - date * SECOND > OLD_MS) {
      this.tally('old');
      return null;
    }
    const command = commandIn(message, this.username);
    if (command === null) return null;
    this.tally('commands');
    return this.commands.said(command.name, command.words, who);
  }

  private allowed(user: number, chat: number): CommandContext | null {
    const { users, chats } = this.options.commands;
    const name = Object.hasOwn(users, String(user)) ? users[String(user)]! : null;
    if (name !== null && chats.includes(chat)) return { user, chat, by: `${name} (telegram)` };
    this.tally('unknown');
    return null;
  }

  /** The offset of the life before, if that is not long ago: what Telegram still holds is younger than a day. */
  private remembered(): number | null {
    try {
      const text = this.options.memory?.read() ?? null;
      const [, offset, at] = /^(\d+) (\d+)$/.exec(text ?? '') ?? [];
      return offset === undefined || this.now() - Number(at) > REMEMBER_MS ? null : Number(offset);
    } catch {
      return null;
    }
  }

  private remember(offset: number | null): void {
    if (offset === null) return;
    try {
      this.options.memory?.write(`${offset} ${this.now()}`);
    } catch (error) {
      // Telegram itself remembers what was confirmed; only what came just before an end could come again
      this.options.log?.(`telegram ${this.options.name}: ${(error as Error).message}`);
    }
  }
}

/** The command a message begins with and the words behind it; null for other messages and for another bot's commands. */
export function commandIn(
  { text = '', entities = [] }: Pick<Message, 'text' | 'entities'>,
  username: string | null,
): { name: string; words: string[] } | null {
  const entity = entities.find((one) => one.type === 'bot_command' && one.offset === 0);
  if (entity === undefined) return null;
  const [name = '', to] = text.slice(1, entity.length).split('@');
  if (to !== undefined && username !== null && to.toLowerCase() !== username.toLowerCase()) return null;
  const words = text
    .slice(entity.length)
    .split(/\s+/)
    .filter((word) => word !== '');
  return { name: name.toLowerCase(), words };
}
