import { InputError } from '#base';
import type { WebhookFeed } from '../ingest/webhook-feed.ts';

/** The webhook feed that a command line names, or the only one. Throws {@link InputError}. */
export async function webhookFeedNamed(options: {
  readonly config?: string;
  readonly feed?: string;
}): Promise<{ readonly name: string; readonly feed: WebhookFeed }> {
  const { readConfiguration } = await import('../setup/configuration.ts');
  const configuration = await readConfiguration(options.config ?? null);
  if (configuration === null)
    throw new InputError(
      'there is no configuration',
      'describe a feed of kind "webhook" in quorum.config.json, or name the file with --config',
    );
  const feeds = Object.entries(configuration.feeds).filter(([, feed]) => feed.kind === 'webhook');
  const names = feeds.map(([name]) => name);
  if (options.feed === undefined && names.length !== 1)
    throw new InputError(
      names.length === 0
        ? 'no feed of the configuration is of kind "webhook"'
        : 'there are several webhook feeds',
      names.length === 0 ? 'add one under "feeds"' : `name one with --feed: ${names.join(', ')}`,
    );
  const name = options.feed ?? names[0]!;
  const feed = configuration.feeds[name];
  if (feed?.kind !== 'webhook')
    throw new InputError(
      feed === undefined ? `there is no feed "${name}"` : `feed "${name}" is of kind ${feed.kind}`,
      `webhook feeds: ${names.join(', ') || 'none'}`,
    );
  return { name, feed };
}
