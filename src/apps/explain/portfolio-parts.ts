import { join } from 'node:path';
import { InputError } from '#base';
import type { DeskParts } from '#engine';
import { headerOf } from '../runner/session.ts';
import { loadDeskWith } from '../setup/load-desk.ts';

/** The parts of a portfolio's desks, as far as they can be loaded here. */
export async function partsOfPortfolio(directory: string): Promise<ReadonlyMap<string, DeskParts>> {
  const parts = new Map<string, DeskParts>();
  const header = headerOf(join(directory, 'journal'));
  for (const [i, given] of (header?.request.portfolio.desks ?? []).entries()) {
    try {
      const models = header?.desks[i]?.models;
      const { definition, parts: own } = await loadDeskWith(given.desk, given.parameters, models);
      parts.set(given.name ?? definition.name, own);
    } catch (error) {
      // a desk file that has gone takes the names of its gates with it, nothing else
      if (!(error instanceof InputError)) throw error;
    }
  }
  return parts;
}
