import type { ConsoleStore } from './console-store.ts';
import { randomSecret } from './secret.ts';

/** Named values as JSON. Secrets kept here are as safe as the file (mode 0600). */
export class Settings {
  private readonly store: ConsoleStore;

  constructor(store: ConsoleStore) {
    this.store = store;
  }

  /** Null where nothing was set. The caller checks its shape. */
  read(key: string): unknown {
    const row = this.store.get('SELECT value FROM settings WHERE key = ?', key);
    return row === undefined ? null : (JSON.parse(String(row.value)) as unknown);
  }

  write(key: string, value: unknown): void {
    this.store.run('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)', key, JSON.stringify(value));
  }

  /** A random secret that is made when it is first asked for. */
  secret(key: string): string {
    return this.store.transaction(() => {
      const known = this.read(key);
      if (typeof known === 'string') return known;
      const made = randomSecret();
      this.write(key, made);
      return made;
    });
  }
}
