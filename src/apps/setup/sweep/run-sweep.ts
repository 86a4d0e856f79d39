import type { PlayedVariant, SweepRow } from '#research';
import { Batches } from '../registry/batches.ts';
import { usefulWorkers } from './play-chunk.ts';
import { playHere, type VariantPlayer } from './play-variants.ts';
import { SweepDirectory } from './sweep-directory.ts';
import { planSweep, type SweepPlan, type SweepRequest } from './sweep-plan.ts';

export interface SweepSettings {
  readonly workers: number;
  /** Directory for the table; null keeps it in memory. */
  readonly out: string | null;
  /** Ends the sweep early; what is done is kept. */
  readonly signal: AbortSignal;
  /** Before the first variant of this start: how many an earlier one left, and how many more that are not on record. */
  readonly onBegin: (there: number, variants: number, damaged: number, unrecorded: number) => void;
  /** How many variants of those that were left are done. */
  readonly onProgress: (done: number, left: number) => void;
  /** Hears each variant as it is played, in no particular order, before its row is kept. */
  readonly onPlayed?: (played: PlayedVariant) => void;
  /** Puts variants on record, in batches, before their rows are kept; left out, they are not put on record. */
  readonly register?: (plan: SweepPlan, played: readonly PlayedVariant[]) => void;
  /** Which rows of an earlier start are on record; the others are played again. All when left out. */
  readonly onRecord?: (plan: SweepPlan) => (row: SweepRow) => boolean;
  /** Who plays; `workers` threads of this machine when left out. */
  readonly player?: VariantPlayer;
}

export interface SweepOutcome {
  readonly plan: SweepPlan;
  /** In the order of the variants: all of them, or those that are done. */
  readonly rows: readonly SweepRow[];
  readonly finished: boolean;
  /** Variants that an earlier start had done. */
  readonly there: number;
  /** Threads that played: 1 is this one alone. */
  readonly workers: number;
  readonly seconds: number;
}

/**
 * Plays every variant of a sweep, as far as `out` does not hold it already. The rows and the files are the same for any
 * number of workers and any number of interruptions.
 */
export async function runSweep(request: SweepRequest, settings: SweepSettings): Promise<SweepOutcome> {
  const plan = await planSweep(request);
  const { out, signal } = settings;
  const directory = out === null ? null : new SweepDirectory(out, plan);
  try {
    const kept = directory?.rows ?? [];
    const isKnown = kept.length === 0 ? undefined : settings.onRecord?.(plan);
    const known = isKnown === undefined ? kept : kept.filter(isKnown);
    const rows = new Map(known.map((row) => [row.variant, row]));
    const there = rows.size;
    const left = plan.variants.filter((variant) => !rows.has(variant));
    settings.onBegin(there, plan.variants.length, directory?.damaged ?? 0, kept.length - known.length);
    const workers = usefulWorkers(plan, left.length, settings.workers);
    const play = settings.player ?? playHere(workers);
    const started = process.hrtime.bigint();
    const { register } = settings;
    const batches = new Batches<PlayedVariant>((batch) => {
      register?.(plan, batch);
      for (const played of batch) directory?.append(played);
    });
    const onPlayed = (played: PlayedVariant) => {
      settings.onPlayed?.(played);
      if (register === undefined) directory?.append(played);
      else batches.add(played);
      rows.set(played.row.variant, played.row);
      settings.onProgress(rows.size - there, left.length);
    };
    try {
      if (left.length > 0) await play({ plan, variants: left, signal, onPlayed });
    } finally {
      batches.flush();
    }
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const inOrder = [...rows.values()].sort((a, b) => a.variant - b.variant);
    const finished = inOrder.length === plan.variants.length;
    if (finished) directory?.finish(inOrder);
    return { plan, rows: inOrder, finished, there, workers, seconds };
  } finally {
    directory?.close();
  }
}
