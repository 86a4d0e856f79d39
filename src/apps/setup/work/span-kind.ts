import { z } from 'zod';
import { InputError } from '#base';
import { objectiveOf } from '#research';
import type { PlayedSpan, SpanJob } from '../optimise/play-span.ts';
import { SPAN_LIMITS, SPAN_THREAD } from '../optimise/span-player.ts';
import type { SpanThreadData } from '../optimise/span-thread.ts';
import { shareData } from '../sweep/shared-tape.ts';
import { Threads } from '../threads/run-in-threads.ts';
import { type FailedTask, failureOf } from '../threads/thread-words.ts';
import { fetchAnswers } from './answers-piece.ts';
import { deskSchema } from './desk-files.ts';
import { mediansSchema, packDoubles, packMedians, unpackMedians } from './packed.ts';
import { readyInThreads } from './ready-threads.ts';
import { hash } from './result-schemas.ts';
import { shippedDesk } from './shipped-desk.ts';
import { fetchTape, tapeSchema } from './tape-pieces.ts';
import type { WorkKind } from './work-kind.ts';

/** What the runs of a study have in common, as it goes to other machines. */
const spanPlanSchema = z.strictObject({
  format: z.literal(1),
  /** Names what asks for the runs: two studies of one desk are two works. */
  study: hash,
  deskName: z.string(),
  deskSource: hash,
  set: z.record(z.string(), z.json()),
  settings: z.strictObject({
    cash: z.number().nullable(),
    feeBps: z.number().nullable(),
    slippageBps: z.number().nullable(),
    seed: z.string(),
  }),
  objective: z.string(),
  tapeHash: hash,
  answersHash: hash.nullable(),
  codeHash: hash,
  desk: deskSchema,
  data: tapeSchema,
});
export type ShippedSpans = z.output<typeof spanPlanSchema>;

const instant = z.number();

/** One run. */
const spanItemSchema = z.strictObject({
  point: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  span: z.strictObject({ from: instant, to: instant }).nullable(),
  cashMinor: z.number().nullable(),
  pruning: z.strictObject({ medians: mediansSchema }).nullable(),
  detail: z.boolean(),
});
export type SpanItem = z.output<typeof spanItemSchema>;

/** A run as it lies in a job: its contents are its name. */
export const packJob = ({ point, span, cashMinor, pruning, detail }: SpanJob): SpanItem => ({
  point: { ...point },
  span: span === null ? null : { from: span.from, to: span.to },
  cashMinor,
  pruning: pruning === null ? null : { medians: packMedians(pruning.medians) },
  detail,
});

const jobOf = ({ pruning, ...job }: SpanItem): SpanJob => ({
  ...job,
  pruning: pruning === null ? null : { medians: unpackMedians(pruning.medians) },
});

/** What became of one run. The point is that of the item. */
export type SpanItemResult =
  | { readonly played: ReturnType<typeof packPlayed>; readonly failed: null }
  | { readonly played: null; readonly failed: FailedTask };

/** A run on its way back: what is long in doubles. */
export function packPlayed({ point: _, daily, nets, detail, ...rest }: PlayedSpan) {
  return {
    ...rest,
    daily: packDoubles(daily),
    nets: packDoubles(nets),
    detail:
      detail === null
        ? null
        : { ...detail, times: packDoubles(detail.times), equities: packDoubles(detail.equities) },
  };
}

/** Runs of a study: spans of a tape under the points that are asked for, played in threads over one copy of the data. */
export const spanKind: WorkKind = {
  async prepare({ plan, pieces }, place) {
    const read = spanPlanSchema.safeParse(plan);
    if (!read.success) {
      const issue = read.error.issues[0]!;
      throw new InputError(
        `the study is damaged: ${issue.path.join('.')}: ${issue.message}`,
        'start the study again',
      );
    }
    const { deskName, deskSource, codeHash, objective, tapeHash, answersHash, ...common } = read.data;
    const claim = { desk: deskName, deskSource, codeHash };
    const { desk } = await shippedDesk(common.desk, claim, place);
    objectiveOf(objective);
    const answers = await fetchAnswers(pieces, answersHash, place.fetch);
    const recorded = await fetchTape(common.data, tapeHash, pieces, place.fetch);
    if (answers === undefined || recorded === null) return null;
    const threads = new Threads<SpanThreadData, SpanJob, never, PlayedSpan>({
      module: SPAN_THREAD,
      data: {
        desk: { named: desk, sourceHash: deskSource },
        set: common.set,
        settings: common.settings,
        data: shareData(recorded),
        answers,
        answersHash,
        programHash: codeHash,
        objective,
      },
      threads: place.threads,
      limits: SPAN_LIMITS,
    });
    // none ahead: a study has few runs open at once, and another worker may be waiting for one
    return readyInThreads(threads, place.threads, async (item): Promise<SpanItemResult> => {
      const job = jobOf(spanItemSchema.parse(item));
      try {
        return { played: packPlayed(await threads.run(job)), failed: null };
      } catch (error) {
        return { played: null, failed: failureOf(error) };
      }
    });
  },
};
