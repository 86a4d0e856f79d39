import { createHash } from 'node:crypto';
import type { AwsClient } from 'aws4fetch';
import { InputError, sha256 } from '#base';
import { answerText, type HttpAnswer, type Patience, patientCall } from './patient-http.ts';
import type { PublishedFile } from './published-files.ts';

/** Where in a store, and as whom. */
export interface S3Place {
  /** Of the store; buckets are named in the path. */
  readonly endpoint: URL;
  readonly region: string;
  readonly bucket: string;
  /** Before every key, without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface S3Upload {
  readonly key: string;
  readonly bytes: number;
  /** `present`: it lay there already, whole. */
  readonly was: 'uploaded' | 'present';
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const SHA_HEADER = 'x-amz-meta-sha256';

/** Bucket and prefix of `s3://bucket/some/prefix`. Throws {@link InputError}. */
export function readS3Address(text: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (!BUCKET.test(bucket))
    throw new InputError(`"${text}" names no bucket`, 'write s3://my-bucket/models, in lower case');
  const parts = rest.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..'))
    throw new InputError(
      `"${text}" has a dot as a folder`,
      'write the prefix out, such as s3://my-bucket/models',
    );
  return { bucket, prefix: parts.join('/') };
}

/**
 * Puts files into a store that speaks S3, under `prefix/folder/`, one after the other in their order. What lies there whole is not
 * sent again, so an upload that was cut off goes on where it stopped. Every file is looked at after it was sent: its length, and
 * its ETag where that is the MD5 of the contents, else the contents themselves. Throws {@link InputError} for a refusal (with the
 * store's own code) and for contents that arrived otherwise, UnreachableError where nothing answers.
 */
export async function putToS3(
  place: S3Place,
  folder: string,
  files: readonly PublishedFile[],
  patience: Patience & { readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<S3Upload[]> {
  // only who publishes needs it
  const { AwsClient } = await import('aws4fetch');
  const { accessKeyId, secretAccessKey, sessionToken, region } = place;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: 0,
    ...(sessionToken === null ? {} : { sessionToken }),
  });
  const store = new Bucket(client, place, patience);
  const done: S3Upload[] = [];
  for (const file of files) {
    patience.onProgress?.(done.length, files.length);
    const key = [place.prefix, folder, file.name].filter((part) => part !== '').join('/');
    const bytes = file.bytes.length;
    if (await store.holds(key, file, false)) {
      done.push({ key, bytes, was: 'present' });
      continue;
    }
    await store.put(key, file);
    if (!(await store.holds(key, file, true)))
      throw new InputError(
        `${place.bucket}/${key} arrived with other contents than it was sent with`,
        'publish again; if it stays so, the store or something before it changes what it gets',
      );
    done.push({ key, bytes, was: 'uploaded' });
  }
  patience.onProgress?.(files.length, files.length);
  return done;
}

class Bucket {
  private readonly client: AwsClient;
  private readonly place: S3Place;
  private readonly patience: Patience;

  constructor(client: AwsClient, place: S3Place, patience: Patience) {
    this.client = client;
    this.place = place;
    this.patience = patience;
  }

  /** Whether exactly these contents lie under a key; `must`: it was put there just now. */
  async holds(key: string, file: PublishedFile, must: boolean): Promise<boolean> {
    const found = await this.call('HEAD', key);
    // a look has no words, and who may not list is told 403 of what is not there: a refusal is quoted when it is written
    if (!must && found.status !== 200) return false;
    if (found.status !== 200) throw this.refusal(found, key);
    const length = found.headers.get('content-length');
    if (length !== null && Number(length) !== file.bytes.length) return false;
    const etag = (found.headers.get('etag') ?? '').replace(/^W\/|"/g, '');
    // an encrypted object has an ETag of its own: then only its contents tell
    if (/^[0-9a-f]{32}$/.test(etag) && etag === md5(file.bytes, 'hex')) return true;
    const whole = await this.call('GET', key);
    if (whole.status !== 200) throw this.refusal(whole, key);
    return sha256(whole.bytes) === file.sha256;
  }

  async put(key: string, file: PublishedFile): Promise<void> {
    const headers = {
      'content-type': file.type,
      // the store refuses what was changed on the way
      'content-md5': md5(file.bytes, 'base64'),
      'x-amz-content-sha256': file.sha256,
      [SHA_HEADER]: file.sha256,
    };
    const found = await this.call('PUT', key, headers, file.bytes);
    if (found.status !== 200) throw this.refusal(found, key);
  }

  private call(
    method: string,
    key: string,
    headers: Record<string, string> = { 'x-amz-content-sha256': sha256('') },
    body?: Uint8Array,
  ): Promise<HttpAnswer> {
    const { endpoint, bucket } = this.place;
    const path = [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
    const base = endpoint.href.replace(/\/+$/, '');
    const init = body === undefined ? { method, headers } : { method, headers, body: new Uint8Array(body) };
    return patientCall(() => this.client.sign(`${base}/${path}`, init), this.patience);
  }

  private refusal(answer: HttpAnswer, key: string): InputError {
    const { bucket, endpoint, region } = this.place;
    const text = answerText(answer);
    const code = /<Code>([^<]{1,80})<\/Code>/.exec(text)?.[1] ?? `status ${answer.status}`;
    const what = `${endpoint.origin} refuses ${bucket}/${key}: ${code}`;
    const elsewhere = answer.headers.get('x-amz-bucket-region');
    if (elsewhere !== null && elsewhere !== region)
      return new InputError(what, `the bucket lies in ${elsewhere}: give --region ${elsewhere}`);
    return new InputError(what, MEND[code] ?? 'check bucket, keys and their rights');
  }
}

const MEND: Readonly<Record<string, string>> = {
  NoSuchBucket: 'make the bucket first: this program makes none',
  InvalidAccessKeyId: 'check the environment variable that --key-env names',
  SignatureDoesNotMatch: 'check the environment variable that --secret-env names, and --region',
  AuthorizationHeaderMalformed: 'give the region of the bucket with --region',
  AccessDenied: 'the key needs s3:PutObject and s3:GetObject on that prefix',
  RequestTimeTooSkewed: "set this machine's clock",
  BadDigest: 'publish again: the contents were changed on the way',
};

const md5 = (bytes: Uint8Array, form: 'hex' | 'base64'): string =>
  createHash('md5').update(bytes).digest(form);
