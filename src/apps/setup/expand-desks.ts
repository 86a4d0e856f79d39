import { InputError } from '#base';
import type { PortfolioConfiguration } from './configuration.ts';
import { findDesk } from './load-desk.ts';

type Desks = PortfolioConfiguration['desks'];

/**
 * The desks of a portfolio one by one: a line that stands for several becomes as many lines. Expanding what was expanded
 * changes nothing. Throws {@link InputError} for a line that stands for none, or for several and names them itself.
 */
export async function expandDesks(desks: Desks): Promise<Desks> {
  const all = await Promise.all(desks.map(expandDesk));
  return all.flat();
}

async function expandDesk(given: Desks[number]): Promise<Desks> {
  const { definition } = await findDesk(given.desk);
  if (definition.expand === undefined) return [given];
  const siblings = definition.expand(given.parameters);
  if (siblings.length === 0) {
    throw new InputError(
      `desk ${given.desk}: no config has these parameters`,
      'name a symbol and a timeframe that it knows, or leave them out for all',
    );
  }
  if (siblings.length > 1 && (given.name !== undefined || given.instruments !== undefined)) {
    throw new InputError(
      `one line of desk ${given.desk} stands for ${siblings.length} desks: it cannot give them one name or one list of instruments`,
      'write "symbol" and "timeframe" in its parameters, or leave "name" and "instruments" out',
    );
  }
  return siblings.map(({ name, parameters }) => ({ ...given, name: given.name ?? name, parameters }));
}
