import type { DeskParts } from '#engine';
import { partsOfPortfolio } from '../../explain/portfolio-parts.ts';
import { headerIn } from './standing.ts';

const known = new Map<
  string,
  { readonly run: string; readonly parts: Promise<ReadonlyMap<string, DeskParts>> }
>();

/** The parts of a portfolio's desks as it runs them, built once a run; empty for desks that cannot be loaded any more. */
export function deskPartsIn(folder: string): Promise<ReadonlyMap<string, DeskParts>> {
  const run = headerIn(folder)?.runId ?? '';
  const found = known.get(folder);
  if (found?.run === run) return found.parts;
  const parts = partsOfPortfolio(folder);
  known.set(folder, { run, parts });
  // a fault is not kept: a desk file may be mended
  parts.catch(() => known.delete(folder));
  return parts;
}
