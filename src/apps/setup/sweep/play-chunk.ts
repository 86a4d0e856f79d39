import type { PlayedVariant } from '#research';
import { playInKernel } from './play-in-kernel.ts';
import { runVariant, type VariantSetting } from './run-variant.ts';
import type { SweepPlan } from './sweep-plan.ts';

/** Bars times variants that the kernel plays in one go: a second of work or less, enough to share features well. */
const KERNEL_WORK = 500_000_000;

/** Bars times variants for which a thread of its own is not started in vain. */
const THREAD_WORK = 150_000_000;

/** Bars that a variant walks over. */
const barsOf = ({ data }: Pick<SweepPlan, 'data'>): number => Math.max(1, data.tape.length / 2);

/** How many of the threads asked for have enough to do. */
export function usefulWorkers(
  plan: Pick<SweepPlan, 'identity' | 'data'>,
  variants: number,
  workers: number,
): number {
  const most = Math.max(1, Math.min(workers, variants));
  if (plan.identity.engine === 'loop') return most;
  return Math.max(1, Math.min(most, Math.floor((barsOf(plan) * variants) / THREAD_WORK)));
}

/**
 * Variants as they are handed to a thread: the loop plays them one by one; the kernel as many as one go takes, and no
 * fewer than each worker needs to have a share.
 */
export function chunksOf(
  plan: Pick<SweepPlan, 'identity' | 'data'>,
  variants: readonly number[],
  workers: number,
): number[][] {
  const share = Math.ceil(variants.length / workers);
  const size =
    plan.identity.engine === 'loop' ? 1 : Math.max(1, Math.min(share, Math.ceil(KERNEL_WORK / barsOf(plan))));
  const chunks: number[][] = [];
  for (let from = 0; from < variants.length; from += size) chunks.push(variants.slice(from, from + size));
  return chunks;
}

/**
 * Plays variants with the engine of the sweep, in their order; what leaves the kernel's language is played by the loop and
 * says so. Null when `keepsOn` said no on the way.
 */
export async function playChunk(
  setting: VariantSetting,
  variants: readonly number[],
  keepsOn?: () => boolean,
): Promise<PlayedVariant[] | null> {
  const fromKernel = setting.identity.engine === 'kernel' ? playInKernel(setting, variants) : null;
  const played: PlayedVariant[] = [];
  for (const [i, variant] of variants.entries()) {
    const known = fromKernel?.[i];
    if (known?.played != null) {
      played.push(known.played);
      continue;
    }
    const one = await runVariant(setting, variant, keepsOn);
    if (one === null) return null;
    const notes = known == null ? one.row.notes : [...one.row.notes, `played by the loop: ${known.reason}`];
    played.push({ ...one, row: { ...one.row, notes } });
  }
  return played;
}
