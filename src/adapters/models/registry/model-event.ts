import { z } from 'zod';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Names of models: what files, folders, command lines and other registries take as it is. */
export const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const name = z.string().regex(MODEL_NAME);
const by = z.string();

/** Signatures under one record of evidence. */
const SIGNATURES_MOST = 16;
export const evidenceSignature = z.strictObject({
  evidence: hash,
  key: hash,
  /** 64 bytes. */
  value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
});

/** Stages that one model of a name holds at a time. */
export const HELD_STAGES = ['paper', 'live'] as const;
export type HeldStage = (typeof HELD_STAGES)[number];
const stage = z.enum(HELD_STAGES);

const schema = z.discriminatedUnion('kind', [
  /** A model came: from a trainer, or from a file. */
  z.strictObject({
    kind: z.literal('registered'),
    model: hash,
    name,
    parent: hash.nullable(),
    /** Last bar of its training; what its age counts from. */
    trainedTo: z.number(),
    instrument: z.string(),
    interval: z.string(),
    stamps: z.array(z.string()),
    metrics: z.record(z.string(), z.number().nullable()),
    from: z.string(),
    by,
  }),
  /** Something that speaks for a model, or against it; once more where it is made here or signed after it was brought. */
  z.strictObject({
    kind: z.literal('evidence'),
    model: hash,
    evidence: hash,
    /** Whether a training here made it. Of an entry that does not say so nobody knows: `elsewhere`. */
    origin: z.enum(['here', 'elsewhere']).optional(),
    signatures: z.array(evidenceSignature).max(SIGNATURES_MOST).optional(),
    by,
  }),
  z.strictObject({
    kind: z.literal('staged'),
    model: hash,
    name,
    stage,
    profile: z.string(),
    /** SHA-256 of the verdict, which is kept as an object. */
    verdict: hash,
    /** An exception from DSR and PBO, and who signed it. */
    exception: z.strictObject({ name: z.string(), reason: z.string() }).nullable(),
    by,
  }),
  z.strictObject({
    kind: z.literal('rolled-back'),
    /** Who holds the stage from now on. */
    model: hash,
    name,
    stage,
    instead: hash.nullable(),
    reason: z.string(),
    by,
  }),
  z.strictObject({ kind: z.literal('retired'), model: hash, name, reason: z.string(), by }),
  z.strictObject({ kind: z.literal('pruned'), model: hash, name, by }),
  z.strictObject({ kind: z.literal('published'), model: hash, name, to: z.string(), by }),
]);

/** What can happen to a model. */
export type ModelEvent = z.infer<typeof schema>;

/** An event from the text it was kept as; null for what this version does not know. */
export function readModelEvent(text: string): ModelEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return schema.safeParse(value).data ?? null;
}
