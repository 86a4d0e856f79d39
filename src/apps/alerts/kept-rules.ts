import type { AlertChannel } from '#adapters';
import { type AlertRules, type RulesInForce, rulesInForce } from './alert-rules.ts';
import type { AlertStore } from './alert-store.ts';

/** The rules in force: those of the configuration, or those that were put in their place and are kept in the file. */
export class KeptRules {
  private readonly store: AlertStore;
  private readonly configured: RulesInForce;
  private readonly channels: readonly AlertChannel[];
  private readonly log: (line: string) => void;
  private text: string | null = null;
  /** As they were when last looked at; for when the file cannot be read. */
  last: RulesInForce;

  constructor(
    store: AlertStore,
    configured: RulesInForce,
    channels: readonly AlertChannel[],
    log: (line: string) => void,
  ) {
    this.store = store;
    this.configured = configured;
    this.channels = channels;
    this.log = log;
    this.last = configured;
  }

  /** Whether others than those of the configuration are in force. */
  get isSet(): boolean {
    return this.text !== null;
  }

  /** Reads them again: another process may have set them. */
  inForce(): RulesInForce {
    const text = this.store.setting('rules');
    if (text === this.text) return this.last;
    this.text = text;
    this.last = text === null ? this.configured : this.read(text);
    return this.last;
  }

  private read(text: string): RulesInForce {
    try {
      return rulesInForce(JSON.parse(text) as AlertRules, this.channels);
    } catch (error) {
      // they were set when there were other channels
      this.log(`the rules that were set do not fit the channels: ${(error as Error).message}`);
      return this.configured;
    }
  }

  set(rules: AlertRules | null): void {
    if (rules !== null) rulesInForce(rules, this.channels);
    const text = rules === null ? null : JSON.stringify(rules);
    this.store.transaction(() => this.store.setSetting('rules', text));
  }
}
