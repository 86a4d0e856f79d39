import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EvidenceRecord,
  type ModelEntry,
  type ModelRegistry,
  RunRegistry,
  readTrustedKeys,
  signerOf,
  type TrustedKey,
} from '#adapters';
import { InputError } from '#base';
import { type EvidenceOrigin, type HeldEvidence, isOurs, type ModelEvidence, NOT_OURS } from '#research';
import { type RegistryChoice, registryFile } from '../setup/registry/open-registry.ts';

/** What bears out evidence that a file brought. */
export interface Trust {
  /** The runs of this machine; null where none are on record. */
  readonly runs: RunRegistry | null;
  readonly keys: readonly TrustedKey[];
}

/** Public keys in the folder of the models, unless the environment names files. */
export const TRUSTED_KEYS_FILE = 'trusted-keys.pem';
const TRUSTED_KEYS_ENV = 'QUORUM_TRUSTED_KEYS';

/** The keys whose signature counts: of the files the environment names, else of the one beside the models. Throws {@link InputError}. */
export function trustedKeys(folder: string): TrustedKey[] {
  const named = (process.env[TRUSTED_KEYS_ENV] ?? '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  const usual = join(folder, TRUSTED_KEYS_FILE);
  const files = named.length > 0 ? named : existsSync(usual) ? [usual] : [];
  return files.flatMap((path) => {
    if (existsSync(path)) return readTrustedKeys(readFileSync(path, 'utf8'), path);
    throw new InputError(`${path} of ${TRUSTED_KEYS_ENV} is not there`, 'name files with public keys in PEM');
  });
}

/** Runs an action with all that a registry's evidence is held against, and closes it. */
export function withTrust<T>(folder: string, choice: RegistryChoice, action: (trust: Trust) => T): T {
  const keys = trustedKeys(folder);
  const runs = RunRegistry.openExisting(registryFile(choice));
  try {
    return action({ runs, keys });
  } finally {
    runs?.close();
  }
}

/** What speaks for a model, oldest first, and why each record may be believed. */
export function heldEvidence(registry: ModelRegistry, id: string, trust: Trust): HeldEvidence[] {
  return registry
    .evidenceRecords(id)
    .map((record) => ({ evidence: record.evidence, origin: originOf(record, trust) }));
}

/** What of it counts here. */
export const ourEvidence = (registry: ModelRegistry, id: string, trust: Trust): ModelEvidence[] =>
  heldEvidence(registry, id, trust)
    .filter(isOurs)
    .map(({ evidence }) => evidence);

/** The stamps of a model, and one more where nothing speaks for it but what somebody else says. */
export function stampsOf(registry: ModelRegistry, entry: ModelEntry, trust: Trust): readonly string[] {
  const { id, stamps, isPruned, evidence } = entry;
  if (isPruned || evidence.length === 0) return stamps;
  return heldEvidence(registry, id, trust).some(isOurs) ? stamps : [...stamps, NOT_OURS];
}

function originOf(
  { hash, evidence, isHere, signatures }: EvidenceRecord,
  { runs, keys }: Trust,
): EvidenceOrigin {
  if (isHere) return { kind: 'here' };
  const key = signerOf(hash, signatures, keys);
  if (key !== null) return { kind: 'signed', key };
  const fault = runs === null ? 'there is no record of runs here' : runs.faultOf(evidence);
  if (fault === null) return { kind: 'checked' };
  const signed = signatures.length === 0 ? 'not signed' : 'signed by no trusted key';
  return { kind: 'elsewhere', why: `${fault}, and it is ${signed}` };
}
