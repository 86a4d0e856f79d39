import { call } from '../api/client.ts';
import { asRefused } from '../api/errors.ts';
import { createStore } from '../api/store.ts';

export interface Said {
  readonly id: number;
  readonly by: 'you' | 'model' | 'parser' | 'nobody';
  readonly text: string;
  /** What was looked up for an answer. */
  readonly sources: readonly string[];
}

/** In memory only: gone with the page. */
export const conversation = createStore<readonly Said[]>([]);
export const waiting = createStore(false);

const SAID_MOST = 200;
/** A model may look things up a few times before it answers. */
const TIMEOUT_MS = 45_000;

let count = 0;

function say(by: Said['by'], text: string, sources: readonly string[] = []): void {
  count += 1;
  conversation.set([...conversation.get().slice(1 - SAID_MOST), { id: count, by, text, sources }]);
}

/** Asks, and keeps both the question and what came of it. Does nothing while an answer is awaited. */
export async function ask(message: string, portfolio: string | null): Promise<void> {
  const text = message.trim();
  if (text === '' || waiting.get()) return;
  say('you', text);
  waiting.set(true);
  try {
    const query = portfolio === null ? {} : { portfolio };
    const answer = await call('chat', { query, body: { message: text } }, { timeoutMs: TIMEOUT_MS });
    say(answer.by, answer.reply, answer.sources);
  } catch (error) {
    const refused = asRefused(error);
    say('nobody', `${refused.message} ${refused.mend}`.trim());
  } finally {
    waiting.set(false);
  }
}
