import type { AlertChannel, AlertMessage, AlertVerb, SendOutcome } from '#adapters';

/** A channel in this process: what it does with the next messages is given, else it takes them. */
export class TestChannel implements AlertChannel {
  readonly name: string;
  readonly kind = 'webhook';
  readonly verbs: readonly AlertVerb[];
  readonly taken: AlertMessage[] = [];
  readonly asked: AlertMessage[] = [];
  readonly outcomes: (SendOutcome | Promise<SendOutcome>)[] = [];
  /** What it does with every message that nothing is given for. */
  always: SendOutcome | null = null;

  constructor(name: string, verbs: readonly AlertVerb[] = ['trigger', 'acknowledge', 'resolve']) {
    this.name = name;
    this.verbs = verbs;
  }

  async send(message: AlertMessage, signal?: AbortSignal): Promise<SendOutcome> {
    this.asked.push(message);
    const given = this.outcomes.shift() ?? this.always;
    const stopped = new Promise<SendOutcome>((done) => {
      signal?.addEventListener('abort', () => done({ is: 'retry', reason: 'stopped', afterMs: null }));
    });
    const outcome =
      given === null ? { is: 'delivered' as const, reference: null } : await Promise.race([given, stopped]);
    if (outcome.is === 'delivered') this.taken.push(message);
    return outcome;
  }
}

export const later: SendOutcome = { is: 'retry', reason: 'busy', afterMs: null };
export const never: SendOutcome = { is: 'refused', reason: 'no such chat' };
