import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one call instead of answering it; `lose-answer` does what is asked and says nothing. */
export type MlflowFault = number | 'drop' | 'lose-answer' | 'corrupt' | 'page';

export interface LoopbackRun {
  readonly id: string;
  readonly experiment: string;
  status: string;
  readonly params: Map<string, string>;
  readonly metrics: { key: string; value: number; timestamp: number }[];
  readonly tags: Map<string, string>;
  readonly artifacts: string;
}

type Body = Record<string, unknown>;
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A tracking server in memory with the limits of the real one: batches, parameters that never change, names that are taken. */
export class MlflowLoopback {
  readonly experiments = new Map<string, { id: string; stage: string }>();
  readonly runs: LoopbackRun[] = [];
  readonly files = new Map<string, Buffer>();
  readonly versions: { name: string; version: string; run_id: string; source: string }[] = [];
  readonly names = new Set<string>();
  readonly calls: string[] = [];
  /** Which fault meets a call. */
  faultFor: (call: string) => MlflowFault | undefined = () => undefined;
  /** Needed when it is not null. */
  authorization: string | null = null;
  artifactScheme = 'mlflow-artifacts:/';
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.serve(request, Buffer.concat(chunks), response));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((done) => this.server.close(() => done()));
  }

  private serve(request: IncomingMessage, bytes: Buffer, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://loopback');
    const call = `${request.method} ${url.pathname.replace(/^\/api\/2\.0\/(mlflow\/|mlflow-artifacts\/)/, '')}`;
    this.calls.push(call);
    const fault = this.faultFor(call);
    if (fault === 'drop') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'number')
      return json(response, fault, { error_code: 'INTERNAL_ERROR', message: 'no' });
    if (fault === 'page') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>a proxy</html>');
      return;
    }
    if (this.authorization !== null && request.headers.authorization !== this.authorization)
      return json(response, 401, { error_code: 'UNAUTHENTICATED', message: 'who are you' });
    try {
      if (url.pathname.startsWith('/api/2.0/mlflow-artifacts/artifacts/'))
        return this.file(request.method!, decodeURIComponent(url.pathname.slice(36)), bytes, fault, response);
      const body = request.method === 'POST' ? (JSON.parse(bytes.toString()) as Body) : {};
      const answer = this.answer(call, body, url.searchParams);
      if (fault === 'lose-answer') {
        request.socket.destroy();
        return;
      }
      json(response, 200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      json(response, error.status, { error_code: error.code, message: error.message });
    }
  }

  private file(
    method: string,
    path: string,
    bytes: Buffer,
    fault: MlflowFault | undefined,
    response: ServerResponse,
  ): void {
    if (method === 'PUT') {
      this.files.set(path, fault === 'corrupt' ? bytes.subarray(1) : bytes);
      return json(response, 200, {});
    }
    const found = this.files.get(path);
    if (found === undefined)
      return json(response, 404, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'no' });
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.end(found);
  }

  private answer(call: string, body: Body, query: URLSearchParams): unknown {
    switch (call) {
      case 'GET experiments/get-by-name': {
        const name = query.get('experiment_name')!;
        const found = this.experiments.get(name);
        if (found === undefined) throw new Refusal(404, 'RESOURCE_DOES_NOT_EXIST', `no experiment ${name}`);
        return { experiment: { experiment_id: found.id, name, lifecycle_stage: found.stage } };
      }
      case 'POST experiments/create': {
        const name = String(body.name);
        if (this.experiments.has(name)) throw new Refusal(400, 'RESOURCE_ALREADY_EXISTS', name);
        const id = String(this.experiments.size + 1);
        this.experiments.set(name, { id, stage: 'active' });
        return { experiment_id: id };
      }
      case 'POST runs/search': {
        const [, key, value] = /^tags\.`([^`]+)` = '([^']*)'$/.exec(String(body.filter)) ?? [];
        if (key === undefined) throw new Refusal(400, 'INVALID_PARAMETER_VALUE', 'filter');
        const ids = body.experiment_ids as string[];
        const found = this.runs.filter((one) => ids.includes(one.experiment) && one.tags.get(key) === value);
        // a real server leaves an empty list out
        return found.length === 0 ? {} : { runs: found.map(asRun) };
      }
      case 'POST runs/create': {
        const id = (this.runs.length + 1).toString(16).padStart(32, '0');
        const experiment = String(body.experiment_id);
        const run: LoopbackRun = {
          id,
          experiment,
          status: 'RUNNING',
          params: new Map(),
          metrics: [],
          tags: tagsOf(body.tags),
          artifacts: `${this.artifactScheme}${experiment}/${id}/artifacts`,
        };
        this.runs.push(run);
        return { run: asRun(run) };
      }
      case 'POST runs/log-batch':
        this.logBatch(body);
        return {};
      case 'POST runs/set-tag':
        this.run(body.run_id).tags.set(String(body.key), String(body.value));
        return {};
      case 'POST runs/update':
        this.run(body.run_id).status = String(body.status);
        return { run_info: {} };
      case 'POST registered-models/create':
        if (this.names.has(String(body.name))) throw new Refusal(400, 'RESOURCE_ALREADY_EXISTS', 'taken');
        this.names.add(String(body.name));
        return { registered_model: { name: body.name } };
      case 'GET model-versions/search': {
        const [, run] = /^run_id='([0-9a-f]+)'$/.exec(query.get('filter') ?? '') ?? [];
        const found = this.versions.filter((one) => one.run_id === run);
        return found.length === 0 ? {} : { model_versions: found };
      }
      case 'POST model-versions/create': {
        const name = String(body.name);
        if (!this.names.has(name)) throw new Refusal(404, 'RESOURCE_DOES_NOT_EXIST', name);
        const version = String(this.versions.filter((one) => one.name === name).length + 1);
        const made = { name, version, run_id: String(body.run_id), source: String(body.source) };
        this.versions.push(made);
        return { model_version: made };
      }
      default:
        throw new Refusal(404, 'ENDPOINT_NOT_FOUND', call);
    }
  }

  private logBatch(body: Body): void {
    const run = this.run(body.run_id);
    const params = (body.params ?? []) as { key: string; value: string }[];
    const metrics = (body.metrics ?? []) as { key: string; value: number; timestamp: number }[];
    if (params.length > 100 || metrics.length > 1000)
      throw new Refusal(400, 'INVALID_PARAMETER_VALUE', 'batch');
    for (const { key, value } of params) {
      const before = run.params.get(key);
      if (!/^[\w\-. /:]{1,250}$/.test(key) || value.length > 500)
        throw new Refusal(400, 'INVALID_PARAMETER_VALUE', key);
      if (before !== undefined && before !== value)
        throw new Refusal(400, 'INVALID_PARAMETER_VALUE', `${key} has another value`);
      run.params.set(key, value);
    }
    for (const one of metrics) {
      if (typeof one.value !== 'number' || !Number.isInteger(one.timestamp))
        throw new Refusal(400, 'INVALID_PARAMETER_VALUE', one.key);
      run.metrics.push(one);
    }
  }

  private run(id: unknown): LoopbackRun {
    const found = this.runs.find((one) => one.id === id);
    if (found === undefined) throw new Refusal(404, 'RESOURCE_DOES_NOT_EXIST', 'run');
    return found;
  }
}

const tagsOf = (tags: unknown): Map<string, string> =>
  new Map(((tags ?? []) as { key: string; value: string }[]).map(({ key, value }) => [key, value]));

const asRun = ({ id, experiment, status, tags, artifacts }: LoopbackRun) => ({
  info: { run_id: id, experiment_id: experiment, status, artifact_uri: artifacts },
  data: { tags: [...tags].map(([key, value]) => ({ key, value })) },
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
