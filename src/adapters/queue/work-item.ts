import { z } from 'zod';
import { canonicalJson, sha256 } from '#base';

/** Names one job by its contents: the work and what of it is asked for. BullMQ takes one of a name only once. */
export const itemId = (work: string, item: unknown): string =>
  `item-${sha256(canonicalJson({ work, item })).slice(0, 40)}`;

/** What lies in a job. */
export const itemSchema = z.strictObject({ format: z.literal(1), work: z.string(), item: z.json() });
export type ItemData = z.output<typeof itemSchema>;
