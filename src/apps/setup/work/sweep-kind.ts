import { z } from 'zod';
import type { WorkDocument } from '#adapters';
import { InputError, sha256 } from '#base';
import { Grid, type PlayedVariant, type SweepEngine } from '#research';
import type { KnownAnswers } from '../answers-file.ts';
import { programHash } from '../code-hash.ts';
import { checkParameters, findDesk } from '../load-desk.ts';
import { SWEEP_THREAD, THREAD_LIMITS } from '../sweep/play-variants.ts';
import { shareData } from '../sweep/shared-tape.ts';
import type { SweepThreadData } from '../sweep/sweep-thread.ts';
import { Threads } from '../threads/run-in-threads.ts';
import { type FailedTask, failureOf } from '../threads/thread-words.ts';
import { deskSchema, placeDesk } from './desk-files.ts';
import { fetchTape, tapeSchema } from './tape-pieces.ts';
import type { ReadyWork, WorkKind, WorkPlace } from './work-kind.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const gridValue = z.union([z.number(), z.string(), z.boolean(), z.null()]);

/** Most variants of one part: what it results in must fit into Redis with ease. */
export const VARIANTS_PER_ITEM_MAX = { loop: 64, kernel: 500 } as const;

/** What a sweep is, as it goes to other machines. */
const sweepPlanSchema = z.strictObject({
  identity: z.strictObject({
    format: z.literal(1),
    desk: z.string(),
    deskSource: hash,
    set: z.record(z.string(), z.json()),
    axes: z.array(
      z.strictObject({ name: z.string(), values: z.array(gridValue).min(1), ordered: z.boolean() }),
    ),
    where: z.string().nullable(),
    tapeHash: hash,
    answersHash: hash.nullable(),
    cash: z.number().nullable(),
    feeBps: z.number().nullable(),
    slippageBps: z.number().nullable(),
    seed: z.string(),
    engine: z.enum(['loop', 'kernel']),
    codeHash: hash,
  }),
  desk: deskSchema,
  data: tapeSchema,
  /** Most variants of a part. */
  variantsPerItem: z.int().min(1).max(VARIANTS_PER_ITEM_MAX.kernel),
});
export type ShippedSweep = z.output<typeof sweepPlanSchema>;

/** Name of the pieces of recorded answers. */
export const ANSWERS = 'answers';

/** One part of a sweep: some of its variants. */
const sweepItemSchema = z.strictObject({
  variants: z.array(z.int().min(0)).min(1).max(VARIANTS_PER_ITEM_MAX.kernel),
});
export type SweepItem = z.output<typeof sweepItemSchema>;

/** What became of one part: variants in the order asked for, up to the first that failed. */
export interface SweepItemResult {
  readonly played: readonly { readonly row: PlayedVariant['row']; readonly daily: string }[];
  readonly failed: FailedTask | null;
}

const answersSchema = z.array(
  z.tuple([z.string(), z.strictObject({ answer: z.json(), delayMs: z.int().min(0) })]),
);

/** Equity at the start and at the end of each day: doubles, little-endian, in base64. */
export function packDaily({ start, closes }: PlayedVariant['daily']): string {
  const values = new Float64Array(closes.length + 1);
  values[0] = start;
  values.set(closes, 1);
  return Buffer.from(values.buffer).toString('base64');
}

/** Null when it is not that. */
export function unpackDaily(text: string): PlayedVariant['daily'] | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % 8 !== 0) return null;
  const values = new Float64Array(bytes.length / 8);
  new Uint8Array(values.buffer).set(bytes);
  if (!values.every(Number.isFinite)) return null;
  return { start: values[0]!, closes: values.slice(1) };
}

/** Variants of a sweep, played in threads over one copy of the data. */
export const sweepKind: WorkKind = {
  async prepare(document, place) {
    const read = sweepPlanSchema.safeParse(document.plan);
    if (!read.success) {
      const issue = read.error.issues[0]!;
      throw new InputError(
        `the sweep is damaged: ${issue.path.join('.')}: ${issue.message}`,
        'start the sweep again',
      );
    }
    const { identity, desk: shipped, data, variantsPerItem } = read.data;
    if (identity.codeHash !== programHash()) {
      throw new InputError(
        'the sweep belongs to another version of the program',
        'install the same one on every machine',
      );
    }
    if (shipped.kind === 'files' && !place.runsDeskFiles) {
      throw new InputError(
        `it runs built-in desks only, and ${identity.desk} is a desk file`,
        'start the worker without --built-in-only',
      );
    }
    const desk = placeDesk(shipped, place.cache);
    const found = await findDesk(desk);
    if (found.sourceHash !== identity.deskSource) {
      throw new InputError(`the desk ${identity.desk} is not the one of the sweep`, 'start the sweep again');
    }
    const grid = new Grid(identity.axes);
    checkParameters(found.definition, { ...identity.set, ...grid.pointAt(0) });
    const answers = await answersOf(document, identity.answersHash, place);
    const recorded = await fetchTape(data, identity.tapeHash, document.pieces, place.fetch);
    if (answers === undefined || recorded === null) return null;
    const threads = new Threads<SweepThreadData, readonly number[], never, readonly PlayedVariant[]>({
      module: SWEEP_THREAD,
      data: { desk, identity, data: shareData(recorded), answers },
      threads: place.threads,
      limits: THREAD_LIMITS,
    });
    const size = identity.engine === 'kernel' ? 1 : variantsPerItem;
    // one part more than keeps the threads busy, so that none waits for the next to come
    const room = 1 + Math.ceil(threads.room / 2 / size);
    return readySweep(threads, room, grid.size, identity.engine);
  },
};

function readySweep(
  threads: Threads<SweepThreadData, readonly number[], never, readonly PlayedVariant[]>,
  room: number,
  size: number,
  engine: SweepEngine,
): ReadyWork {
  let isClosed = false;
  return {
    room,
    get isBroken() {
      return threads.isBroken;
    },
    async play(item) {
      const { variants } = sweepItemSchema.parse(item);
      if (variants.some((variant) => variant >= size)) throw new Error('a variant is not on the grid');
      // the kernel plays all of them in one go, the loop one after the other on whatever thread is free
      const jobs = engine === 'kernel' ? [variants] : variants.map((variant) => [variant]);
      const tasks = await Promise.allSettled(jobs.map((job) => threads.run(job)));
      // what threads that were ended, or ended by themselves, say of their tasks is no result
      if (isClosed || threads.isBroken) throw new Error('the threads of a worker ended');
      const played: SweepItemResult['played'][number][] = [];
      for (const task of tasks) {
        if (task.status === 'rejected') return { played, failed: failureOf(task.reason) };
        for (const { row, daily } of task.value) played.push({ row, daily: packDaily(daily) });
      }
      return { played, failed: null } satisfies SweepItemResult;
    },
    close: () => {
      isClosed = true;
      return threads.close();
    },
  };
}

/** Undefined when they are not there yet. */
async function answersOf(
  { pieces }: WorkDocument,
  answersHash: string | null,
  place: WorkPlace,
): Promise<KnownAnswers | null | undefined> {
  if (answersHash === null) return null;
  const block = await place.fetch(pieces[ANSWERS] ?? []);
  if (block === null) return undefined;
  const bytes = Buffer.from(new Uint8Array(block));
  let data: unknown = null;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    // refused below
  }
  const read = answersSchema.safeParse(data);
  if (!read.success) {
    throw new InputError(
      `the recorded answers of the sweep are damaged (${sha256(bytes).slice(0, 12)})`,
      'start the sweep again',
    );
  }
  return new Map(read.data);
}
