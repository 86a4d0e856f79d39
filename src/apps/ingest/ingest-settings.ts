import { join } from 'node:path';
import {
  type AccessOptions,
  type BarStore,
  type BarStreams,
  CreditBudget,
  EmbeddedStreams,
  type FeedClock,
  LIVE_VENUES,
  openBars,
  RedisStreams,
  readRedisAddress,
  TRADINGVIEW_ADDRESSES,
  TwelveData,
} from '#adapters';
import { InputError } from '#base';
import { parseInstrumentId } from '#market';
import { AskTogether } from './ask-together.ts';
import type { Source } from './gap-filler.ts';
import { type Series, s1Series, seriesOf } from './series.ts';
import type { ProviderFeed, WebhookFeed } from './webhook-feed.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Who may send, as the endpoint takes it. */
export type Access = AccessOptions & { readonly trustedProxies: readonly string[] };

export interface IngestSettings {
  readonly feed: WebhookFeed;
  readonly series: readonly Series[];
  /** Where the embedded queue and store lie. */
  readonly folder: string;
  readonly env: Environment;
}

/** Folder of what a feed keeps by itself in a data directory. */
export const ingestFolder = (dataDir: string, feedName: string): string => join(dataDir, 'ingest', feedName);

/** Reads what a feed is made of; secrets stay where they are until they are needed. Throws {@link InputError}. */
export function ingestSettings(feed: WebhookFeed, folder: string, env: Environment): IngestSettings {
  return { feed, series: seriesOfFeed(feed), folder, env };
}

/** Series of a webhook feed. Throws {@link InputError}. */
export function seriesOfFeed({ series, instruments }: WebhookFeed): readonly Series[] {
  if (series !== undefined && Object.keys(instruments).length > 0)
    throw new InputError(
      'a feed has both "series" and "instruments"',
      '"instruments" is for the sixteen of S1: remove one',
    );
  return seriesOf(series ?? s1Series(instruments));
}

/** A secret by the name of its variable. Throws {@link InputError} when nothing is set. */
function secretOf(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '')
    throw new InputError(
      `the environment variable ${name} is not set`,
      'set it, or remove its name from the feed',
    );
  return value;
}

/** Reads the secrets of the endpoint. Throws {@link InputError} for one that is not set. */
export function readAccess({ feed, env }: IngestSettings): Access {
  const given = (...names: (string | undefined)[]) =>
    names.filter((name) => name !== undefined).map((name) => secretOf(env, name));
  if (feed.requireHmac && feed.hmacKeyEnv === undefined)
    throw new InputError(
      'the feed requires signatures and names no key',
      'set "hmacKeyEnv"; or "requireHmac": false with the addresses that may send unsigned under "allow"',
    );
  return {
    secrets: given(feed.secretEnv, feed.previousSecretEnv),
    signingKeys: given(feed.hmacKeyEnv, feed.previousHmacKeyEnv),
    requireHmac: feed.requireHmac,
    allowedAddresses: feed.allow.flatMap((one) => (one === 'tradingview' ? TRADINGVIEW_ADDRESSES : [one])),
    bodyTokens: given(feed.tokenEnv),
    trustedProxies: feed.proxies,
  };
}

/**
 * Opens the queue. Its times are those of the machine, also where the bars have a clock of their own: a rehearsal's minute
 * is no minute that a worker was silent. Throws UnreachableError when a Redis does not answer.
 */
export function openStreams({ feed, series, folder, env }: IngestSettings): Promise<BarStreams> {
  const streams = series.map((one) => one.stream);
  const { streams: where } = feed;
  if (where.kind === 'embedded') return EmbeddedStreams.open({ file: join(folder, 'queue.sqlite'), streams });
  const password = where.passwordEnv === undefined ? null : secretOf(env, where.passwordEnv);
  const address = readRedisAddress(secretOf(env, where.urlEnv), password, `in ${where.urlEnv}`);
  return RedisStreams.open({ address, streams });
}

/** Opens the store of bars. */
export function openFeedStore({ feed, folder, env }: IngestSettings): Promise<BarStore> {
  const { store } = feed;
  const databaseUrl = store.kind === 'embedded' ? null : secretOf(env, store.databaseUrlEnv);
  return openBars({ file: join(folder, 'bars.sqlite'), databaseUrl });
}

export interface Sources {
  /** Who is asked for missing bars, in this order. */
  readonly all: readonly Source[];
  /** Whose bars count; null: the webhook's. */
  readonly judge: Source | null;
  close(): void;
}

/** The providers of a feed. Credits are counted in the store, so that all processes keep within one budget. */
export function openSources({ feed, env }: IngestSettings, store: BarStore, clock: FeedClock): Sources {
  const open: AskTogether[] = [];
  const all = [feed.provider, feed.fallback]
    .filter((one) => one !== undefined)
    .map((one) => {
      const provider = new AskTogether(providerOf(one, env, store, clock));
      open.push(provider);
      return { provider, symbolOf: symbolsOf(one) };
    });
  const judge = feed.provider?.decides === true ? all[0]! : null;
  return {
    all,
    judge,
    close: () => {
      for (const one of open) one.close();
    },
  };
}

function providerOf(feed: ProviderFeed, env: Environment, store: BarStore, clock: FeedClock) {
  if (feed.kind !== 'twelve-data') return LIVE_VENUES[feed.kind].provider(feed.restUrl, clock);
  const { creditsPerMinute: perMinute, creditsPerDay: perDay, baseUrl, exchange } = feed;
  return new TwelveData({
    apiKey: secretOf(env, feed.apiKeyEnv),
    clock,
    budget: new CreditBudget({ perMinute, perDay }, store),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(exchange === undefined ? {} : { exchange }),
  });
}

function symbolsOf({ kind, symbols }: ProviderFeed): (series: Series) => string {
  return ({ symbol, instrument }) => {
    const own = symbols[symbol];
    if (own !== undefined) return own;
    if (kind === 'twelve-data') return `${symbol}/USD`;
    const { venue, symbol: listed } = parseInstrumentId(instrument);
    const maker = LIVE_VENUES[kind];
    return venue === maker.venue ? listed : maker.symbolOf(symbol);
  };
}
