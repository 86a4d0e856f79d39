import { readFileSync, statSync } from 'node:fs';
import { canonicalJson, InputError, sha256 } from '#base';
import type { ModelEvidence } from '#research';
import { type ModelArtefact, modelIdOf, readModelDocument } from '#signals';
import type { EvidenceSignature } from './evidence-signature.ts';
import type { ModelRegistry } from './model-registry.ts';
import { readArtefact, readEvidence, readSignatures } from './model-schemas.ts';

const FORMAT = 'quorum-model';

/** Larger ones are not read at all: a model of ten thousand trees takes less. */
const MEBIBYTE = 2 ** 20;
const SIZE_MAX = 256 * MEBIBYTE;

/** A model with what speaks for it, as it travels in one file. */
export interface TravellingModel {
  readonly id: string;
  readonly artefact: ModelArtefact;
  readonly evidence: readonly ModelEvidence[];
  /** Who vouches for which record of evidence; left out or empty for nobody. */
  readonly signatures?: readonly EvidenceSignature[];
}

/** What a file of a model turned out to be. */
export type ModelFile =
  /** What `quorum models export` writes, or a bare artefact. */
  | ({ readonly kind: 'model' } & TravellingModel)
  /** A model in XGBoost's own JSON or UBJ: trees without names, scaler and history. */
  | { readonly kind: 'boosted'; readonly data: Record<string, unknown> };

/**
 * A model as one JSON file. The same model and evidence give the same bytes; `hash` covers all of it, so that a file that was
 * changed on its way is noticed.
 */
export function modelFileText({ id, artefact, evidence, signatures = [] }: TravellingModel): string {
  const whole = { format: FORMAT, schemaVersion: 1, id, artefact, evidence };
  const body = signatures.length === 0 ? whole : { ...whole, signatures };
  return `${canonicalJson({ ...body, hash: sha256(canonicalJson(body)) })}\n`;
}

/** A model of a registry, ready to travel. */
export function travelling(registry: ModelRegistry, id: string): TravellingModel {
  const records = registry.evidenceRecords(id);
  return {
    id,
    artefact: registry.artefact(id),
    evidence: records.map(({ evidence }) => evidence),
    signatures: records.flatMap(({ signatures }) => signatures),
  };
}

/** Reads a file of a model, whichever of the known kinds it is. Throws {@link InputError}. */
export function readModelFile(path: string): ModelFile {
  const value = contentOf(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw strange(path);
  const data = value as Record<string, unknown>;
  const isOwn = data.format === FORMAT || data.kind === 'boosted-trees';
  // only XGBoost writes them; kept as JSON they would become nulls
  if (isOwn && !isPlainJson(data))
    throw new InputError(
      `${path} is damaged: it holds NaN or Infinity`,
      'export it again, or take an unchanged copy',
    );
  if (data.format === FORMAT) return { kind: 'model', ...travelled(path, data) };
  if (isOwn) {
    const artefact = readArtefact(data, path);
    return { kind: 'model', id: modelIdOf(artefact), artefact, evidence: [] };
  }
  if (typeof data.learner === 'object' && data.learner !== null) return { kind: 'boosted', data };
  throw strange(path);
}

function contentOf(path: string): unknown {
  const about = statSync(path);
  if (!about.isFile()) throw strange(path);
  if (about.size > SIZE_MAX)
    throw new InputError(
      `${path} has ${Math.round(about.size / MEBIBYTE)} MiB, and a model has ${SIZE_MAX / MEBIBYTE} at most`,
      'give the file of one model; fewer or smaller trees make a smaller one',
    );
  const bytes = readFileSync(path);
  if (!/^(\{|binf)/.test(firstLetters(bytes))) throw strange(path);
  try {
    return readModelDocument(bytes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${path}: ${error.message}`, error.mend);
  }
}

/** Whether every number is one. A document is no deeper than its reader allows. */
function isPlainJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return (Array.isArray(value) ? value : Object.values(value)).every(isPlainJson);
}

function firstLetters(bytes: Uint8Array): string {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return Buffer.from(bytes.subarray(start, start + 64))
    .toString('latin1')
    .trimStart();
}

function travelled(path: string, data: Record<string, unknown>): TravellingModel {
  const { hash, ...body } = data;
  const damaged = (what: string) =>
    new InputError(`${path} is damaged: ${what}`, 'export it again, or take an unchanged copy');
  if (data.schemaVersion !== 1)
    throw new InputError(
      `${path} is of version ${String(data.schemaVersion)}, and this program knows version 1`,
      'use the version of the program that wrote it, or a newer one',
    );
  if (sha256(canonicalJson(body)) !== hash) throw damaged('its contents have another hash');
  const artefact = readArtefact(data.artefact, path);
  const id = modelIdOf(artefact);
  if (data.id !== id) throw damaged('the model has another id than it says');
  if (!Array.isArray(data.evidence)) throw damaged('it has no list of evidence');
  const evidence = data.evidence.map((one) => readEvidence(one, `${path}: evidence`));
  if (evidence.some((one) => one.model !== id)) throw damaged('its evidence is of another model');
  const signatures = readSignatures(data.signatures ?? [], `${path}: signatures`);
  return { id, artefact, evidence, signatures };
}

const strange = (path: string): InputError =>
  new InputError(
    `${path} holds no model`,
    'give a file that quorum models export wrote, or a model that XGBoost saved as .json or .ubj',
  );
