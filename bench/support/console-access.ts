import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Beginning {
  readonly url: string;
  readonly name: string;
  readonly password: string;
}

const WAIT_MS = 60_000;

/** What a first start says about its console: where it is and the administrator's one-time password. */
export async function readBeginning(child: ChildProcess): Promise<Beginning> {
  const lines = createInterface({ input: child.stdout! });
  let url: string | null = null;
  let password: string | null = null;
  let name = 'admin';
  const timer = setTimeout(() => lines.close(), WAIT_MS);
  const said: string[] = [];
  for await (const line of lines) {
    said.push(line);
    url ??= /(https?:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1] ?? null;
    const found = /log in as (\S+) with the one-time password (\S+)/.exec(line);
    if (found !== null) [, name = name, password = null] = found;
    if (url !== null && password !== null) break;
  }
  clearTimeout(timer);
  child.stdout!.resume();
  if (url === null || password === null) throw new Error(`no console was announced:\n${said.join('\n')}`);
  return { url, name, password };
}

/** Logs in with the one-time password and chooses another. The headers are those of the session. */
export async function signIn({
  url,
  name,
  password,
}: Beginning): Promise<{ headers: Record<string, string> }> {
  const first = await send(url, '/api/v1/session', { name, password }, {});
  const change = { current: password, next: `chosen-${password}` };
  return send(url, '/api/v1/session/password', change, first.headers);
}

/** A first log-in, and a token that may read. */
export async function openToken(beginning: Beginning): Promise<string> {
  const { url } = beginning;
  const changed = await signIn(beginning);
  const token = await send(
    url,
    '/api/v1/tokens',
    { name: 'bench', scopes: ['read'], days: 1 },
    changed.headers,
  );
  return token.answer.token as string;
}

async function send(url: string, path: string, body: unknown, headers: Record<string, string>) {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url, ...headers },
    body: JSON.stringify(body),
  });
  const said = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(said)}`);
  const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]!);
  const next: Record<string, string> = { origin: url, ...headers };
  if (cookies.length > 0) next.cookie = cookies.join('; ');
  if (typeof said.csrf === 'string') next['x-quorum-csrf'] = said.csrf;
  return { answer: said, headers: next };
}
