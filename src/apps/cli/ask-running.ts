import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { InputError, SECOND } from '#base';
import type { DeskParts, TraceLine } from '#engine';
import { EXIT, ExitError } from './terminal.ts';
import type { TraceQuestion } from './trace-search.ts';

const ANSWER_TIMEOUT_MS = 10 * SECOND;
const ANSWER_MOST_BYTES = 64 * 1024 * 1024;

/** Where a running program listens: a socket in its data folder. */
export function controlPath(dir: string): string {
  return join(dir, 'control.sock');
}

/** Asks the running program one thing, one JSON line each way. Throws ExitError when none runs or it does not answer. */
export async function askRunning(dir: string, question: Record<string, unknown>): Promise<Record<string, unknown>> {
  const path = controlPath(dir);
  if (!existsSync(path)) throw notRunning(dir);
  const text = await oneLine(path, `${JSON.stringify(question)}\n`, dir);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ExitError(EXIT.failed, 'the running program answered something that is no JSON');
  }
  if (typeof answer !== 'object' || answer === null) {
    throw new ExitError(EXIT.failed, 'the running program gave no answer that can be read');
  }
  const { error } = answer as { error?: unknown };
  if (typeof error === 'string') throw new InputError(error, 'ask for something else');
  return answer as Record<string, unknown>;
}

function notRunning(dir: string): ExitError {
  return new ExitError(
    EXIT.unreachable,
    `no program runs on ${dir}`,
    'start it with quorum start, or name its folder with --dir',
  );
}

function oneLine(path: string, question: string, dir: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const pieces: Buffer[] = [];
    let size = 0;
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () =>
      fail(new ExitError(EXIT.unreachable, 'the running program does not answer', 'look at its log file')),
    );
    // a socket file without a listener is left behind by a program that was killed
    socket.on('error', () => fail(notRunning(dir)));
    socket.on('connect', () => socket.write(question));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      size += piece.length;
      if (size > ANSWER_MOST_BYTES) fail(new ExitError(EXIT.failed, 'the answer of the running program is too long'));
      else if (piece.includes(10)) {
        socket.end();
        resolve(Buffer.concat(pieces).toString('utf8').split('\n', 1)[0]!);
      }
    });
    socket.on('close', () => {
      if (!Buffer.concat(pieces).includes(10)) {
        reject(new ExitError(EXIT.unreachable, 'the running program hung up without an answer', 'look at its log file'));
      }
    });
  });
}

export interface LiveTrace {
  readonly lines: readonly TraceLine[];
  /** Parts of the desks that run, as far as they can be loaded here. */
  readonly parts: ReadonlyMap<string, DeskParts>;
}

/** The trace lines a running program still has about a question. */
export async function askWhy(dir: string, { at, instrument }: TraceQuestion): Promise<LiveTrace> {
  const answer = await askRunning(dir, { ask: 'why', at, instrument });
  const { lines, desks } = answer as { lines?: unknown; desks?: unknown };
  if (!Array.isArray(lines)) throw new ExitError(EXIT.failed, 'the running program keeps no trace');
  const { loadDeskWith } = await import('../setup/load-desk.ts');
  const parts = new Map<string, DeskParts>();
  for (const { named, parameters } of Array.isArray(desks) ? (desks as { named: string; parameters: unknown }[]) : []) {
    try {
      const loaded = await loadDeskWith(named, parameters);
      parts.set(loaded.definition.name, loaded.parts);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  return { lines: lines as TraceLine[], parts };
}
