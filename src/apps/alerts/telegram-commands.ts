import type { Instant } from '#base';
import type { OperatorAction, TraceLine } from '#engine';
import { plain } from '../cli/plain-text.ts';
import type { ControlAnswer } from '../runner/control.ts';
import type { Status } from '../runner/status.ts';
import { CONFIRM_MS, Confirmations } from './confirmations.ts';
import type { Operator } from './operator.ts';
import type { TelegramReplies } from './telegram-replies.ts';
import { pnlText, positionsText, statusText, whyText } from './telegram-texts.ts';

/** Who speaks, and where. */
export interface CommandContext {
  readonly user: number;
  readonly chat: number;
  /** As the journal names them. */
  readonly by: string;
}

export interface TelegramCommandsOptions {
  readonly operator: Operator;
  readonly replies: TelegramReplies;
  readonly acknowledge: ((id: string, by: string) => boolean) | undefined;
  readonly now: () => Instant;
}

type Act = Extract<OperatorAction, { action: 'start' | 'stop' | 'flatten' | 'kill' }>;

/** Something that was ordered and may have to be confirmed. */
interface Order {
  readonly act: Act;
  readonly words: string;
  readonly portfolios: readonly string[];
  readonly reason: string;
}

const ORDERS: Readonly<Record<string, { act: Act; words: string; confirm: boolean }>> = {
  // stopping entries only takes risk away: it is not kept waiting for a second word
  pause: { act: { action: 'stop' }, words: 'stop entries', confirm: false },
  resume: { act: { action: 'start' }, words: 'allow entries again', confirm: true },
  flatten: {
    act: { action: 'flatten', desk: null },
    words: 'close every position and cancel every order',
    confirm: true,
  },
  kill: { act: { action: 'kill' }, words: 'KILL: close everything and shut the breaker down', confirm: true },
};

const REASON_MOST = 400;
const WHY_LINES = 5;

/** What the commands of a Telegram chat do. Answers are handed to {@link TelegramReplies}: nothing here waits for them. */
export class TelegramCommands {
  static readonly list = [
    { command: 'status', description: 'what runs and how it stands' },
    { command: 'positions', description: 'what is held, with stops and targets' },
    { command: 'pnl', description: 'equity, today, fees' },
    { command: 'why', description: 'why INSTRUMENT: its newest decisions' },
    { command: 'pause', description: 'stop entries' },
    { command: 'resume', description: 'allow entries again (asks)' },
    { command: 'flatten', description: 'close every position (asks)' },
    { command: 'kill', description: 'close everything and shut down (asks)' },
    { command: 'ack', description: 'ack ID: you look after an alert' },
    { command: 'help', description: 'this list' },
  ] as const;

  private readonly options: TelegramCommandsOptions;
  private readonly confirmations = new Confirmations<Order>();

  constructor(options: TelegramCommandsOptions) {
    this.options = options;
  }

  /** A command with the words behind it. Never rejects. */
  async said(name: string, words: readonly string[], who: CommandContext): Promise<void> {
    try {
      this.options.replies.say(...(await this.answerTo(name, words, who)));
    } catch (error) {
      this.options.replies.say(who.chat, `that did not work: ${plain((error as Error).message)}`);
    }
  }

  private async answerTo(
    name: string,
    words: readonly string[],
    who: CommandContext,
  ): Promise<Parameters<TelegramReplies['say']>> {
    const { chat } = who;
    const order = Object.hasOwn(ORDERS, name) ? ORDERS[name]! : null;
    if (order !== null) return this.ordered(name, order, words, who);
    switch (name) {
      case 'status':
        return [chat, await this.about(words, statusText)];
      case 'positions':
        return [chat, await this.about(words, positionsText)];
      case 'pnl':
        return [chat, await this.about(words, pnlText)];
      case 'why':
        return [chat, await this.why(words)];
      case 'ack':
        return [chat, this.acknowledge(words, who)];
      case 'start':
      case 'help':
        return [chat, HELP];
      default:
        return [chat, `there is no /${plain(name)}. ${HELP}`];
    }
  }

  private acknowledge([id]: readonly string[], { by }: CommandContext): string {
    const { acknowledge } = this.options;
    if (id === undefined) return 'Say which: /ack ID. The id stands below the alert.';
    return acknowledge?.(id, by) ? `${plain(id)} is acknowledged` : `there is no alert ${plain(id)}`;
  }

  /** Those that are named first in the words, else all. */
  private named(words: readonly string[]): { portfolios: readonly string[]; rest: readonly string[] } {
    const names = this.options.operator.names();
    const [first] = words;
    return first !== undefined && names.includes(first)
      ? { portfolios: [first], rest: words.slice(1) }
      : { portfolios: names, rest: words };
  }

  private async statuses(portfolios: readonly string[]): Promise<Status[]> {
    const { operator } = this.options;
    const answers = await Promise.all(portfolios.map((name) => operator.ask(name, { ask: 'status' })));
    return answers.filter((answer) => answer?.ok === true).map((answer) => answer!.status as Status);
  }

