import { canonicalJson, sha256 } from '#base';
import { modelFileText, type TravellingModel } from '../registry/model-file.ts';

/** One file of a published model. */
export interface PublishedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly type: string;
}

/** Writes a model as XGBoost reads it. */
export type BoostedWriter = (model: unknown) => string;

/**
 * What others get of a model: `model.json`, which `quorum models import` takes; `xgboost.json`, which XGBoost loads; and last
 * `manifest.json` with the hashes of both, whose presence says that all of it has come.
 */
export function publishedFiles(model: TravellingModel, boosted: BoostedWriter): PublishedFile[] {
  const files = [
    file('model.json', modelFileText(model)),
    file('xgboost.json', boosted(model.artefact.model)),
  ];
  const { id, artefact } = model;
  const { name, features, classes, training } = artefact;
  const manifest = {
    format: 'quorum-published-model',
    schemaVersion: 1,
    id,
    name,
    features,
    classes,
    trainedTo: training.to,
    files: Object.fromEntries(files.map((one) => [one.name, one.sha256])),
  };
  return [...files, file('manifest.json', `${canonicalJson(manifest)}\n`)];
}

function file(name: string, text: string): PublishedFile {
  const bytes = Buffer.from(text);
  return { name, bytes, sha256: sha256(bytes), type: 'application/json' };
}
