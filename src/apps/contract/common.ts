import { z } from 'zod';

/** Epoch milliseconds UTC. */
export const instant = z.int();
/** An exact amount, price or quantity. */
export const decimal = z.string().regex(/^-?\d+(\.\d+)?$/);
export const text = z.string().min(1).max(500);
export const side = z.enum(['long', 'short']);
export const severity = z.enum(['info', 'warning', 'critical']);
export const mode = z.enum(['PAPER', 'REPLAY', 'SYNTHETIC']);
export const breakerState = z.enum(['CLOSED', 'ALERT', 'THROTTLE', 'HALT', 'SHUTDOWN']);

/** Which portfolio is meant: the first that runs unless given. */
export const ofPortfolio = z.object({ portfolio: text.optional() });

const limit = z.coerce.number().int().min(1).max(500);
/** One page of a list, newest first. */
export const page = ofPortfolio.extend({
  limit: limit.default(100),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
});
export const timed = page.extend({
  from: z.coerce.number().int().optional(),
  to: z.coerce.number().int().optional(),
});

/** A page of items and where the next one begins. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

export const reasoned = z.strictObject({ reason: text.describe('why; it is journaled') });
export const done = z.object({ ok: z.literal(true) });

export const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), mend: z.string() }),
});
export type ErrorAnswer = z.output<typeof errorAnswer>;

/** 428: send the same request again with the header `x-quorum-confirm: token`. */
export const confirmationRequired = errorAnswer.extend({
  confirmation: z.object({ token: z.string(), expiresAt: instant, says: z.string() }),
});
export type ConfirmationRequired = z.output<typeof confirmationRequired>;

export const CONFIRM_HEADER = 'x-quorum-confirm';
export const CSRF_HEADER = 'x-quorum-csrf';
/** A fresh code of the second factor, where the rules ask for one with dangerous actions. */
export const CODE_HEADER = 'x-quorum-code';

/** What a running portfolio says after an operator's act. */
export const acted = z.object({
  ok: z.literal(true),
  running: z.boolean(),
  breakerBefore: breakerState.nullable(),
  breaker: breakerState.nullable(),
});
