import { existsSync, statSync } from 'node:fs';
import { InputError } from '#base';
import { nearest } from '#features';
import { HELD_STAGES, type HeldStage } from './model-event.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { ModelEntry } from './model-state.ts';

/** What a person may write for a model. */
export type ModelReference =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stage'; readonly name: string; readonly stage: HeldStage | 'candidate' }
  | { readonly kind: 'word'; readonly word: string };

const STAGED = /^(.+)@([a-z]+)$/;

/** Fewest letters of an id that stand for it. */
const PREFIX_LEAST = 4;

/**
 * A reference in its parts: a path (with a slash, or ending in .json or .ubj, or of a file that is there), `NAME@STAGE`, or a word,
 * which is a name or the beginning of an id. Throws {@link InputError} for a stage that nothing holds.
 */
export function readReference(text: string): ModelReference {
  const staged = STAGED.exec(text);
  if (staged !== null && !/[\\/]/.test(text)) {
    const stage = staged[2]!;
    if (stage === 'candidate' || (HELD_STAGES as readonly string[]).includes(stage))
      return { kind: 'stage', name: staged[1]!, stage: stage as HeldStage | 'candidate' };
    throw new InputError(
      `"${text}": no stage is called ${stage}`,
      'write NAME@paper, NAME@live or NAME@candidate',
    );
  }
  const isPath = /[\\/]/.test(text) || /\.(json|ubj)$/i.test(text) || isFile(text);
  return isPath ? { kind: 'file', path: text } : { kind: 'word', word: text };
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** The newest candidate of a name, or who holds a stage of it. Null for none. */
export function modelAtStage(
  registry: ModelRegistry,
  name: string,
  stage: HeldStage | 'candidate',
): ModelEntry | null {
  if (stage !== 'candidate') {
    const id = registry.holder(name, stage);
    return id === null ? null : registry.entry(id);
  }
  const isFit = (one: ModelEntry) => one.name === name && one.stage === 'candidate' && !one.isPruned;
  return registry.entries().findLast(isFit) ?? null;
}

/**
 * The model of a word: a name stands for its newest, else letters an id begins with. A name wins. Null for none; throws
 * {@link InputError} where several ids begin so.
 */
export function modelOfWord(registry: ModelRegistry, word: string): ModelEntry | null {
  const entries = registry.entries();
  const named = entries.findLast((one) => one.name === word && !one.isPruned);
  if (named !== undefined) return named;
  const isId = /^[0-9a-f]+$/.test(word) && word.length >= PREFIX_LEAST;
  const found = isId ? entries.filter(({ id }) => id.startsWith(word)) : [];
  if (found.length < 2) return found[0] ?? null;
  throw new InputError(
    `${found.length} ids begin with ${word}: ${found.map(({ id }) => id.slice(0, 12)).join(', ')}`,
    'write more letters of the one you mean',
  );
}

/** The entry of a reference that is no file. Throws {@link InputError} naming what is near. */
export function requireModel(registry: ModelRegistry, text: string): ModelEntry {
  const reference = readReference(text);
  if (reference.kind === 'file')
    throw new InputError(`${text} is a file`, 'bring it in first: quorum models import');
  const found =
    reference.kind === 'stage'
      ? modelAtStage(registry, reference.name, reference.stage)
      : modelOfWord(registry, reference.word);
  if (found !== null) return found;
  const names = [...new Set(registry.entries().map(({ name }) => name))];
  const asked = reference.kind === 'stage' ? reference.name : reference.word;
  if (reference.kind === 'stage' && names.includes(asked))
    throw new InputError(
      `no model holds ${text}`,
      `quorum models list --name ${asked} shows which there are`,
    );
  const near = nearest(asked, names);
  throw new InputError(
    `there is no model "${text}" in ${registry.folder}`,
    near === '' ? 'quorum models list shows which there are' : `do you mean ${near}?`,
  );
}
