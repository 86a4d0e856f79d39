import {
  type MlflowPublication,
  type ModelRegistry,
  type Patience,
  publishedFiles,
  publishToMlflow,
  putToS3,
  readMlflowAddress,
  readS3Address,
  type S3Upload,
  serverUrl,
  type TravellingModel,
} from '#adapters';
import { InputError } from '#base';
import { parseBoostedModel, writeBoostedModel } from '#signals';
import { actNow } from './models-folder.ts';

export interface PublishRequest {
  /** As it shall travel, signed or not. */
  readonly model: TravellingModel;
  /** `s3://bucket/prefix` or `mlflow+https://host`. */
  readonly to: string;
  /** Of the S3-compatible store; null is Amazon's of the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Names of the environment variables that hold the keys. */
  readonly keyEnv: string;
  readonly secretEnv: string;
  readonly sessionEnv: string;
  readonly experiment: string;
  readonly tokenEnv: string;
  readonly patience: Patience;
  readonly onProgress: (done: number, total: number) => void;
}

export type Publication =
  | { readonly kind: 's3'; readonly files: readonly S3Upload[] }
  | ({ readonly kind: 'mlflow' } & MlflowPublication);

/** Sends a model and all that speaks for it to a store or a tracking server, and remembers where. Throws InputError. */
export async function publishModel(registry: ModelRegistry, request: PublishRequest): Promise<Publication> {
  const { model, to, onProgress } = request;
  const { id } = model;
  const files = publishedFiles(model, (trees) => writeBoostedModel(parseBoostedModel(trees)));
  const patience = { ...request.patience, onProgress };
  let publication: Publication;
  if (to.startsWith('s3:')) {
    const place = s3Place(request);
    const folder = `${model.artefact.name}/${id}`;
    publication = { kind: 's3', files: await putToS3(place, folder, files, patience) };
  } else if (to.startsWith('mlflow+')) {
    const server = readMlflowAddress(to);
    const place = { server, experiment: request.experiment, authorization: authorization(request) };
    publication = { kind: 'mlflow', ...(await publishToMlflow(place, model, files, actNow().at, patience)) };
  } else {
    throw new InputError(
      `"${to}" is no place to publish to`,
      'write s3://bucket/prefix, mlflow+https://host or mlflow+http://localhost:5000',
    );
  }
  registry.published(id, to, actNow());
  return publication;
}

function s3Place(request: PublishRequest) {
  const { region, keyEnv, secretEnv, sessionEnv, endpoint } = request;
  return {
    ...readS3Address(request.to),
    endpoint: serverUrl(endpoint ?? `https://s3.${region}.amazonaws.com`),
    region,
    accessKeyId: secret(keyEnv, '--key-env'),
    secretAccessKey: secret(secretEnv, '--secret-env'),
    sessionToken: process.env[sessionEnv] || null,
  };
}

function secret(name: string, option: string): string {
  const value = process.env[name];
  if (value) return value;
  throw new InputError(
    `the environment variable ${name} is not set`,
    `set it, or name another with ${option}`,
  );
}

/** MLflow's own names: a token, or a user with a password. Null for an open server. */
function authorization({ tokenEnv }: PublishRequest): string | null {
  const token = process.env[tokenEnv];
  if (token) return `Bearer ${token}`;
  const { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = process.env;
  if (!user) return null;
  return `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
}
