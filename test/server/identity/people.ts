import type { Role } from '../../../src/apps/contract/index.ts';
import type { User } from '../../../src/apps/server/identity/index.ts';
import {
  type Identity,
  openConsoleStore,
  openIdentity,
  PasswordHasher,
} from '../../../src/apps/server/identity/index.ts';

/** A cost that is fast; what the real one protects from is no test's business. */
export const cheapHasher = () => new PasswordHasher({ n: 2 ** 8, r: 8, p: 1 });

export const START = Date.UTC(2026, 2, 1);
export const PASSWORD = 'four quiet green boats';

/** Identity over a store in memory, and a clock that the test moves. */
export class People {
  now = START;
  readonly identity: Identity;

  constructor(file = ':memory:') {
    this.identity = openIdentity(
      openConsoleStore(file, () => this.now),
      cheapHasher(),
    );
  }

  /** A user who has chosen {@link PASSWORD}. */
  async user(name: string, role: Role): Promise<User> {
    const { user } = await this.identity.users.add(name, role);
    await this.identity.users.choosePassword(user, PASSWORD, null);
    return this.identity.users.known(user.id);
  }
}

/** The code of a refusal; `none` where there was none. */
export async function refusalOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'none';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
