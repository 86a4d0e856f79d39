import { z } from 'zod';
import { type Piece, type RedisLink, Shipment, type WorkDocument, WorkGiver } from '#adapters';
import { reckonerHash } from '../code-hash.ts';
import { deskWith } from '../load-desk.ts';
import { type PlayedSpan, type SpanSetting, spanHash } from '../optimise/play-span.ts';
import type { SpanPlayerMaker, SpansToPlay } from '../optimise/span-player.ts';
import { errorOf } from '../threads/thread-words.ts';
import { shipAnswers } from './answers-piece.ts';
import { shipDesk } from './desk-files.ts';
import { unpackDoubles, unpackMedians } from './packed.ts';
import { count, failedSchema, figuresSchema, hash, texts } from './result-schemas.ts';
import { packJob, type ShippedSpans, type SpanItem } from './span-kind.ts';
import { shipTape } from './tape-pieces.ts';

/** Plays runs of studies through Redis on whatever workers there are; in this process none. */
export function spansOnQueue(link: RedisLink, onNote: (note: string) => void): SpanPlayerMaker {
  return (spans) => {
    let giver: Promise<WorkGiver<SpanItem, PlayedSpan>> | null = null;
    const open = async () => {
      const { setting, signal } = spans;
      const read = (item: SpanItem, result: unknown) => readSpan(setting, item, result);
      return WorkGiver.open(link, { ...spansDocument(spans), signal, read, onNote });
    };
    return {
      play: async (job) => {
        giver ??= open();
        return (await giver).ask(packJob(job));
      },
      close: async () => {
        const opened = await giver?.catch(() => null);
        await opened?.close();
      },
    };
  };
}

/** Everything that decides the results of the runs of a study, and the data they are played on. */
export function spansDocument({ setting, objective, study, title }: SpansToPlay): {
  document: WorkDocument;
  shipment: Shipment;
} {
  const { found, set, settings, data, answers, answersHash, programHash } = setting;
  const { cash, feeBps, slippageBps, seed } = settings;
  const shipment = new Shipment();
  const pieces: Record<string, Piece[]> = {};
  const shipped: ShippedSpans = {
    format: 1,
    study,
    deskName: found.definition.name,
    deskSource: found.sourceHash,
    set: set as ShippedSpans['set'],
    settings: { cash, feeBps, slippageBps, seed },
    objective,
    tapeHash: data.tape.hash,
    answersHash,
    codeHash: programHash,
    desk: shipDesk(found.named),
    data: shipTape(data, shipment, pieces),
  };
  shipAnswers(answers, shipment, pieces);
  return {
    document: {
      format: 1,
      kind: 'spans',
      program: reckonerHash(),
      title: title.slice(0, 200),
      plan: shipped as unknown as WorkDocument['plan'],
      pieces,
    },
    shipment,
  };
}

const doubles = z.string();
const instant = z.number();

/** Members stand in the order of a run that was played here: files show it. */
const playedSchema = z.strictObject({
  figures: figuresSchema,
  cash: z.number(),
  minorScale: z.int().min(0).max(18),
  daily: doubles,
  nets: doubles,
  reports: z.array(z.tuple([count, z.number()])).max(10_000),
  pruned: z.boolean(),
  closedAtEnd: count,
  closingCost: z.number().min(0),
  variantHash: hash,
  notes: texts,
  stamps: texts,
  from: instant,
  to: instant,
  detail: z
    .strictObject({
      times: doubles,
      equities: doubles,
      trades: z.array(
        z.strictObject({
          instrument: z.string().max(200),
          direction: z.union([z.literal(1), z.literal(-1)]),
          openedAt: instant,
          closedAt: instant,
          net: z.number(),
        }),
      ),
    })
    .nullable(),
});

const resultSchema = z.union([
  z.strictObject({ played: playedSchema, failed: z.null() }),
  z.strictObject({ played: z.null(), failed: failedSchema.unwrap() }),
]);

/** What a worker says of a run. Null when it cannot be the result of that item; throws what the run failed with. */
export function readSpan(setting: SpanSetting, item: SpanItem, result: unknown): PlayedSpan | null {
  const read = resultSchema.safeParse(result);
  if (!read.success) return null;
  const { played, failed } = read.data;
  if (failed !== null) throw errorOf(failed);
  const daily = unpackDoubles(played.daily);
  const nets = unpackDoubles(played.nets);
  const detail = played.detail === null ? null : detailOf(played.detail);
  if (daily === null || nets === null || detail === undefined || !isOf(setting, item, played)) return null;
  return { point: item.point, ...played, daily: [...daily], nets: [...nets], detail };
}

/** Whether a run may be that of an item: same desk, parameters, data, costs, span and cash, and no more than was asked for. */
function isOf(setting: SpanSetting, item: SpanItem, played: z.output<typeof playedSchema>): boolean {
  const { point, span, cashMinor, pruning, detail } = item;
  const medians = pruning === null ? [] : unpackMedians(pruning.medians);
  const desk = deskWith(setting.found, { ...setting.set, ...point });
  const job = { point, span, cashMinor, pruning: pruning === null ? null : { medians }, detail };
  const steps = played.reports.map(([step]) => step);
  return (
    played.variantHash === spanHash(setting, desk, job) &&
    (played.detail !== null) === detail &&
    (cashMinor === null || played.cash === cashMinor) &&
    played.from === (span === null ? (setting.data.tape.from ?? 0) : span.from) &&
    (medians.length > 0 || !played.pruned) &&
    steps.every((step, k) => step < medians.length && (k === 0 || step > steps[k - 1]!))
  );
}

/** Undefined when it cannot be. */
function detailOf({
  times: at,
  equities: worth,
  trades,
}: NonNullable<z.output<typeof playedSchema>['detail']>) {
  const times = unpackDoubles(at);
  const equities = unpackDoubles(worth);
  if (times === null || equities === null || times.length !== equities.length) return undefined;
  return { times: [...times], equities: [...equities], trades };
}
