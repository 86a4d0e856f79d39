import { z } from 'zod';
import { canonicalJson, InputError } from '#base';
import { scalerHash } from '#features';
import { FIGURE_NAMES, type FigureName, type ModelEvidence } from '#research';
import type { ModelArtefact } from '#signals';
import type { EvidenceSignature } from './evidence-signature.ts';
import { evidenceSignature, MODEL_NAME } from './model-event.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Signatures in one file. */
const SIGNATURES_MOST = 256;
const word = z.string().min(1).max(200);

const scaler = z.strictObject({
  features: z.array(word),
  mean: z.array(z.number()),
  std: z.array(z.number().positive()),
  hash,
});

/** Knots of an isotonic calibration: as many of both, the first kind rising. */
const isotonic = z
  .strictObject({ kind: z.literal('isotonic'), x: z.array(z.number()).min(1), p: z.array(z.number()).min(1) })
  .refine(({ x, p }) => x.length === p.length && x.every((one, i) => i === 0 || one > x[i - 1]!), {
    message: 'knots rise, and each has a probability',
  });

const calibration = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('platt'), a: z.number(), b: z.number() }),
  z.strictObject({ kind: z.literal('beta'), a: z.number(), b: z.number(), c: z.number() }),
  isotonic,
]);

const artefact = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string().regex(MODEL_NAME, 'letters, digits, dots, dashes and underscores, at most 100'),
  kind: z.literal('boosted-trees'),
  features: z.array(word).min(1),
  classes: z.array(word).min(1),
  model: z.looseObject({}),
  scaler: scaler.nullable(),
  calibration: z.array(calibration).nullable(),
  threshold: z.strictObject({ probabilityMin: z.number(), leadMin: z.number() }),
  training: z.strictObject({
    from: z.number(),
    to: z.number(),
    rows: z.int().min(0),
    seed: z.string(),
    dataHash: z.string(),
    codeHash: z.string(),
    instrument: z.string(),
    interval: z.string(),
    parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  }),
  metrics: z.record(z.string(), z.number().nullable()),
  stamps: z.array(word),
  parent: hash.nullable(),
});

const verdict = z.enum(['met', 'not met', 'unknown', 'excepted']);
const measured = z.strictObject({
  value: z.number().nullable(),
  note: z.string().optional(),
  passes: z.boolean().optional(),
});
const windowScore = z.strictObject({
  from: z.number(),
  to: z.number(),
  score: z.number().nullable(),
  chosenOn: z.boolean().optional(),
});

const evidence = z.strictObject({
  schemaVersion: z.literal(1),
  model: hash,
  dataHash: z.string(),
  figures: z.partialRecord(z.enum(FIGURE_NAMES as [FigureName]), measured),
  runs: z.array(hash),
  study: z.string().nullable(),
  passport: z.json(),
  verdict: z
    .strictObject({
      promoted: z.boolean(),
      profile: z.string(),
      criteria: z.array(
        z.strictObject({
          name: z.string(),
          figure: z.number().nullable(),
          needed: z.number().nullable(),
          verdict,
        }),
      ),
    })
    .nullable(),
  windows: z.array(windowScore),
  against: z.array(z.strictObject({ model: hash, windows: z.array(windowScore) })),
  stamps: z.array(word),
});

/** A model from plain data, with everything in it that belongs together. `what` names it. Throws {@link InputError}. */
export function readArtefact(value: unknown, what: string): ModelArtefact {
  const read = artefact.safeParse(value);
  if (!read.success) throw unfit(what, 'model artefact', read.error);
  const found = read.data;
  const wrong = faultOf(found);
  if (wrong === null) return found;
  throw new InputError(`${what}: ${wrong}`, 'make the model again, or take an unchanged copy of its file');
}

type ReadArtefact = z.infer<typeof artefact>;

function faultOf({ features, classes, scaler: scale, calibration: list }: ReadArtefact): string | null {
  if (new Set(features).size !== features.length) return 'two features have one name';
  if (new Set(classes).size !== classes.length) return 'two classes have one name';
  if (list !== null && list.length !== classes.length)
    return `${list.length} calibrations for ${classes.length} classes`;
  if (scale === null) return null;
  if (canonicalJson(scale.features) !== canonicalJson(features))
    return 'its scaler is for other features than the model';
  if (scale.mean.length !== features.length || scale.std.length !== features.length)
    return 'its scaler has not one mean and one deviation for each feature';
  return scalerHash(scale) === scale.hash ? null : 'its scaler was changed: the hash is another';
}

/** Evidence from plain data. Throws {@link InputError}. */
export function readEvidence(value: unknown, what: string): ModelEvidence {
  const read = evidence.safeParse(value);
  if (!read.success) throw unfit(what, 'evidence', read.error);
  // what is left out stays left out: an undefined note is none
  return JSON.parse(canonicalJson(read.data)) as ModelEvidence;
}

/** Signatures of a file from plain data; whether they are true is another matter. Throws {@link InputError}. */
export function readSignatures(value: unknown, what: string): readonly EvidenceSignature[] {
  const read = z.array(evidenceSignature).max(SIGNATURES_MOST).safeParse(value);
  if (read.success) return read.data;
  throw unfit(what, 'list of signatures', read.error);
}

function unfit(what: string, kind: string, error: z.ZodError): InputError {
  const issue = error.issues[0]!;
  return new InputError(
    `${what} is no ${kind}: ${issue.path.join('.') || 'the whole'}: ${issue.message}`,
    'give a file that quorum models export wrote, or a model that quorum train made',
  );
}
