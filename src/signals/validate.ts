import type { Claim, Forecast, Score } from './signal.ts';

/**
 * Answers from outside (a model, a service, a person) are untrusted. A reader accepts exactly the documented shape
 * and gives null for everything else: a malformed answer is a refusal, never a guess. Source, horizon and claim
 * come from the desk; an answer cannot choose them.
 */
export interface Expected {
  readonly source: string;
  readonly horizonMs: number;
}

/** Longest text kept of an answer, in UTF-16 code units. */
export const TEXT_MAX = 400;

/** A text from outside on one line: control and direction characters become spaces, the length is bounded. */
export function clippedText(text: string, max: number = TEXT_MAX): string {
  const plain = text.slice(0, 4 * max).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  const clipped = plain.trim().slice(0, max);
  const last = clipped.charCodeAt(clipped.length - 1);
  // a surrogate pair cut in two is not a character
  return last >= 0xd800 && last <= 0xdbff ? clipped.slice(0, -1) : clipped;
}

type Fields = Readonly<Record<string, unknown>>;

/** `answer` as a plain object with no other member than `known`, or null. */
function fieldsOf(answer: unknown, known: readonly string[]): Fields | null {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return null;
  const prototype: unknown = Object.getPrototypeOf(answer);
  if (prototype !== Object.prototype && prototype !== null) return null;
  return Object.keys(answer).every((key) => known.includes(key)) ? (answer as Fields) : null;
}

function within(value: unknown, low: number, high: number): value is number {
  return typeof value === 'number' && value >= low && value <= high;
}

/** `{ reason }` for a text, `{}` for none, null when it is something else. */
function reasonOf(fields: Fields): { reason?: string } | null {
  const reason = fields.reason;
  if (reason === undefined || reason === null) return {};
  return typeof reason === 'string' ? { reason: clippedText(reason) } : null;
}

/** Reads `{ probability: 0..1, reason?: text }`. */
export function readForecastAnswer(
  answer: unknown,
  expected: Expected & { readonly claim: Claim },
): Forecast | null {
  const fields = fieldsOf(answer, ['probability', 'reason']);
  if (fields === null || !within(fields.probability, 0, 1)) return null;
  const detail = reasonOf(fields);
  if (detail === null) return null;
  const { source, horizonMs, claim } = expected;
  return { kind: 'forecast', source, claim, probability: fields.probability, horizonMs, detail };
}

/** Reads `{ value: -1..1, confidence?: 0..1, reason?: text }`. */
export function readScoreAnswer(answer: unknown, expected: Expected): Score | null {
  const fields = fieldsOf(answer, ['value', 'confidence', 'reason']);
  if (fields === null || !within(fields.value, -1, 1)) return null;
  const detail = reasonOf(fields);
  if (detail === null) return null;
  const { source, horizonMs } = expected;
  const score: Score = { kind: 'score', source, value: fields.value, horizonMs, detail };
  if (fields.confidence === undefined || fields.confidence === null) return score;
  return within(fields.confidence, 0, 1) ? { ...score, confidence: fields.confidence } : null;
}

const DIRECTIONS: Readonly<Record<string, number>> = { BUY: 1, LONG: 1, SELL: -1, SHORT: -1, HOLD: 0 };

/** Reads a persona's vote `{ action: BUY|SELL|HOLD|LONG|SHORT, confidence: 0..100, reason?: text }` as direction x confidence. */
export function readVoteAnswer(answer: unknown, expected: Expected): Score | null {
  const fields = fieldsOf(answer, ['action', 'confidence', 'reason']);
  if (fields === null || typeof fields.action !== 'string' || !within(fields.confidence, 0, 100)) return null;
  const action = fields.action;
  const detail = reasonOf(fields);
  if (detail === null || !Object.hasOwn(DIRECTIONS, action)) return null;
  const confidence = fields.confidence / 100;
  const value = DIRECTIONS[action]! * confidence;
  const { source, horizonMs } = expected;
  return {
    kind: 'score',
    source,
    value: value === 0 ? 0 : value,
    confidence,
    horizonMs,
    detail: { ...detail, action },
  };
}
