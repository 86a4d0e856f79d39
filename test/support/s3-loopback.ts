import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the store does with one call instead of answering it. */
export type S3Fault = number | 'drop' | 'hang' | 'corrupt' | 'lose-answer';

export interface StoredObject {
  readonly bytes: Buffer;
  readonly headers: IncomingMessage['headers'];
}

const sha = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/**
 * A store that speaks as much of S3 as uploads need, path-style, and checks what the real one does: signature version 4 over the
 * canonical request, the hash and the MD5 of the contents, and the time. Written from the protocol, not from the client.
 */
export class S3Loopback {
  readonly objects = new Map<string, StoredObject>();
  /** `PUT /bucket/key`, in order. */
  readonly calls: string[] = [];
  /** First come, first served. */
  readonly faults: S3Fault[] = [];
  private readonly putFaults: S3Fault[] = [];
  /** ETags that are no MD5, as an encrypting store gives. */
  isEncrypting = false;
  /** Milliseconds by which its clock is ahead. */
  aheadMs = 0;
  readonly key = 'AKIDEXAMPLE';
  readonly secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  readonly region: string;
  private readonly bucket: string;
  private readonly server: Server;

  constructor(bucket: string, region = 'eu-test-1') {
    this.bucket = bucket;
    this.region = region;
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.serve(request, Buffer.concat(chunks), response));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What meets the next PUT. */
  faultAtPut(fault: S3Fault): void {
    this.putFaults.push(fault);
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((done) => this.server.close(() => done()));
  }

  private serve(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    this.calls.push(`${method} ${url}`);
    const fault = (method === 'PUT' ? this.putFaults.shift() : undefined) ?? this.faults.shift();
    if (fault === 'hang') return;
    if (fault === 'drop') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'number')
      return refuse(response, fault, fault === 503 ? 'SlowDown' : 'InternalError');
    const wrong = this.wrongWith(request, body);
    if (wrong !== null) return refuse(response, wrong[0], wrong[1]);
    const [, bucket, ...rest] = decodeURIComponent(url).split('/');
    if (bucket !== this.bucket) return refuse(response, 404, 'NoSuchBucket');
    const key = rest.join('/');
    if (method === 'PUT') {
      const bytes = fault === 'corrupt' ? Buffer.from(body.toString('latin1').toUpperCase(), 'latin1') : body;
      this.objects.set(key, { bytes, headers: request.headers });
      if (fault === 'lose-answer') {
        request.socket.destroy();
        return;
      }
      response.writeHead(200, { etag: this.etagOf(bytes) });
      response.end();
      return;
    }
    const found = this.objects.get(key);
    if (found === undefined) return refuse(response, 404, 'NoSuchKey');
    response.writeHead(200, { etag: this.etagOf(found.bytes), 'content-length': found.bytes.length });
    response.end(method === 'HEAD' ? undefined : found.bytes);
  }

  private etagOf(bytes: Buffer): string {
    return this.isEncrypting
      ? `"${sha(bytes).slice(0, 40)}"`
      : `"${createHash('md5').update(bytes).digest('hex')}"`;
  }

  /** AWS Signature Version 4, "Create a signed AWS API request". */
  private wrongWith(request: IncomingMessage, body: Buffer): readonly [number, string] | null {
    const { headers, method = '', url = '' } = request;
    const form =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
    const [, key, date, region, names = '', signature] = form.exec(headers.authorization ?? '') ?? [];
    if (key === undefined) return [403, 'AccessDenied'];
    if (key !== this.key) return [403, 'InvalidAccessKeyId'];
    if (region !== this.region) return [400, 'AuthorizationHeaderMalformed'];
    const stamp = String(headers['x-amz-date']);
    const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(Date.now() + this.aheadMs - at) < 900_000)) return [403, 'RequestTimeTooSkewed'];
    const signed = names.split(';');
    for (const needed of ['host', 'x-amz-date', 'x-amz-content-sha256'])
      if (!signed.includes(needed)) return [403, 'AccessDenied'];
    const stated = String(headers['x-amz-content-sha256']);
    if (stated !== sha(body)) return [400, 'XAmzContentSHA256Mismatch'];
    const md5 = headers['content-md5'];
    if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
      return [400, 'BadDigest'];
    const canonical = [
      method,
      url.split('?')[0],
      '',
      ...signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
      '',
      names,
      stated,
    ].join('\n');
    const scope = `${date}/${region}/s3/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', stamp, scope, sha(canonical)].join('\n');
    const signing = ['s3', 'aws4_request'].reduce(
      (link, part) => hmac(link, part),
      hmac(hmac(`AWS4${this.secret}`, date!), region),
    );
    return hmac(signing, text).toString('hex') === signature ? null : [403, 'SignatureDoesNotMatch'];
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);
}
