import { z } from 'zod';
import { giveWork, type Piece, type RedisLink, Shipment, type WorkDocument } from '#adapters';
import { canonicalJson } from '#base';
import type { PlayedVariant, SweepRow } from '#research';
import { reckonerHash } from '../code-hash.ts';
import { deskHash, deskWith } from '../load-desk.ts';
import type { VariantPlayer } from '../sweep/play-variants.ts';
import { type SweepPlan, variantHash } from '../sweep/sweep-plan.ts';
import { errorOf } from '../threads/thread-words.ts';
import { shipAnswers } from './answers-piece.ts';
import { shipDesk } from './desk-files.ts';
import { count, failedSchema, figuresSchema, texts } from './result-schemas.ts';
import { type ShippedSweep, type SweepItem, unpackDaily, VARIANTS_PER_ITEM_MAX } from './sweep-kind.ts';
import { shipTape } from './tape-pieces.ts';

/** Steps of the tape in one part of a sweep, about: seconds of work at most, so that a worker that dies loses little. */
const STEPS_PER_ITEM = { loop: 4_000_000, kernel: 1_000_000_000 } as const;
/** A sweep has at least so many parts, so that all workers have something to do to the end. */
const ITEMS_MIN = 32;

/** Plays variants through Redis on whatever workers there are; in this process none. */
export function playOnQueue(link: RedisLink, onNote: (note: string) => void): VariantPlayer {
  return async ({ plan, variants, signal, onPlayed }) => {
    const { document, shipment } = documentOf(plan);
    const expect = new ResultReader(plan);
    await giveWork<SweepItem>(link, {
      document,
      shipment,
      items: itemsOf(plan, variants),
      signal,
      onNote,
      onResult: (item, result) => {
        const read = expect.read(item, result);
        if (read === null) return false;
        for (const played of read.played) onPlayed(played);
        if (read.failed !== null) throw errorOf(read.failed);
        return true;
      },
    });
  };
}

/** Everything that decides the results of a sweep, and the data it is played on. */
export function documentOf(plan: SweepPlan): { document: WorkDocument; shipment: Shipment } {
  const shipment = new Shipment();
  const pieces: Record<string, Piece[]> = {};
  const shipped: ShippedSweep = {
    identity: plan.identity as ShippedSweep['identity'],
    desk: shipDesk(plan.request.desk),
    data: shipTape(plan.data, shipment, pieces),
    variantsPerItem: itemSizeOf(plan),
  };
  shipAnswers(plan.answers?.known ?? null, shipment, pieces);
  const { desk } = plan.identity;
  return {
    document: {
      format: 1,
      kind: 'sweep',
      program: reckonerHash(),
      title: `sweep of ${desk} over ${plan.instruments.join(', ')}`.slice(0, 200),
      plan: shipped as unknown as WorkDocument['plan'],
      pieces,
    },
    shipment,
  };
}

/**
 * Cuts a sweep into parts. The cuts lie where they lie for the whole sweep, whatever is done already: a start that goes on
 * asks for the parts that an earlier one asked for.
 */
export function itemsOf(plan: SweepPlan, left: readonly number[]): SweepItem[] {
  const size = itemSizeOf(plan);
  const isLeft = new Set(left);
  const items: SweepItem[] = [];
  for (let from = 0; from < plan.variants.length; from += size) {
    const variants = plan.variants.slice(from, from + size).filter((variant) => isLeft.has(variant));
    if (variants.length > 0) items.push({ variants });
  }
  return items;
}

function itemSizeOf({ data, variants, identity: { engine } }: SweepPlan): number {
  const bySteps = Math.floor(STEPS_PER_ITEM[engine] / Math.max(1, data.tape.length));
  const byCount = Math.ceil(variants.length / ITEMS_MIN);
  return Math.max(1, Math.min(bySteps, byCount, VARIANTS_PER_ITEM_MAX[engine]));
}

const resultSchema = z.strictObject({
  played: z
    .array(
      z.strictObject({
        row: z.strictObject({
          variant: count,
          parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
          figures: figuresSchema,
          engine: z.enum(['loop', 'kernel']),
          variantHash: z.string(),
          notes: texts,
          stamps: texts,
        }),
        daily: z.string(),
      }),
    )
    .max(VARIANTS_PER_ITEM_MAX.kernel),
  failed: failedSchema,
});

/** Takes results for what they claim to be only where number, parameters and hash are those of the variants asked for. */
export class ResultReader {
  private readonly plan: SweepPlan;

  constructor(plan: SweepPlan) {
    this.plan = plan;
  }

  /** Null when it cannot be the result of that item. */
  read(item: SweepItem, result: unknown) {
    const read = resultSchema.safeParse(result);
    if (!read.success) return null;
    const { played, failed } = read.data;
    if (failed === null ? played.length !== item.variants.length : played.length >= item.variants.length) {
      return null;
    }
    const whole: PlayedVariant[] = [];
    for (const [i, { row, daily }] of played.entries()) {
      const equity = unpackDaily(daily);
      if (equity === null || !this.isRowOf(row, item.variants[i]!)) return null;
      // in the order of the axes, as a row that was made here has them
      whole.push({ row: { ...row, parameters: this.plan.grid.pointAt(row.variant) }, daily: equity });
    }
    return { played: whole, failed };
  }

  private isRowOf(row: SweepRow, variant: number): boolean {
    const { found, grid, identity } = this.plan;
    if (row.variant !== variant || (row.engine === 'kernel' && identity.engine === 'loop')) return false;
    const point = grid.pointAt(variant);
    if (canonicalJson(row.parameters) !== canonicalJson(point)) return false;
    const desk = deskWith(found, { ...identity.set, ...point });
    return row.variantHash === variantHash(identity, deskHash(desk));
  }
}
