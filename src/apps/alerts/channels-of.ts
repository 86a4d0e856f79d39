import { hostname } from 'node:os';
import {
  AbsentChannel,
  type AlertChannel,
  PagerDutyChannel,
  SmtpChannel,
  TelegramChannel,
  TelegramLink,
  WebhookChannel,
} from '#adapters';
import { sha256 } from '#base';
import type {
  AlertsConfiguration,
  ChannelConfiguration,
  TelegramConfiguration,
} from './alert-configuration.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A Telegram channel that listens to commands. */
export interface Listening {
  readonly name: string;
  readonly link: TelegramLink;
  /** Tells one bot from another without naming its token. */
  readonly bot: string;
  readonly commands: NonNullable<TelegramConfiguration['commands']>;
}

export interface Channels {
  readonly channels: readonly AlertChannel[];
  readonly listening: readonly Listening[];
  /** Why a channel cannot work; null for one that can. */
  readonly faults: Readonly<Record<string, string | null>>;
}

/**
 * The channels of a configuration. One that cannot be made, because its secret is not set or its address is wrong, is
 * there all the same and refuses with the reason: alerts then go to the others.
 */
export function channelsOf(
  { channels }: Pick<AlertsConfiguration, 'channels'>,
  environment: Environment,
): Channels {
  const made: AlertChannel[] = [];
  const listening: Listening[] = [];
  const faults: Record<string, string | null> = {};
  const links = new Map<string, TelegramLink>();
  for (const [name, configuration] of Object.entries(channels)) {
    try {
      const missing = missingSecret(configuration, environment);
      if (missing !== null) throw new Error(`the environment variable ${missing} is not set`);
      made.push(channelOf(name, configuration, environment, links, listening));
      faults[name] = null;
    } catch (error) {
      faults[name] = (error as Error).message;
      made.push(new AbsentChannel(name, (error as Error).message));
    }
  }
  return { channels: made, listening, faults };
}

function missingSecret(configuration: ChannelConfiguration, environment: Environment): string | null {
  const wanted = Object.entries(configuration).filter(([key]) => key.endsWith('Env'));
  const missing = wanted.find(([, variable]) => !environment[String(variable)]);
  return missing === undefined ? null : String(missing[1]);
}

function channelOf(
  name: string,
  configuration: ChannelConfiguration,
  environment: Environment,
  links: Map<string, TelegramLink>,
  listening: Listening[],
): AlertChannel {
  const secret = (variable: string) => environment[variable]!;
  switch (configuration.kind) {
    case 'telegram': {
      const { tokenEnv, chatId, threadId, baseUrl, commands } = configuration;
      // channels of one bot share what Telegram says about its pace
      const address = `${tokenEnv} ${baseUrl ?? ''}`;
      const known = links.get(address);
      const link =
        known ?? new TelegramLink({ token: secret(tokenEnv), ...(baseUrl === undefined ? {} : { baseUrl }) });
      links.set(address, link);
      // a second poller of the same bot would be refused
      if (commands !== undefined && !listening.some((one) => one.link === link))
        listening.push({ name, link, commands, bot: sha256(secret(tokenEnv)).slice(0, 12) });
      return new TelegramChannel({ name, link, chatId, ...(threadId === undefined ? {} : { threadId }) });
    }
    case 'pagerduty': {
      const { routingKeyEnv, baseUrl, consoleUrl } = configuration;
      return new PagerDutyChannel({
        name,
        routingKey: secret(routingKeyEnv),
        source: hostname(),
        ...(baseUrl === undefined ? {} : { baseUrl }),
        ...(consoleUrl === undefined ? {} : { consoleUrl }),
      });
    }
    case 'webhook': {
      const { urlEnv, secretEnv } = configuration;
      const url = urlEnv === undefined ? configuration.url : secret(urlEnv);
      if (url === undefined) throw new Error('neither url nor urlEnv is given');
      return new WebhookChannel({ name, url, secret: secret(secretEnv) });
    }
    case 'smtp': {
      const { kind: _, userEnv, passwordEnv, caFile, ...rest } = configuration;
      return new SmtpChannel({
        name,
        ...rest,
        ...(caFile === undefined ? {} : { caFile }),
        user: userEnv === undefined ? null : secret(userEnv),
        password: passwordEnv === undefined ? null : secret(passwordEnv),
      });
    }
  }
}
