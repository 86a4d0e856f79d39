import type { SweepRow } from '#research';
import { playVariants } from './play-variants.ts';
import { SweepDirectory } from './sweep-directory.ts';
import { planSweep, type SweepPlan, type SweepRequest } from './sweep-plan.ts';

export interface SweepSettings {
  readonly workers: number;
  /** Directory for the table; null keeps it in memory. */
  readonly out: string | null;
  /** Ends the sweep early; what is done is kept. */
  readonly signal: AbortSignal;
  /** Before the first variant of this start: how many an earlier one left. */
  readonly onBegin: (there: number, variants: number, damaged: number) => void;
  /** How many variants of those that were left are done. */
  readonly onProgress: (done: number, left: number) => void;
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
  const directory = settings.out === null ? null : new SweepDirectory(settings.out, plan);
  try {
    const rows = new Map((directory?.rows ?? []).map((row) => [row.variant, row]));
    const there = rows.size;
    const left = plan.variants.filter((variant) => !rows.has(variant));
    settings.onBegin(there, plan.variants.length, directory?.damaged ?? 0);
    const workers = Math.max(1, Math.min(settings.workers, left.length));
    const started = process.hrtime.bigint();
    await playVariants(plan, left, workers, settings.signal, (row) => {
      directory?.append(row);
      rows.set(row.variant, row);
      settings.onProgress(rows.size - there, left.length);
    });
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const inOrder = [...rows.values()].sort((a, b) => a.variant - b.variant);
    const finished = inOrder.length === plan.variants.length;
    if (finished) directory?.finish(inOrder);
    return { plan, rows: inOrder, finished, there, workers, seconds };
  } finally {
    directory?.close();
  }
}
