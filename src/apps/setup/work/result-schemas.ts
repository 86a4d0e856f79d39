import { z } from 'zod';

/** What all results of played desks have, as it comes through Redis. Members stand in the order in which files show them. */

export const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const count = z.int().min(0);
const figure = z.number().nullable();
const money = z.string().regex(/^-?\d+(\.\d+)?$/);
export const texts = z.array(z.string().max(10_000)).max(10_000);

export const figuresSchema = z.strictObject({
  trades: count,
  return: figure,
  sharpe: figure,
  maxDrawdown: z.number(),
  equityEnd: money,
  realised: money,
  unrealised: money,
  fees: money,
  funding: money,
  orders: count,
  fills: count,
  commands: count.nullable(),
  commandsHash: hash.nullable(),
});

/** Why a part has no result. */
export const failedSchema = z
  .strictObject({
    name: z.string().max(100),
    message: z.string().max(100_000),
    stack: z.string().max(100_000).nullable(),
    mend: z.string().max(10_000).nullable(),
  })
  .nullable();
