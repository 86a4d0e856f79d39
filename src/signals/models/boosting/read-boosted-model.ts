import { InputError } from '#base';
import type { BoostedModel } from './boosted-model.ts';
import { parseBoostedModel } from './parse-boosted-model.ts';
import { readModelText } from './read-model-text.ts';
import { readUbj } from './read-ubj.ts';

/** What may follow the first brace of UBJ and never of JSON: a length's type, a no-op, a type or a count. */
const AFTER_BRACE_IN_UBJ = new Set([...'iUIlLN$#'].map((letter) => letter.charCodeAt(0)));

/**
 * The boosted model in a file's bytes, JSON or UBJ as they tell themselves. Throws InputError where they are neither, or
 * hold no model that can be scored.
 */
export function readBoostedModel(bytes: Uint8Array): BoostedModel {
  return parseBoostedModel(readModelDocument(bytes));
}

/** The document in a file's bytes, as data; not yet checked to be a model. */
export function readModelDocument(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw new InputError('the model file is empty', 'save the model again');
  if (bytes[0] === 0x7b && AFTER_BRACE_IN_UBJ.has(bytes[1] ?? 0)) return readUbj(bytes);
  if (String.fromCharCode(...bytes.subarray(0, 4)) === 'binf')
    throw new InputError(
      "the model file is in XGBoost's old binary format",
      "load it in XGBoost and save it with booster.save_model('model.json')",
    );
  return readModelText(new TextDecoder().decode(bytes));
}
