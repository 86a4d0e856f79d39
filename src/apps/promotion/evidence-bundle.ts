import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { RunRegistry } from '#adapters';
import { canonicalJson, InputError, sha256 } from '#base';
import { writeWholeFile } from '../whole-file.ts';

const MANIFEST = 'manifest.json';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** SHA-256 of every file of the bundle but this one. */
  files: z.record(z.string().regex(/^[a-z][a-z0-9.-]*$/), hash),
  /** Of files that the bundle only names. */
  named: z.strictObject({ journal: hash, program: hash, deskSource: hash, deskHash: hash, trial: hash }),
  registry: z.strictObject({ entries: z.int().min(0), head: z.string() }),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Files of a bundle by name, each with its text. */
export type BundleFiles = Readonly<Record<string, string>>;

/** Writes a bundle whose list of hashes comes last, and returns the hash of that list. */
export function writeBundle(
  dir: string,
  files: BundleFiles,
  rest: Pick<Manifest, 'named' | 'registry'>,
): { readonly manifest: Manifest; readonly hash: string } {
  for (const [name, text] of Object.entries(files)) writeWholeFile(join(dir, name), [text]);
  const manifest: Manifest = {
    schemaVersion: 1,
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)])),
    ...rest,
  };
  writeWholeFile(join(dir, MANIFEST), [`${JSON.stringify(manifest, null, 2)}\n`]);
  return { manifest, hash: manifestHash(manifest) };
}

export const manifestHash = (manifest: Manifest): string => sha256(canonicalJson(manifest));

export interface CheckedBundle {
  readonly manifest: Manifest;
  readonly hash: string;
  /** What `promotion.json` holds. */
  readonly promotion: Record<string, unknown>;
  /** Whether the registry holds the head of the bundle; null where no registry was given. */
  readonly inRegistry: boolean | null;
  /** Whether the registry holds a promotion with exactly this bundle; null where no registry was given. */
  readonly isRecorded: boolean | null;
}

/** Checks a bundle file by file. Throws {@link InputError} naming the first that is missing, changed or strange. */
export function checkBundle(dir: string, registry: RunRegistry | null): CheckedBundle {
  const manifest = readManifest(dir);
  const wrong = (what: string) =>
    new InputError(`${dir} is damaged: ${what}`, 'restore it from a copy, or promote again');
  for (const [name, expected] of Object.entries(manifest.files)) {
    const path = join(dir, name);
    if (!existsSync(path)) throw wrong(`${name} is missing`);
    if (sha256(readFileSync(path)) !== expected) throw wrong(`${name} was changed`);
  }
  const strange = readdirSync(dir).find((name) => name !== MANIFEST && !Object.hasOwn(manifest.files, name));
  if (strange !== undefined) throw wrong(`${strange} does not belong to it`);
  if (manifest.files['promotion.json'] === undefined) throw wrong('promotion.json is missing');
  const promotion = JSON.parse(readFileSync(join(dir, 'promotion.json'), 'utf8')) as Record<string, unknown>;
  const bundle = manifestHash(manifest);
  const { entries, head } = manifest.registry;
  const inRegistry = registry === null ? null : registry.chainAt(entries) === head;
  if (inRegistry === false)
    throw wrong(`the registry no longer holds the head it was made at (${entries} entries)`);
  const isRecorded = registry === null ? null : registry.stages().some((stage) => stage.bundle === bundle);
  if (isRecorded === false && promotion.promoted === true)
    throw wrong('it says that the desk was promoted, and the registry does not');
  return { manifest, hash: bundle, promotion, inRegistry, isRecorded };
}

function readManifest(dir: string): Manifest {
  const path = join(dir, MANIFEST);
  if (!existsSync(path))
    throw new InputError(
      `${dir} is no evidence bundle: it has no ${MANIFEST}`,
      'give the folder that quorum promote wrote',
    );
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new InputError(`${path} is damaged: it is no JSON`, 'restore it from a copy, or promote again');
  }
  const read = manifestSchema.safeParse(data);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new InputError(
    `${path} is damaged: ${issue.path.join('.') || 'the whole'}: ${issue.message}`,
    'restore it from a copy, or promote again',
  );
}
