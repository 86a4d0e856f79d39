import { canonicalJson } from '#base';
import { type SavedParameters, savedParameters, saveParameters } from '../../runner/saved-parameters.ts';
import { deskWith, type FoundDesk, findDesk } from '../../setup/load-desk.ts';
import { type ConsoleContext, Problem } from '../context.ts';
import { type Difference, differencesOf } from './differences.ts';
import { headerIn } from './standing.ts';
import { keepVersion, shortDetail } from './versions.ts';

export type Parameters = Record<string, unknown>;

/** A desk of a portfolio as its journal says it was started, and what waits for its next fresh start. */
export interface DeskParameters {
  readonly portfolio: string;
  readonly name: string;
  /** Built-in name or file. */
  readonly named: string;
  /** SHA-256 over name, source and parameters, as a promotion knows it. */
  readonly hash: string;
  /** With everything that was left out filled in. */
  readonly running: Parameters;
  /** As they were given. */
  readonly given: Parameters;
  /** Saved and not used yet; null: nothing waits. */
  readonly waiting: SavedParameters | null;
}

/** Where portfolios lie: enough of a console for reading, also without a server. */
export interface DeskPlace {
  readonly dataDir: string;
  readonly portfolios: { readonly folder: (name: string) => string };
}

/** What changes of a desk's parameters are kept under in the history. */
export const subjectOf = (portfolio: string, desk: string): string => `desk:${portfolio}/${desk}`;

/** The desks of a portfolio; none while its journal cannot be read. */
export function deskParametersIn({ dataDir, portfolios }: DeskPlace, portfolio: string): DeskParameters[] {
  const header = headerIn(portfolios.folder(portfolio));
  return (header?.desks ?? []).map(({ name, hash, parameters }, i) => {
    const { desk, parameters: given } = header!.request.portfolio.desks[i]!;
    const newest = savedParameters(dataDir, portfolio, name).at(-1);
    const waits = newest?.parameters != null && canonicalJson(newest.parameters) !== canonicalJson(given);
    return {
      portfolio,
      name,
      named: desk,
      hash,
      running: parameters as Parameters,
      given,
      waiting: waits ? newest : null,
    };
  });
}

/** One of them. Throws {@link Problem} 404. */
export function deskParametersOf(context: DeskPlace, portfolio: string, name: string): DeskParameters {
  const all = deskParametersIn(context, portfolio);
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Problem(
    404,
    'not-found',
    `portfolio ${portfolio} has no desk "${name.slice(0, 60)}"`,
    all.length === 0 ? 'its journal says of none' : `it has ${all.map((one) => one.name).join(', ')}`,
  );
}

/**
 * Checks parameters against a desk's own schema and saves them for its next fresh start, with who and why in the history and in
 * the audit. Throws InputError naming the first that the desk does not take.
 */
export async function saveDeskParameters(
  context: DeskPlace & Pick<ConsoleContext, 'store' | 'now' | 'audit'>,
  desk: DeskParameters,
  change: {
    readonly parameters: Parameters;
    readonly by: string;
    readonly reason: string;
    readonly address?: string;
  },
): Promise<readonly Difference[]> {
  const { parameters, by, reason, address } = change;
  const found = await findDesk(desk.named);
  // parts may refuse what the schema takes, and then nothing would start
  const after = deskWith(found, parameters).parameters;
  const before = waitingOrRunning(found, desk);
  const differences = differencesOf(before, after);
  if (differences.length === 0) return differences;
  const { portfolio, name } = desk;
  const { store } = context;
  store.transaction(() => {
    const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
    keepVersion(store, { subject: subjectOf(portfolio, name), by, reason, before: from, after: to });
    // last: a disk that is full takes the note in the history back
    saveParameters(context.dataDir, portfolio, name, {
      parameters,
      at: Math.floor(context.now()),
      by,
      reason,
    });
  });
  await context.audit({
    by,
    what: 'desk-parameters',
    reason,
    detail: shortDetail({ portfolio, desk: name, differences }),
    portfolio,
    ...(address === undefined ? {} : { address }),
  });
  return differences;
}

/** What a fresh start would use now. */
function waitingOrRunning({ definition }: FoundDesk, { waiting, running }: DeskParameters): unknown {
  if (waiting === null) return running;
  const read = definition.parameters.safeParse(waiting.parameters);
  return read.success ? read.data : waiting.parameters;
}
