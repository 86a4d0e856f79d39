import { InputError, sha256 } from '#base';
import type { TravellingModel } from '../registry/model-file.ts';
import { type MlflowCall, MlflowLink, type MlflowPlace, type MlflowRefusal } from './mlflow-link.ts';
import type { Patience } from './patient-http.ts';
import type { PublishedFile } from './published-files.ts';

/** What became of a model at a tracking server. */
export interface MlflowPublication {
  readonly experiment: string;
  readonly run: string;
  /** Of the registered model of the same name. */
  readonly version: string;
  /** `present`: all of it was there already. */
  readonly was: 'published' | 'present';
}

/** Limits of a batch of the tracking API. */
const PARAMS_MOST = 100;
const METRICS_MOST = 1_000;
/** Servers before 2.8 take no longer value of a parameter. */
const VALUE_MOST = 500;
const TAG_VALUE_MOST = 5_000;

const ID_TAG = 'quorum.model_id';
const DONE_TAG = 'quorum.complete';
/** Folder of the files within a run's artefacts. */
const FOLDER = 'model';

interface Run {
  readonly id: string;
  readonly artifacts: string;
  readonly isComplete: boolean;
}

/**
 * Brings a model to an MLflow tracking server over its REST API: a run of the experiment with parameters, metrics, tags and files
 * (through the server's artefact proxy), and a version of the registered model of its name. Done again it finds what is there by
 * the model's id and goes on where it stopped; files are read back and compared. Throws {@link InputError} for a refusal.
 */
