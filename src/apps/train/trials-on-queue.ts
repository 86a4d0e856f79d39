import { z } from 'zod';
import { type Piece, type RedisLink, Shipment, type WorkDocument, WorkGiver } from '#adapters';
import { canonicalJson } from '#base';
import { reckonerHash } from '../setup/code-hash.ts';
import { errorOf } from '../setup/threads/thread-words.ts';
import { unpackDoubles } from '../setup/work/packed.ts';
import { count, failedSchema } from '../setup/work/result-schemas.ts';
import { shipTrials } from './shipped-trials.ts';
import { packTrial, type TrialItem, trialOf } from './trial-kind.ts';
import {
  TrialCourse,
  type TrialPlayed,
  type TrialPlayer,
  type TrialPlayerMaker,
  type TrialSetting,
  type TrialsToPlay,
  testDays,
  trialsHere,
  type WindowFigures,
} from './trial-player.ts';

/**
 * Plays trials of a search through Redis on whatever workers there are. The winner, whose models and predictions are wanted, is
 * played here: nothing that goes into a model comes from elsewhere.
 */
export function trialsOnQueue(link: RedisLink, onNote: (note: string) => void): TrialPlayerMaker {
  return (trials) => {
    let giver: Promise<WorkGiver<TrialItem, TrialPlayed>> | null = null;
    let here: TrialPlayer | null = null;
    const open = async () => {
      const { setting, signal } = trials;
      const read = (item: TrialItem, result: unknown) => readTrial(setting, item, result);
      return WorkGiver.open(link, { ...trialsDocument(trials), signal, read, onNote });
    };
    const closeGiver = async () => {
      const opened = await giver?.catch(() => null);
      await opened?.close();
    };
    return {
      play: async (job) => {
        if (job.detail) {
          here ??= trialsHere(1)(trials);
          return here.play(job);
        }
        giver ??= open();
        return (await giver).ask(packTrial(job));
      },
      close: async () => {
        await Promise.all([closeGiver(), here?.close()]);
      },
    };
  };
}

/** Everything that decides the results of the trials of a search, and the data they are played on. */
export function trialsDocument({ setting, study, title }: TrialsToPlay): {
  document: WorkDocument;
  shipment: Shipment;
} {
  const shipment = new Shipment();
  const pieces: Record<string, Piece[]> = {};
  const plan = shipTrials(setting, study, shipment, pieces);
  return {
    document: {
      format: 1,
      kind: 'trials',
      program: reckonerHash(),
      title: title.slice(0, 200),
      plan: plan as unknown as WorkDocument['plan'],
      pieces,
    },
    shipment,
  };
}

const doubles = z.string();

/** Members stand in the order of a trial that was played here: files show it. */
const resultSchema = z.union([
  z.strictObject({
    played: z.strictObject({
      of: z.json(),
      windows: z.array(
        z.strictObject({
          number: count,
          calibrated: z.boolean(),
          sharpe: z.number().nullable(),
          nets: doubles,
          equity: doubles,
          maxDrawdown: z.number(),
          clippedShare: z.number().min(0).max(1),
        }),
      ),
      reports: z.array(z.tuple([count, z.number()])),
      pruned: z.boolean(),
      failed: z.boolean(),
    }),
    failed: z.null(),
  }),
  z.strictObject({ played: z.null(), failed: failedSchema.unwrap() }),
]);

/** What a worker says of a trial. Null when it cannot be the result of that item; throws what the trial failed with. */
export function readTrial(setting: TrialSetting, item: TrialItem, result: unknown): TrialPlayed | null {
  const read = resultSchema.safeParse(result);
  if (!read.success) return null;
  const { played: came, failed: error } = read.data;
  if (error !== null) throw errorOf(error);
  const { of, reports, pruned, failed } = came;
  const windows = came.windows.flatMap((window): WindowFigures[] => {
    const nets = unpackDoubles(window.nets);
    const equity = unpackDoubles(window.equity);
    return nets === null || equity === null ? [] : [{ ...window, nets: [...nets], equity: [...equity] }];
  });
  const played = { windows, reports, pruned, failed, detail: null };
  const isWhole = windows.length === came.windows.length && canonicalJson(of) === canonicalJson(item);
  return isWhole && isCourseOf(setting, item, played) ? played : null;
}

/**
 * Whether windows, reports and end fit together: the windows are the first of those asked for, each with the days of its test from
 * the cash of the study; what was reported, and where it was stopped, follows from them.
 */
function isCourseOf({ study, windows: all }: TrialSetting, item: TrialItem, played: TrialPlayed): boolean {
  const { medians, until } = trialOf(item);
  const asked = all.slice(0, until ?? all.length);
  const { windows } = played;
  if (windows.length > asked.length) return false;
  const course = new TrialCourse(medians, asked.length);
  let isStopped = false;
  for (const [k, window] of windows.entries()) {
    const { number, calibrated, equity } = window;
    if (isStopped || number !== asked[k]!.number) return false;
    if (equity.length !== testDays(asked[k]!) + 1 || equity[0] !== study.costs.cash) return false;
    isStopped = course.add(number, calibrated, window);
  }
  return (
    canonicalJson(course.reports) === canonicalJson(played.reports) &&
    played.pruned === isStopped &&
    played.failed === (!isStopped && windows.length < asked.length)
  );
}
