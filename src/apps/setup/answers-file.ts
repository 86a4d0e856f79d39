import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { canonicalJson, InputError, sha256 } from '#base';
import type { Oracle } from '#research';

const recorded = z.strictObject({
  topic: z.string().min(1),
  prompt: z.json(),
  answer: z.json(),
  delayMs: z.int().min(0).default(0),
});

/** An answer with how long after its question it comes. */
export interface KnownAnswer {
  readonly answer: unknown;
  readonly delayMs: number;
}

/** Answers by topic and prompt: plain data, so that threads can be handed it. */
export type KnownAnswers = ReadonlyMap<string, KnownAnswer>;

/** Recorded answers, read. */
export interface RecordedAnswers extends Oracle {
  readonly known: KnownAnswers;
  /** SHA-256 of the file. */
  readonly hash: string;
}

/**
 * Recorded answers of people and models, for a backtest: JSON lines `{"topic", "prompt", "answer", "delayMs"}`. A question
 * gets the answer recorded for its topic and exactly its prompt, `delayMs` after it was asked; any other question stays
 * unanswered. Throws InputError naming file and line.
 */
export function readAnswers(path: string): RecordedAnswers {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new InputError(
      `${path} cannot be read: ${(cause as Error).message}`,
      'check the path after --answers',
    );
  }
  const known = new Map<string, KnownAnswer>();
  bytes
    .toString('utf8')
    .split('\n')
    .forEach((line, i) => {
      if (line.trim() === '') return;
      const { topic, prompt, answer, delayMs } = parseLine(line, `${path}:${i + 1}`);
      known.set(keyOf(topic, prompt), { answer, delayMs });
    });
  return { ...oracleOf(known), known, hash: sha256(bytes) };
}

/** Answers that were read before, in the thread they were handed to. */
export function oracleOf(known: KnownAnswers): Oracle {
  return { answer: (topic, prompt) => known.get(keyOf(topic, prompt)) ?? null };
}

function parseLine(line: string, where: string): z.output<typeof recorded> {
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch {
    throw new InputError(`${where}: this line is not JSON`, 'write one JSON object per line');
  }
  const read = recorded.safeParse(data);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  throw new InputError(
    `${where}: ${issue.path.join('.') || 'the line'}: ${issue.message}`,
    'a line has topic, prompt, answer and, when it came late, delayMs',
  );
}

const keyOf = (topic: string, prompt: unknown): string => `${topic}\n${canonicalJson(prompt)}`;