  private async about(words: readonly string[], text: (status: Status) => string): Promise<string> {
    const running = await this.statuses(this.named(words).portfolios);
    return running.length === 0 ? 'nothing runs, or nothing answers' : running.map(text).join('\n\n');
  }

  private async why(words: readonly string[]): Promise<string> {
    const { portfolios, rest } = this.named(words);
    const wanted = rest[0]?.toUpperCase();
    if (wanted === undefined) return 'Say about what: /why BTCUSDT';
    const texts: string[] = [];
    for (const status of await this.statuses(portfolios)) {
      const ids = status.instruments.map(({ id }) => id);
      const instrument =
        ids.find((id) => id.toUpperCase() === wanted) ??
        ids.find((id) => id.toUpperCase().split('.')[0] === wanted) ??
        ids.find((id) => id.toUpperCase().startsWith(wanted));
      if (instrument === undefined) continue;
      const answer = await this.options.operator.ask(status.portfolio, {
        ask: 'why',
        instrument,
        most: WHY_LINES,
      });
      const lines = answer?.ok === true ? (answer.lines as TraceLine[]) : [];
      texts.push(whyText(status.portfolio, instrument, lines));
    }
    return texts.length === 0 ? `nothing that runs trades ${plain(wanted)}` : texts.join('\n\n');
  }

  private async ordered(
    name: string,
    { act, words, confirm }: { act: Act; words: string; confirm: boolean },
    said: readonly string[],
    who: CommandContext,
  ): Promise<Parameters<TelegramReplies['say']>> {
    const { portfolios, rest } = this.named(said);
    const reason = rest.join(' ').slice(0, REASON_MOST) || 'asked by Telegram';
    const order: Order = { act, words, portfolios, reason };
    if (!confirm) return [who.chat, await this.carryOut(order, who)];
    const nonce = this.confirmations.ask(who.user, who.chat, order, this.options.now());
    const where = portfolios.length === 0 ? 'nothing has run here' : portfolios.join(', ');
    return [
      who.chat,
      `/${name}: ${words}?\n${where}\nreason: ${plain(reason)}\nThe buttons work for ${CONFIRM_MS / 1_000} s and only for you.`,
      [
        { text: `Yes, ${name}`, data: `y:${nonce}` },
        { text: 'No', data: `n:${nonce}` },
      ],
    ];
  }

  /** A button. What it confirms leaves before anything is answered. Never rejects. */
  async pressed(pressId: string, data: string, messageId: number, who: CommandContext): Promise<void> {
    const { replies, now } = this.options;
    const [, word, nonce] = /^([yn]):([\w-]{22})$/.exec(data) ?? [];
    if (word === undefined || nonce === undefined) return;
    const redeemed = this.confirmations.redeem(nonce, who.user, who.chat, now());
    switch (redeemed.is) {
      case 'foreign':
        return replies.noticed(pressId, 'only who asked may answer');
      case 'unknown':
        return replies.noticed(pressId, 'answered already, or forgotten by a restart: ask again');
      case 'expired':
        replies.noticed(pressId, 'too late: ask again');
        return replies.replace(who.chat, messageId, 'Too late: nothing was done. Ask again.');
      case 'ok':
        break;
    }
    if (word === 'n') {
      replies.noticed(pressId, 'nothing was done');
      return replies.replace(who.chat, messageId, `Nothing was done (${redeemed.what.words}).`);
    }
    const done = this.carryOut(redeemed.what, who);
    replies.noticed(pressId, 'it goes out');
    replies.replace(who.chat, messageId, await done);
  }

  /** To all loops at once; none waits for another. */
  private async carryOut({ act, words, portfolios, reason }: Order, { by }: CommandContext): Promise<string> {
    const { operator } = this.options;
    const lines = await Promise.all(
      portfolios.map(async (name) => {
        const answer = await operator
          .ask(name, { ask: 'operator', by, reason, act })
          .catch((error: unknown): ControlAnswer => ({ ok: false, error: (error as Error).message }));
        return `${name}: ${outcomeOf(answer)}`;
      }),
    );
    return [words, ...(lines.length === 0 ? ['nothing has run here'] : lines)].map(plain).join('\n');
  }
}

function outcomeOf(answer: ControlAnswer | null): string {
  if (answer === null) return 'does not run, or does not answer';
  if (!answer.ok) return `refused: ${String(answer.error)}`;
  const breaker = answer.breaker == null ? '' : `, breaker ${String(answer.breaker)}`;
  return `done; entries ${answer.running === true ? 'allowed' : 'stopped'}${breaker}`;
}

const HELP = [
  'Commands; [portfolio] is all that run unless named:',
  '/status [portfolio]',
  '/positions [portfolio]',
  '/pnl [portfolio]',
  '/why [portfolio] INSTRUMENT',
  '/pause [portfolio] [reason]',
  '/resume [portfolio] [reason]',
  '/flatten [portfolio] [reason]',
  '/kill [portfolio] [reason]',
  '/ack ID',
].join('\n');
