import { z } from 'zod';
import { decisionLine } from './areas/thinking.ts';
import { job } from './areas/workshop.ts';
import { breakerState, decimal, instant, severity } from './common.ts';

/**
 * Messages of `WS /ws/live-feed`. `seq` is the position in the journal of the entry a message was made from and `prev` that
 * of the message before it on this connection: a client for whom `prev` is not the last `seq` it saw has missed something.
 * Snapshots carry null in both; the newest one counts.
 */
const frame = <T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.object({
    type: z.literal(type),
    data,
    seq: z.int().nullable(),
    prev: z.int().nullable(),
    portfolio: z.string(),
  });

export const liveMessage = z.discriminatedUnion('type', [
  frame('hello', z.object({ run: z.string(), seq: z.int(), serverTime: instant })),
  frame('reset', z.object({ run: z.string(), seq: z.int(), why: z.string() })),
  // of the Sigma sheet
  frame(
    'status_update',
    z.object({
      is_running: z.boolean(),
      balance: decimal,
      open_positions: z.int(),
      total_pnl: decimal,
      equity: decimal,
      day_change: z.number(),
      at: instant,
      breaker: breakerState.nullable(),
      feed: z.string(),
    }),
  ),
  frame(
    'new_trade',
    z.object({
      symbol: z.string(),
      action: z.enum(['ENTER_LONG', 'ENTER_SHORT', 'EXIT']),
      price: z.string(),
      size: z.string(),
      regime: z.string().nullable(),
    }),
  ),
  frame('circuit_breaker_alert', z.object({ state: breakerState, issue_type: z.string(), severity })),
  // ours
  frame(
    'bar',
    z.object({
      instrument: z.string(),
      intervalMs: z.int(),
      time: instant,
      open: z.number(),
      high: z.number(),
      low: z.number(),
      close: z.number(),
      volume: z.number(),
    }),
  ),
  frame('order', z.object({ id: z.string(), at: instant, instrument: z.string(), state: z.string() })),
  frame(
    'trade',
    z.object({
      id: z.string(),
      at: instant,
      instrument: z.string(),
      side: z.string(),
      realised: decimal,
      currency: z.string(),
    }),
  ),
  frame('decision', decisionLine),
  frame('operator', z.object({ at: instant, by: z.string(), action: z.string(), reason: z.string() })),
  frame('alert', z.object({ at: instant, severity, key: z.string(), text: z.string() })),
  frame('feed', z.object({ at: instant, feed: z.string(), status: z.string(), detail: z.string() })),
  frame('performance', z.object({ at: instant, equity: decimal, trades: z.int() })),
  frame('job', job),
]);
export type LiveMessage = z.output<typeof liveMessage>;
export type LiveType = LiveMessage['type'];
