import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { readJournal } from '#adapters';
import { type Command, type Event, onlyReduces, readCommand, readEvent } from '#engine';
import { alertsSchema } from '../../src/apps/alerts/alert-configuration.ts';
import { startAlerts } from '../../src/apps/alerts/start-alerts.ts';
import { askControl } from '../../src/apps/runner/control.ts';
import type { Status } from '../../src/apps/runner/status.ts';
import { Child } from '../program/child.ts';
import { TelegramLoopback } from '../support/telegram-loopback.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What the journal holds behind the kill: null until it is there. */
function afterTheKill(journal: string): { by: string; commands: Command[] } | null {
  let by: string | null = null;
  const commands: Command[] = [];
  for (const { kind, text } of readJournal(journal)) {
    if (kind === 'event' && text.includes('"operator-acted"')) {
      const event = readEvent(text) as Extract<Event, { kind: 'operator-acted' }>;
      if (event.act.action === 'kill') by = `${event.by}: ${event.reason}`;
    } else if (by !== null && kind === 'command') commands.push(readCommand(text));
  }
  return by === null ? null : { by, commands };
}

it('a kill from Telegram cancels and closes all within a second, with every database locked and no answer leaving', async () => {
  const root = mkdtempSync(join(tmpdir(), 'quorum-telegram-kill-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const loop = new Child(['start', '--demo', '--speed', '20', '--no-console', '--data-dir', 'data'], {
    cwd: root,
  });
  cleanups.push(async () => {
    loop.kill('SIGKILL');
    await loop.ended;
  });
  const directory = join(root, 'data', 'demo');
  const status = async () => (await askControl(directory, { ask: 'status' }))?.status as Status | undefined;
  await loop.until(async () => ((await status())?.workingOrders ?? 0) > 0, 'working orders');
  const server = await new TelegramLoopback().start();
  cleanups.push(() => server.stop());
  const running = startAlerts({
    dataDir: join(root, 'data'),
    configuration: alertsSchema.parse({
      channels: {
        phone: {
          kind: 'telegram',
          chatId: 42,
          baseUrl: server.url,
          commands: { users: { 42: 'ada' }, chats: [42] },
        },
      },
    }),
    environment: { QUORUM_TELEGRAM_TOKEN: server.token },
  });
  cleanups.push(() => running.stop());
  server.says('/kill all odd fills');
  await loop.until(() => server.question() !== undefined, 'the question');
  // the projections and the alerts' own file are held by others; no message reaches Telegram any more
  for (const file of [join(directory, 'quorum.sqlite'), join(root, 'data', 'alerts.sqlite')]) {
    const other = new DatabaseSync(file, { timeout: 5_000 });
    other.exec('BEGIN EXCLUSIVE');
    cleanups.push(() => other.close());
  }
  for (const method of ['sendMessage', 'editMessageText', 'answerCallbackQuery'])
    server.always.set(method, 'hang');
  const pressedAt = performance.now();
  server.press(server.question()!.buttons[0]!.callback_data);
  let found = afterTheKill(join(directory, 'journal'));
  while (found === null && performance.now() - pressedAt < 20_000) {
    await sleep(5);
    found = afterTheKill(join(directory, 'journal'));
  }
  const tookMs = performance.now() - pressedAt;
  expect(found?.by).toBe('ada (telegram): all odd fills');
  expect(found!.commands.filter(onlyReduces).length).toBeGreaterThan(0);
  process.stdout.write(
    `telegram, its messages hanging: the loop cut ${tookMs.toFixed(0)} ms after the press\n`,
  );
  expect(tookMs).toBeLessThan(1_000);
  await loop.until(async () => {
    const now = await status();
    return now?.workingOrders === 0 && now.positions.length === 0;
  }, 'nothing held and nothing working');
  expect(await status()).toMatchObject({ running: false, breaker: { state: 'SHUTDOWN' } });
});
