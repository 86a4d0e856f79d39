import { InputError } from '#base';

/** What a person types to arm an account: the second step, after its configuration. */
export const armingPhrase = (account: string): string => `trade ${account} with real money`;

/**
 * Proof that live trading of one account was armed in two steps: its configuration says so, and a person repeated the
 * phrase for this start. Whatever can trade asks for one; there is no other way to make it.
 */
export class LiveArming {
  readonly account: string;
  /** Keeps objects of the same shape from passing for one. */
  readonly #armed = true;

  private constructor(account: string) {
    this.account = account;
  }

  /** Throws InputError naming the step that is missing. */
  static of(account: string, steps: { configured: boolean; phrase: string | null }): LiveArming {
    if (!steps.configured) {
      throw new InputError(
        `account ${account} is not configured for live trading`,
        'paper trading needs no arming; for real money set "live" in its configuration first',
      );
    }
    if (steps.phrase !== armingPhrase(account)) {
      throw new InputError(
        `live trading of ${account} is not confirmed`,
        `repeat exactly: ${armingPhrase(account)}`,
      );
    }
    return new LiveArming(account);
  }

  /** Whether an object is an arming of this account. */
  static arms(arming: unknown, account: string): boolean {
    return arming instanceof LiveArming && arming.#armed && arming.account === account;
  }
}