export async function publishToMlflow(
  place: MlflowPlace,
  model: TravellingModel,
  files: readonly PublishedFile[],
  at: number,
  patience: Patience & { readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<MlflowPublication> {
  const call = new MlflowLink(place, patience);
  const total = files.length + 3;
  const { artefact, id } = model;
  const experiment = await experimentOf(call, place.experiment);
  const run = await runOf(call, experiment, model, at);
  patience.onProgress?.(1, total);
  if (!run.isComplete) {
    await logFacts(call, run.id, model, at);
    const folder = artifactFolder(run.artifacts);
    for (const [i, file] of files.entries()) {
      await putFile(call, `${folder}/${FOLDER}/${file.name}`, file);
      patience.onProgress?.(2 + i, total);
    }
  }
  const version = await versionOf(call, artefact.name, run, id);
  if (!run.isComplete) {
    await call.post('runs/update', { run_id: run.id, status: 'FINISHED', end_time: at });
    await call.post('runs/set-tag', { run_id: run.id, key: DONE_TAG, value: 'true' });
  }
  patience.onProgress?.(total, total);
  return { experiment, run: run.id, version, was: run.isComplete ? 'present' : 'published' };
}

async function experimentOf(call: MlflowCall, name: string): Promise<string> {
  const find = () => call.maybe('GET', 'experiments/get-by-name', { experiment_name: name });
  let found = await find();
  if (found === null) {
    const made = await call.tryPost('experiments/create', { name });
    if (!isRefusal(made)) return text(made, 'experiment_id');
    // somebody else made it just now
    if (made.code !== 'RESOURCE_ALREADY_EXISTS') throw made.error;
    found = await find();
  }
  const experiment = member(found, 'experiment');
  if (experiment.lifecycle_stage === 'deleted')
    throw new InputError(
      `the experiment "${name}" of ${call.origin} was deleted`,
      'restore it there, or name another with --experiment',
    );
  return text(experiment, 'experiment_id');
}

/** The run that an earlier publication made, else a new one. */
async function runOf(call: MlflowCall, experiment: string, model: TravellingModel, at: number): Promise<Run> {
  const { artefact, id } = model;
  const find = async () => {
    const { runs = [] } = await call.post('runs/search', {
      experiment_ids: [experiment],
      filter: `tags.\`${ID_TAG}\` = '${id}'`,
      max_results: 1,
      run_view_type: 'ACTIVE_ONLY',
    });
    const [first = null] = runs as unknown[];
    return first === null ? null : { run: first };
  };
  const { run } = await call.findOrMake(find, 'runs/create', {
    experiment_id: experiment,
    run_name: `${artefact.name} ${id.slice(0, 12)}`,
    start_time: at,
    // the id stands there from the first moment: an interrupted publication is found again
    tags: tagsOf(model),
  });
  const { tags = [] } = member(run, 'data') as { tags?: readonly { key: string; value: string }[] };
  const isComplete = tags.some(({ key, value }) => key === DONE_TAG && value === 'true');
  return { ...identityOf(run), isComplete };
}

function identityOf(run: unknown): { id: string; artifacts: string } {
  const info = member(run, 'info');
  return { id: text(info, 'run_id'), artifacts: text(info, 'artifact_uri') };
}

function tagsOf({ artefact, id }: TravellingModel): { key: string; value: string }[] {
  const { name, parent, stamps, training } = artefact;
  const tags = {
    [ID_TAG]: id,
    'quorum.name': name,
    'quorum.parent': parent ?? '',
    'quorum.stamps': stamps.join('; '),
    'quorum.data_hash': training.dataHash,
    'quorum.code_hash': training.codeHash,
    'mlflow.source.name': 'quorum',
    'mlflow.source.type': 'JOB',
  };
  return Object.entries(tags).map(([key, value]) => ({ key, value: value.slice(0, TAG_VALUE_MOST) }));
}

/** Parameters and metrics. A batch of them is taken again as it is, so an interrupted one is sent anew. */
async function logFacts(
  call: MlflowCall,
  run: string,
  { artefact }: TravellingModel,
  at: number,
): Promise<void> {
  const { training, features, classes, threshold, metrics } = artefact;
  const { parameters, from, to, rows, seed, instrument, interval } = training;
  const facts = {
    ...parameters,
    instrument,
    interval,
    seed,
    rows,
    trained_from: from,
    trained_to: to,
    features: features.join(','),
    classes: classes.join(','),
    probability_min: threshold.probabilityMin,
    lead_min: threshold.leadMin,
  };
  const params = Object.entries(facts).map(([key, value]) => ({
    key: keyOf(key),
    value: String(value).slice(0, VALUE_MOST),
  }));
  const figures = Object.entries(metrics).flatMap(([key, value]) =>
    value === null ? [] : [{ key: keyOf(key), value, timestamp: at, step: 0 }],
  );
  for (let i = 0; i < params.length; i += PARAMS_MOST)
    await call.post('runs/log-batch', { run_id: run, params: params.slice(i, i + PARAMS_MOST) });
  for (let i = 0; i < figures.length; i += METRICS_MOST)
    await call.post('runs/log-batch', { run_id: run, metrics: figures.slice(i, i + METRICS_MOST) });
}

/** Letters, digits, and `_ - . / :` and spaces are taken as keys. */
const keyOf = (key: string): string => key.replace(/[^\w\-. /:]/g, '_').slice(0, 250);

/** Where the artefact proxy keeps a run's files. */
function artifactFolder(uri: string): string {
  const [, path] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.+)$/.exec(uri) ?? [];
  if (path !== undefined) return path.replace(/\/+$/, '');
  throw new InputError(
    `the tracking server keeps artefacts at ${uri}, where only it or its clients can write`,
    'start it with --serve-artifacts (and an experiment made since), or publish the files to the store itself: --to s3://...',
  );
}

async function putFile(call: MlflowCall, path: string, file: PublishedFile): Promise<void> {
  const before = await call.getFile(path);
  if (before !== null && sha256(before) === file.sha256) return;
  await call.putFile(path, file.bytes, file.type);
  const after = await call.getFile(path);
  if (after !== null && sha256(after) === file.sha256) return;
  throw new InputError(
    `${path} arrived with other contents than it was sent with`,
    'publish again; if it stays so, the server or something before it changes what it gets',
  );
}

async function versionOf(call: MlflowCall, name: string, run: Run, id: string): Promise<string> {
  const made = await call.tryPost('registered-models/create', {
    name,
    tags: [{ key: 'quorum.name', value: name }],
  });
  if (isRefusal(made) && made.code !== 'RESOURCE_ALREADY_EXISTS') throw made.error;
  const find = async () => {
    const found = await call.maybe('GET', 'model-versions/search', { filter: `run_id='${run.id}'` });
    const { model_versions: versions = [] } = (found ?? {}) as {
      model_versions?: readonly { name: string; version: string }[];
    };
    const known = versions.find((one) => one.name === name);
    return known === undefined ? null : { model_version: known };
  };
  const found = await call.findOrMake(find, 'model-versions/create', {
    name,
    source: `${run.artifacts.replace(/\/+$/, '')}/${FOLDER}`,
    run_id: run.id,
    tags: [{ key: ID_TAG, value: id }],
  });
  return String(member(found, 'model_version').version);
}

const isRefusal = (value: unknown): value is MlflowRefusal =>
  typeof value === 'object' && value !== null && 'error' in value && value.error instanceof InputError;

function member(value: unknown, key: string): Record<string, unknown> {
  const found = (value as Record<string, unknown> | null | undefined)?.[key];
  if (typeof found === 'object' && found !== null) return found as Record<string, unknown>;
  throw strange(key);
}

function text(value: unknown, key: string): string {
  const found = (value as Record<string, unknown> | null | undefined)?.[key];
  if (typeof found === 'string' && found !== '') return found;
  throw strange(key);
}

const strange = (key: string): InputError =>
  new InputError(
    `the tracking server's answer has no "${key}"`,
    'is that the address of an MLflow tracking server, 2.0 or newer?',
  );
