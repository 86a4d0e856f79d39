import { z } from 'zod';
import { InputError } from '#base';
import type { DeskDefinition } from '#engine';
import type { desk } from '../../../contract/areas/workshop.ts';
import { findDesk } from '../../../setup/load-desk.ts';
import type { ConsoleContext } from '../../context.ts';
import { askedOf } from '../../data/asking.ts';
import { deskParametersIn } from '../../data/desk-parameters.ts';
import { deskHashNow, headerIn } from '../../data/standing.ts';
import { withRegistry } from './runs.ts';

export type DeskView = z.output<typeof desk>;

/** The desks of a portfolio: how they stand, what they were given, and what a form for it is made from. */
export async function deskViews(context: ConsoleContext, portfolio: string): Promise<DeskView[]> {
  const header = headerIn(context.portfolios.folder(portfolio));
  const [status, metrics] = await Promise.all([
    askedOf(context, portfolio, 'status'),
    askedOf(context, portfolio, 'metrics'),
  ]);
  const stopped = new Set(metrics?.desksStopped ?? []);
  const views: DeskView[] = [];
  for (const [i, one] of deskParametersIn(context, portfolio).entries()) {
    const live = status?.instruments.filter((instrument) => instrument.desk === one.name).map(({ id }) => id);
    const hash = deskHashNow(status, one.name, one.hash);
    views.push({
      name: one.name,
      desk: one.named,
      hash,
      stage: stageOf(hash),
      running: status?.running === true && !stopped.has(one.name),
      mode: header?.mode ?? 'PAPER',
      instruments: live ?? header?.request.portfolio.desks[i]?.instruments ?? [],
      parameters: one.running,
      schema: await schemaOf(one.named),
      pending: one.waiting?.parameters ?? null,
    });
  }
  return views;
}

/** How far a desk with exactly these parameters was promoted; null while nothing is on record. */
const stageOf = (hash: string): string | null => withRegistry((registry) => registry.stageOf(hash));

/** The JSON schema of a desk's parameters; one that says nothing where the desk cannot be loaded any more. */
async function schemaOf(named: string): Promise<Record<string, unknown>> {
  try {
    const { definition } = await findDesk(named);
    return parameterSchema(definition);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { description: error.message };
  }
}

/** Empty for a schema that was not made with zod. */
export function parameterSchema({ parameters }: DeskDefinition<unknown>): Record<string, unknown> {
  if (!('_zod' in parameters)) return {};
  return z.toJSONSchema(parameters as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Record<
    string,
    unknown
  >;
}
