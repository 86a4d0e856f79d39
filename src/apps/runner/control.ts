import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { sha256 } from '#base';
import type { OperatorAction, PORTFOLIO_LIMIT_NAMES } from '#engine';
import type { BookId, ClientOrderId } from '#ledger';
import type { AnswersByAsk } from './control-answers.ts';

/**
 * The control line of a running portfolio: a local socket only its user may open, one JSON object a line each way.
 * `{"ask":"status"}`, `{"ask":"shutdown"}`, `{"ask":"operator","by","reason","act":{"action",...},"traceparent"?}`,
 * `{"ask":"why","instrument"?,"at"?,"most"?}`, `{"ask":"drift","desk"}`, and without more `risk`, `learning`, `exits`, `metrics`,
 * `desks`, `heartbeat`.
 * Answers carry `"ok":true` and what was asked for, or `"ok":false,"error"`. None waits for the projections.
 */
const text = z.string().min(1).max(500);
const desk = text.nullable().optional();
const fraction = z.number().gt(0).max(1).nullable().optional();
const changes = z.strictObject({
  riskMax: fraction,
  assetMax: fraction,
  groupMax: fraction,
  groupRho: fraction,
  heatMax: fraction,
} satisfies Record<(typeof PORTFOLIO_LIMIT_NAMES)[number], typeof fraction>);
const act = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('start'), desk }),
  z.strictObject({ action: z.literal('stop'), desk }),
  z.strictObject({ action: z.literal('cancel'), clientId: text.transform((id) => id as ClientOrderId) }),
  z.strictObject({ action: z.literal('close'), book: text.transform((book) => book as BookId) }),
  z.strictObject({ action: z.literal('limits'), changes }),
  z.strictObject({ action: z.literal('model'), desk: text, reference: text, id: text.nullable() }),
  z.strictObject({ action: z.literal('record'), subject: text, detail: z.string().max(8_000) }),
  z.strictObject({ action: z.literal('flatten'), desk: text.nullable() }),
  z.strictObject({ action: z.literal('recover'), confirm: text.nullable(), desk }),
  z.strictObject({ action: z.literal('override'), enabled: z.boolean() }),
  z.strictObject({ action: z.literal('kill'), desk }),
  z.strictObject({ action: z.literal('resume-edge'), desk: text }),
  z.strictObject({
    action: z.literal('review'),
    questionId: text,
    verdict: z.enum(['allow', 'refuse']),
    share: z.number().min(0).max(1),
  }),
]) satisfies z.ZodType<OperatorAction>;

const request = z.discriminatedUnion('ask', [
  z.strictObject({ ask: z.literal('status') }),
  z.strictObject({ ask: z.literal('risk') }),
  z.strictObject({ ask: z.literal('learning') }),
  z.strictObject({ ask: z.literal('exits') }),
  z.strictObject({ ask: z.literal('metrics') }),
  z.strictObject({ ask: z.literal('desks') }),
  z.strictObject({ ask: z.literal('drift'), desk: text }),
  z.strictObject({ ask: z.literal('heartbeat') }),
  z.strictObject({ ask: z.literal('shutdown') }),
  // where the sender's trace is: no part of the act, not journaled, and what is none is no reason to refuse the act
  z.strictObject({
    ask: z.literal('operator'),
    by: text,
    reason: text,
    act,
    traceparent: z.string().optional().catch(undefined),
  }),
  z.strictObject({
    ask: z.literal('why'),
    instrument: text.nullable().default(null),
    at: z.int().nullable().default(null),
    most: z.int().min(1).max(1_000).default(20),
  }),
]);

export type ControlRequest = z.input<typeof request>;
export type ReadRequest = z.output<typeof request>;
export type ControlAnswer = { readonly ok: boolean; readonly error?: string } & Readonly<
  Record<string, unknown>
>;

const LINE_MOST = 64 * 1024;
/** Paths of local sockets may not be longer (sun_path is 108 bytes, 104 on macOS). */
const PATH_MOST = 100;

/** Where a portfolio's control line is. */
export function controlPath(directory: string): string {
  const full = resolve(directory, 'control.sock');
  const short = sha256(full).slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\quorum-${short}`;
  return Buffer.byteLength(full) <= PATH_MOST ? full : join(tmpdir(), `quorum-${short}.sock`);
}

/** Serves the control line; the caller holds the portfolio's lock, so a socket left there belongs to nobody. */
export async function serveControl(
  directory: string,
  answer: (request: ReadRequest) => ControlAnswer,
): Promise<{ close: () => Promise<void> }> {
  const path = controlPath(directory);
  if (process.platform !== 'win32') rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    readLines(socket, (line) => socket.write(`${JSON.stringify(answerLine(line, answer))}\n`));
  });
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    const before = process.umask(0o177);
    server.listen(path, () => {
      server.off('error', failed);
      done();
    });
    process.umask(before);
  });
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  server.on('error', () => undefined);
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.end();
        setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, 200).unref();
      }),
  };
}

function answerLine(line: string, answer: (request: ReadRequest) => ControlAnswer): ControlAnswer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, error: 'not one JSON object a line' };
  }
  const read = request.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    return { ok: false, error: `${issue.path.join('.') || 'request'}: ${issue.message}` };
  }
  return answer(read.data);
}

function readLines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line.trim() !== '') take(line);
    }
    if (rest.length > LINE_MOST) socket.destroy();
  });
}

/**
 * What a running portfolio says of itself, typed by what was asked; null when it does not answer, or answers that it
 * cannot.
 */
export async function askAbout<A extends keyof AnswersByAsk>(
  directory: string,
  ask: A,
  timeoutMs = 5_000,
): Promise<AnswersByAsk[A] | null> {
  const answer = await askControl(directory, { ask }, timeoutMs);
  return answer?.ok === true ? (answer[ask] as AnswersByAsk[A]) : null;
}

/** Asks a running portfolio; null when none answers there. */
export async function askControl(
  directory: string,
  question: ControlRequest,
  timeoutMs = 5_000,
): Promise<ControlAnswer | null> {
  const path = controlPath(directory);
  if (process.platform !== 'win32' && !existsSync(path)) return null;
  return new Promise((done) => {
    const socket = createConnection(path);
    const end = (answer: ControlAnswer | null) => {
      clearTimeout(timer);
      socket.destroy();
      done(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.on('error', () => end(null));
    socket.on('close', () => end(null));
    socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`));
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      rest += chunk;
      const at = rest.indexOf('\n');
      if (at >= 0) end(JSON.parse(rest.slice(0, at)) as ControlAnswer);
    });
  });
}
