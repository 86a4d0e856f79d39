import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { TelegramLink } from '#adapters';
import type { Operator } from '../../src/apps/alerts/operator.ts';
import { commandIn, TelegramBot, type TelegramBotOptions } from '../../src/apps/alerts/telegram-bot.ts';
import type { ControlAnswer, ControlRequest } from '../../src/apps/runner/control.ts';
import { TelegramLoopback } from '../support/telegram-loopback.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Loops that keep what they were told. */
class Loops implements Operator {
  readonly asked: { portfolio: string; question: ControlRequest }[] = [];
  silent = new Set<string>();
  private readonly all: string[];
  constructor(...names: string[]) {
    this.all = names;
  }
  names(): readonly string[] {
    return this.all;
  }
  async ask(portfolio: string, question: ControlRequest): Promise<ControlAnswer | null> {
    this.asked.push({ portfolio, question });
    if (this.silent.has(portfolio)) return null;
    if (question.ask === 'operator') return { ok: true, running: false, breaker: 'CLOSED' };
    if (question.ask === 'why') {
      const objections = [{ by: 'calm', reason: 'too <wild>' }];
      const decision = {
        type: 'decision',
        at: 0,
        desk: 'sigma',
        instrument: question.instrument,
        shadow: false,
        action: 'buy',
        confidence: 0.61,
        outcome: 'refused',
        objections,
      };
      return { ok: true, lines: [decision] };
    }
    return { ok: true, status: statusOf(portfolio) };
  }
  /** What was ordered, by whom. */
  get acts(): string[] {
    return this.asked.flatMap(({ portfolio, question }) =>
      question.ask === 'operator'
        ? [`${portfolio} ${question.act.action} ${question.by}: ${question.reason}`]
        : [],
    );
  }
}

const statusOf = (portfolio: string) => ({
  ...{
    portfolio,
    mode: 'PAPER',
    at: 0,
    currency: 'USDT',
    equity: '10123.456',
    cash: '0',
    realised: '1',
    unrealised: '2',
  },
  ...{
    fees: '3',
    funding: '4',
    dayChange: 0.0123,
    maxDrawdown: 0.05,
    running: true,
    feed: 'live',
    workingOrders: 2,
  },
  breaker: { state: 'ALERT', since: 0, causes: ['latency'] },
  instruments: [{ id: 'BTCUSDT.BINANCE-USDM', desk: 'sigma', price: 1, regime: null, bars: 1 }],
  positions: [
    {
      ...{
        book: 'b',
        desk: 'sigma',
        instrument: 'BTCUSDT.BINANCE-USDM',
        side: 'long',
        quantity: '0.5',
        entryPrice: 64_000,
      },
      ...{
        price: 64_500,
        unrealised: '250',
        stop: 63_000,
        target: null,
        stopDistance: 0.0233,
        targetDistance: null,
      },
    },
  ],
  decisions: [],
  counts: { slices: 10, trades: 7 },
});

async function setUp(given: Partial<TelegramBotOptions> = {}, loops = new Loops('demo')) {
  const server = await new TelegramLoopback().start();
  cleanups.push(() => server.stop());
  const said: string[] = [];
  const make = () => {
    const bot = new TelegramBot({
      name: 'phone',
      link: new TelegramLink({ token: server.token, baseUrl: server.url }),
      commands: { users: { '42': 'ada', '43': 'bob' }, chats: [42, -100] },
      operator: loops,
      pollSeconds: 5,
      pauseMs: 10,
      log: (line) => said.push(line),
      ...given,
    });
    cleanups.push(() => bot.stop());
    bot.start();
    return bot;
  };
  return { server, loops, said, make, bot: make() };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waits = 0; waits < 1_000; waits++) {
    if (condition()) return;
    await sleep(5);
  }
  throw new Error(`waited in vain for ${what}`);
}

const replies = (server: TelegramLoopback) => server.sent.filter((one) => one.method === 'sendMessage');

