import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError, sha256 } from '#base';
import { checkConfiguration } from '../../../setup/configuration.ts';
import { writeWholeFile } from '../../../whole-file.ts';
import { Problem } from '../../context.ts';
import { type Difference, differencesOf } from '../../data/differences.ts';
import { keepVersion } from '../../data/versions.ts';
import type { ConsoleStore } from '../../identity/console-store.ts';

/** What changes of the configuration are kept under. */
export const CONFIGURATION = 'configuration';

const NAMES = ['quorum.config.json', 'quorum.config.ts', 'quorum.config.js'];

/** A configuration as it was read. */
export interface ReadFile {
  /** Null: there is none yet. */
  readonly file: string | null;
  readonly value: Record<string, unknown> | null;
  readonly text: string | null;
  readonly hash: string | null;
  /** Why it cannot be saved from here; null: it can. */
  readonly locked: string | null;
}

const plain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The configuration that `quorum start` would read in a folder. Throws {@link Problem} 409 for a file that cannot be read as JSON.
 */
export function readConfigurationFile(named: string | null, folder: string): ReadFile {
  const found = named === null ? NAMES.filter((name) => existsSync(resolve(folder, name))) : [named];
  if (found.length > 1)
    throw new Problem(409, 'refused', `${found.join(' and ')} stand side by side`, 'keep one of them');
  const [file] = found;
  if (file === undefined) return { file: null, value: null, text: null, hash: null, locked: null };
  if (!file.endsWith('.json')) {
    const locked = `${file} is a program: edit it by hand, or keep the configuration as quorum.config.json`;
    return { file, value: null, text: null, hash: null, locked };
  }
  const path = resolve(folder, file);
  if (!existsSync(path)) return { file, value: null, text: null, hash: null, locked: null };
  const text = readFileSync(path, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, (error as Error).message);
  }
  if (!plain(value)) throw unreadable(file, 'it holds no object');
  return { file, value, text, hash: sha256(text), locked: null };
}

const unreadable = (file: string, what: string): Problem =>
  new Problem(
    409,
    'refused',
    `${file} cannot be read: ${what}`,
    'mend it by hand: what stands there is not thrown away',
  );

export interface NewConfiguration {
  readonly configuration: Record<string, unknown>;
  readonly reason: string;
  readonly by: string;
  /** Of the file that was changed; left out: whatever stands there. */
  readonly hash?: string | undefined;
  readonly dryRun: boolean;
}

/**
 * Checks a configuration and writes it whole, with the one before in the history. Throws {@link InputError} naming the key that is
 * wrong, {@link Problem} 409 where the file changed since it was read or cannot be written from here.
 */
export function saveConfigurationFile(
  store: ConsoleStore,
  named: string | null,
  folder: string,
  wanted: NewConfiguration,
): { readonly file: string; readonly differences: Difference[]; readonly saved: boolean } {
  const before = readConfigurationFile(named, folder);
  if (before.locked !== null) throw new Problem(409, 'refused', before.locked, 'see docs/guide.md');
  if (wanted.hash !== undefined && wanted.hash !== (before.hash ?? ''))
    throw new Problem(
      409,
      'refused',
      'the file was changed since you read it',
      'read it again and repeat your change',
    );
  const file = before.file ?? 'quorum.config.json';
  checkConfiguration(wanted.configuration, file);
  const secret = secretIn(wanted.configuration);
  if (secret !== null)
    throw new InputError(
      `${file}: ${secret}: a password does not belong here`,
      'give only names of environment variables',
    );
  const differences = differencesOf(before.value, wanted.configuration);
  if (wanted.dryRun || differences.length === 0) return { file, differences, saved: false };
  const text = `${JSON.stringify(wanted.configuration, null, 2)}\n`;
  store.transaction(() => {
    const { by, reason } = wanted;
    keepVersion(store, { subject: CONFIGURATION, by, reason, before: before.text, after: text });
    // last: a disk that is full takes the note in the history back
    writeWholeFile(resolve(folder, file), [text]);
  });
  return { file, differences, saved: true };
}

/** Path of the first address with a password in it; null for none. */
function secretIn(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return /\/\/[^\s/@:]*:[^\s/@]+@/.test(value) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, member] of Object.entries(value)) {
    const found = secretIn(member, path === '' ? key : `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
