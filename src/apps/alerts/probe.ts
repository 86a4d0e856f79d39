import type { AlertChannel, SendOutcome } from '#adapters';
import { messageOf } from './alert.ts';
import { testAlert } from './own-alerts.ts';

export interface Probed {
  readonly channel: string;
  readonly kind: AlertChannel['kind'];
  readonly outcome: SendOutcome;
}

/** Sends a test to channels at once, beside rules and outbox; what rings is told to stop. */
export async function probe(channels: readonly AlertChannel[], by: string): Promise<Probed[]> {
  const now = Date.now();
  const alert = testAlert(`test-${now}`, by, now);
  return Promise.all(
    channels.map(async (channel) => {
      const outcome = await channel.send(messageOf(alert, 'trigger', alert.id));
      if (outcome.is === 'delivered' && channel.verbs.includes('acknowledge'))
        await channel.send(messageOf(alert, 'resolve', alert.id));
      return { channel: channel.name, kind: channel.kind, outcome };
    }),
  );
}