describe('a Telegram bot', () => {
  it('answers /status, /positions, /pnl, /why and /help as plain text', async () => {
    const { server } = await setUp();
    for (const [text, answer] of [
      ['/status', 'equity 10,123.45 USDT'],
      ['/positions@quorum_test_bot demo', 'BTCUSDT.BINANCE-USDM long 0.5 @ 64000'],
      ['/pnl', 'fees 3.00'],
      ['/why btcusdt', 'calm: too <wild>'],
      ['/why', 'Say about what'],
      ['/why DOGE', 'nothing that runs trades DOGE'],
      ['/help', '/flatten [portfolio] [reason]'],
      ['/dance', 'there is no /dance'],
    ] as const) {
      const before = replies(server).length;
      server.says(text);
      await until(() => replies(server).length > before, `an answer to ${text}`);
      const last = replies(server).at(-1)!;
      expect(last.text).toContain(answer);
      expect(last.payload.parse_mode).toBeUndefined();
      expect(last.chat).toBe(42);
    }
    expect(replies(server)).toHaveLength(8);
  });

  it('answers nobody whose number and chat are not both on its list', async () => {
    const { server, loops, bot } = await setUp();
    server.says('/flatten', { user: 666, chat: 666 });
    server.says('/kill', { user: 666, chat: 42 });
    server.says('/status', { user: 42, chat: 666 });
    server.says('/pause', { user: 666, chat: -100 });
    server.press('y:AAAAAAAAAAAAAAAAAAAAAA', { user: 666 });
    server.push({ message: { message_id: 1, chat: { id: 42 }, date: Date.now() / 1_000, text: '/kill' } });
    server.push({ message: 'what' });
    server.push({ callback_query: { id: 'x', from: { id: 42 }, data: 'y:x' } });
    server.says('hello');
    server.says('/status', { user: 43, chat: -100 });
    await until(() => replies(server).length > 0, 'the one answer');
    expect(server.sent).toHaveLength(1);
    expect(server.sent[0]!.chat).toBe(-100);
    expect(loops.acts).toEqual([]);
    expect(bot.counts()).toMatchObject({ unknown: 7, commands: 1 });
  });

  it('asks before what is dangerous, and does it once, for who asked, within a minute', async () => {
    let now = Date.now();
    const { server, loops } = await setUp({ now: () => now }, new Loops('demo', 'other'));
    server.says('/flatten demo rates spike', { at: now });
    await until(() => server.question() !== undefined, 'the question');
    const [yes, no] = server.question()!.buttons.map((button) => button.callback_data);
    expect(server.question()!.text).toContain('demo\nreason: rates spike');
    expect(yes!.length).toBeLessThanOrEqual(64);
    expect(loops.acts).toEqual([]);
    // another allowed person may not answer, nor the same one elsewhere
    server.press(yes!, { user: 43 });
    server.press(yes!, { user: 42, chat: -100 });
    server.press('y:AAAAAAAAAAAAAAAAAAAAAA');
    await until(
      () => server.sent.filter((s) => s.method === 'answerCallbackQuery').length === 3,
      'three refusals',
    );
    expect(loops.acts).toEqual([]);
    server.press(yes!);
    server.press(yes!);
    server.press(no!);
    await until(
      () => server.sent.filter((s) => s.method === 'answerCallbackQuery').length === 6,
      'three more',
    );
    expect(loops.acts).toEqual(['demo flatten ada (telegram): rates spike']);
    await until(
      () => server.sent.some((s) => s.method === 'editMessageText' && /demo: done/.test(s.text)),
      'the outcome',
    );
    // too late
    server.says('/resume', { at: now });
    await until(() => server.question()!.text.startsWith('/resume'), 'the second question');
    now += 60_000;
    server.press(server.question()!.buttons[0]!.callback_data);
    await until(() => server.sent.some((s) => /Too late/.test(s.text)), 'the refusal');
    // no is no
    server.says('/kill', { at: now });
    await until(() => server.question()!.text.startsWith('/kill'), 'the third question');
    server.press(server.question()!.buttons[1]!.callback_data);
    await until(() => server.sent.some((s) => /Nothing was done/.test(s.text)), 'the end');
    expect(loops.acts).toHaveLength(1);
  });

  it('stops entries at once, and everything of everybody on a confirmed kill', async () => {
    const loops = new Loops('demo', 'other', 'dead');
    loops.silent.add('dead');
    const { server } = await setUp({}, loops);
    server.says('/pause odd fills');
    await until(() => loops.acts.length === 3, 'the stop');
    expect(loops.acts[1]).toBe('other stop ada (telegram): odd fills');
    server.says('/kill');
    await until(() => server.question() !== undefined, 'the question');
    server.press(server.question()!.buttons[0]!.callback_data);
    await until(() => loops.acts.length === 6, 'the kill');
    expect(loops.acts.slice(3)).toEqual(
      ['demo', 'other', 'dead'].map((name) => `${name} kill ada (telegram): asked by Telegram`),
    );
    await until(
      () => server.sent.some((s) => /dead: does not run, or does not answer/.test(s.text)),
      'the outcome',
    );
  });

  it('sends a confirmed kill while every message to Telegram hangs', async () => {
    const { server, loops } = await setUp();
    server.says('/kill');
    await until(() => server.question() !== undefined, 'the question');
    for (const method of ['sendMessage', 'editMessageText', 'answerCallbackQuery'])
      server.always.set(method, 'hang');
    server.says('/status');
    server.says('/status');
    await until(() => loops.asked.length === 2, 'both looks');
    const pressed = performance.now();
    server.press(server.question()!.buttons[0]!.callback_data);
    await until(() => loops.acts.length === 1, 'the kill');
    expect(performance.now() - pressed).toBeLessThan(1_000);
  });

  it('takes nothing that is old, nothing twice, and goes on where it was after a restart', async () => {
    let place: string | null = null;
    const memory = {
      read: () => place,
      write: (value: string) => {
        place = value;
      },
    };
    const { server, bot, loops, make } = await setUp({ memory });
    server.says('/pause', { at: Date.now() - 301_000 });
    server.says('/pause');
    await until(() => loops.acts.length === 1, 'the stop');
    await until(() => place !== null, 'the note');
    expect(bot.counts()).toMatchObject({ old: 1, commands: 1 });
    await bot.stop();
    // Telegram gives what was not confirmed once more
    server.push(
      {
        message: {
          message_id: 5,
          from: { id: 42, is_bot: false },
          chat: { id: 42 },
          date: Date.now() / 1_000,
          text: '/pause',
          entities: [{ type: 'bot_command', offset: 0, length: 6 }],
        },
      },
      2,
    );
    const second = make();
    server.says('/status');
    await until(() => replies(server).some((one) => /equity/.test(one.text)), 'the answer');
    expect(loops.acts).toHaveLength(1);
    expect(second.counts().commands).toBe(1);
    // numbers that begin anew are not taken for old ones once all is confirmed
    await until(() => server.polls > 2, 'another poll');
  });

  it('waits while another program polls, survives outages and a wrong answer, and shows no token', async () => {
    const { server, bot, said, loops } = await setUp({ pollSeconds: 1 });
    const conflict = {
      ok: false,
      error_code: 409,
      description: 'Conflict: terminated by other getUpdates request',
    };
    server.faults.push(
      { method: 'getUpdates', fault: { status: 409, body: conflict } },
      { method: 'getUpdates', fault: 'drop' },
      { method: 'getUpdates', fault: 'garbage' },
      { method: 'getUpdates', fault: { status: 502 } },
      {
        method: 'getUpdates',
        fault: {
          status: 429,
          body: {
            ok: false,
            error_code: 429,
            description: `slow ${server.token}`,
            parameters: { retry_after: 0 },
          },
        },
      },
      { method: 'getUpdates', fault: { status: 200, body: { ok: true, result: 'nonsense' } } },
    );
    await until(() => server.faults.length === 0, 'all faults');
    server.says('/pause');
    await until(() => loops.acts.length === 1, 'the stop');
    expect(bot.state).toBe('polling');
    expect(said.some((line) => line.includes('another program polls this bot'))).toBe(true);
    expect(said.join('\n')).not.toContain(server.token);
    expect(bot.counts()).toMatchObject({ 'poll.409': 1, 'poll.429': 1 });
  });

  it('tries an answer again when Telegram asks for a pause', async () => {
    const { server } = await setUp();
    const body = {
      ok: false,
      error_code: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 1 },
    };
    server.faults.push({ method: 'sendMessage', fault: { status: 429, body } });
    server.says('/pnl');
    await until(() => replies(server).length === 1, 'the answer');
    const calls = server.received.filter((one) => one.path.endsWith('/sendMessage'));
    expect(calls).toHaveLength(2);
    expect(calls[1]!.at - calls[0]!.at).toBeGreaterThan(900);
  });
});

describe('commandIn', () => {
  const command = (text: string, length: number, offset = 0) =>
    commandIn({ text, entities: [{ type: 'bot_command', offset, length }] }, 'quorum_test_bot');

  it('reads entities, strips the name of this bot and leaves commands for others', () => {
    expect(command('/Pause@Quorum_Test_Bot  demo now', 22)).toEqual({
      name: 'pause',
      words: ['demo', 'now'],
    });
    expect(command('/pause@other_bot', 16)).toBeNull();
    expect(command('say /pause', 6, 4)).toBeNull();
    expect(commandIn({ text: '/pause' }, null)).toBeNull();
    expect(commandIn({}, null)).toBeNull();
  });
});
