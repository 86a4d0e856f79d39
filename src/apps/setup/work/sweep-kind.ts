import { z } from 'zod';
import { InputError } from '#base';
import { Grid, type PlayedVariant, type SweepEngine } from '#research';
import { checkParameters } from '../load-desk.ts';
import { SWEEP_THREAD, THREAD_LIMITS } from '../sweep/play-variants.ts';
import { shareData } from '../sweep/shared-tape.ts';
import type { SweepThreadData } from '../sweep/sweep-thread.ts';
import { Threads } from '../threads/run-in-threads.ts';
import { type FailedTask, failureOf } from '../threads/thread-words.ts';
import { fetchAnswers } from './answers-piece.ts';
import { deskSchema } from './desk-files.ts';
import { packDoubles, unpackDoubles } from './packed.ts';
import { readyInThreads } from './ready-threads.ts';
import { hash } from './result-schemas.ts';
import { shippedDesk } from './shipped-desk.ts';
import { fetchTape, tapeSchema } from './tape-pieces.ts';
import type { ReadyWork, WorkKind } from './work-kind.ts';

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

/** Equity at the start and at the end of each day. */
export const packDaily = ({ start, closes }: PlayedVariant['daily']): string =>
  packDoubles([start, ...closes]);

/** Null when it is not that. */
export function unpackDaily(text: string): PlayedVariant['daily'] | null {
  const values = unpackDoubles(text);
  return values === null || values.length === 0 ? null : { start: values[0]!, closes: values.slice(1) };
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
    const { desk, found } = await shippedDesk(shipped, identity, place);
    const grid = new Grid(identity.axes);
    checkParameters(found.definition, { ...identity.set, ...grid.pointAt(0) });
    const answers = await fetchAnswers(document.pieces, identity.answersHash, place.fetch);
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
  return readyInThreads(threads, room, async (item) => {
    const { variants } = sweepItemSchema.parse(item);
    if (variants.some((variant) => variant >= size)) throw new Error('a variant is not on the grid');
    // the kernel plays all of them in one go, the loop one after the other on whatever thread is free
    const jobs = engine === 'kernel' ? [variants] : variants.map((variant) => [variant]);
    const tasks = await Promise.allSettled(jobs.map((job) => threads.run(job)));
    const played: SweepItemResult['played'][number][] = [];
    for (const task of tasks) {
      if (task.status === 'rejected') return { played, failed: failureOf(task.reason) };
      for (const { row, daily } of task.value) played.push({ row, daily: packDaily(daily) });
    }
    return { played, failed: null } satisfies SweepItemResult;
  });
}
