import { join, resolve } from 'node:path';
import { lockHolder } from '#adapters';
import { Companion } from './companion.ts';

/** Held by the one server of a data directory. */
export const CONSOLE_LOCK = 'console.lock';

/** What a server says to the program that started it. */
export type ConsoleWord =
  | { readonly word: 'says'; readonly line: string }
  | {
      readonly word: 'open';
      readonly url: string;
      readonly firstUser: { readonly name: string; readonly password: string } | null;
      /** The first administrator has not logged in yet. */
      readonly isUnused: boolean;
    };

export interface ConsoleCompanionOptions {
  readonly dataDir: string;
  /** Null: that of the console, or a free one behind it. */
  readonly port: number | null;
  readonly config: string | null;
  /** A line for people and for the log. */
  readonly tell: (line: string) => void;
  /** A line for the person at the terminal alone, kept nowhere. */
  readonly whisper: (line: string) => void;
}

/** The console of a data directory as a process beside the loop, which neither waits for it nor ends with it. */
export class ConsoleCompanion {
  /** Where it is; null while it is not open. */
  place: { readonly url: string } | null = null;
  private readonly options: ConsoleCompanionOptions;
  private readonly companion: Companion;
  private toldOfOther = false;

  constructor(options: ConsoleCompanionOptions) {
    this.options = options;
    const { dataDir, port, config } = options;
    const args = ['serve', '--data-dir', dataDir];
    if (port !== null) args.push('--port', String(port));
    if (config !== null) args.push('--config', config);
    this.companion = new Companion({
      args,
      mayStart: () => this.mayStart(),
      onMessage: (message) => this.hear(message as ConsoleWord),
      onEnd: (why, againMs) => this.ended(why, againMs),
    });
  }

  close(): Promise<void> {
    return this.companion.close();
  }

  /** A second program on the same data directory is shown by the server of the first, and takes over when that ends. */
  private mayStart(): boolean {
    const holder = lockHolder(join(resolve(this.options.dataDir), CONSOLE_LOCK));
    if (holder === null) return true;
    if (!this.toldOfOther)
      this.options.tell(`the console of this data directory runs already, in process ${holder}`);
    this.toldOfOther = true;
    return false;
  }

  private hear(message: ConsoleWord): void {
    const { tell, whisper } = this.options;
    if (message.word === 'says') {
      tell(message.line);
      return;
    }
    const { url, firstUser, isUnused } = message;
    this.place = { url };
    tell(`the console is open at ${url}`);
    if (firstUser !== null) {
      whisper(
        `log in as ${firstUser.name} with the one-time password ${firstUser.password} (shown only now)`,
      );
    } else if (isUnused) {
      tell('nobody has logged in yet; for a new one-time password: quorum users reset-password admin');
    }
  }

  private ended(why: string, againMs: number | null): void {
    this.place = null;
    const [first] = why.split('\n');
    const then = againMs === null ? 'it stays away' : `it starts again in ${Math.round(againMs / 1_000)} s`;
    this.options.tell(`the console ended: ${first}; ${then}. The portfolio goes on`);
  }
}
