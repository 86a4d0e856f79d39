import { join } from 'node:path';
import type { AlertsConfiguration } from './alert-configuration.ts';
import { AlertDesk, type AlertDeskOptions } from './alert-desk.ts';
import { channelsOf } from './channels-of.ts';
import { dailySummary } from './daily-summary.ts';
import { controlOperator, type Operator } from './operator.ts';
import { TelegramBot } from './telegram-bot.ts';

/** In the data directory. A file of its own: a console that is busy or broken keeps no alert waiting. */
export const ALERTS_FILE = 'alerts.sqlite';

export interface StartAlertsOptions {
  readonly dataDir: string;
  readonly configuration: AlertsConfiguration;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: the control sockets of the data directory. */
  readonly operator?: Operator;
  /** Default: {@link ALERTS_FILE} in the data directory. */
  readonly file?: string;
  readonly onAlert?: AlertDeskOptions['onAlert'];
  readonly log?: (line: string) => void;
  readonly now?: () => number;
}

export interface RunningAlerts {
  readonly desk: AlertDesk;
  readonly bots: readonly TelegramBot[];
  /** Why a channel cannot work; null for one that can. */
  readonly faults: Readonly<Record<string, string | null>>;
  stop(): Promise<void>;
}

/** Opens the desk of a data directory without starting it: for commands that look at it or change it. */
export function openAlerts(options: StartAlertsOptions): {
  desk: AlertDesk;
  channels: ReturnType<typeof channelsOf>;
} {
  const { dataDir, configuration, environment, onAlert, log, now } = options;
  const { channels: _, ...rules } = configuration;
  const channels = channelsOf(configuration, environment);
  const operator = options.operator ?? controlOperator(dataDir);
  const desk: AlertDesk = new AlertDesk({
    file: options.file ?? join(dataDir, ALERTS_FILE),
    rules,
    channels: channels.channels,
    summarise: (day) =>
      dailySummary(day, operator, {
        read: (name) => desk.remembered(name),
        write: (name, value) => desk.remember(name, value),
      }),
    ...(onAlert === undefined ? {} : { onAlert }),
    ...(log === undefined ? {} : { log }),
    ...(now === undefined ? {} : { now }),
  });
  return { desk, channels };
}

/** Alerting as the server runs it: the desk and a bot for every Telegram channel that listens to commands. */
export function startAlerts(options: StartAlertsOptions): RunningAlerts {
  const { desk, channels } = openAlerts(options);
  const operator = options.operator ?? controlOperator(options.dataDir);
  const { log } = options;
  for (const [name, fault] of Object.entries(channels.faults))
    if (fault !== null) log?.(`alert channel ${name} cannot work: ${fault}`);
  const bots = channels.listening.map(
    ({ name, link, commands, bot }) =>
      new TelegramBot({
        name,
        link,
        commands,
        operator,
        acknowledge: (id, by) => desk.acknowledge(id, by) !== null,
        memory: {
          read: () => desk.remembered(`telegram.${bot}`),
          write: (value) => desk.remember(`telegram.${bot}`, value),
        },
        ...(log === undefined ? {} : { log }),
      }),
  );
  desk.start();
  for (const bot of bots) bot.start();
  const stop = async () => {
    await Promise.all(bots.map((bot) => bot.stop()));
    await desk.stop();
  };
  return { desk, bots, faults: channels.faults, stop };
}
