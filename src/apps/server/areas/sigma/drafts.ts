import { canonicalJson, InputError } from '#base';
import { deskWith, type FoundDesk, findDesk } from '../../../setup/load-desk.ts';
import { type Call, type ConsoleContext, Problem } from '../../context.ts';
import { type DeskParameters, deskParametersIn } from '../../data/desk-parameters.ts';
import { byOf, caller } from '../../data/operate.ts';
import { headerIn } from '../../data/standing.ts';
import type { Strategies, Strategy } from '../../data/strategies.ts';
import { parameterSchema } from '../workshop/desks.ts';
import { draftFrom, knobsOf } from './draft-words.ts';

/** What a model is asked when it drafts: it sees no more than this. */
export interface DraftQuestion {
  readonly prompt: string;
  readonly desk: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A language model that turns a wish into changed parameters, as unchecked JSON. */
export type DraftModel = (question: DraftQuestion, signal: AbortSignal) => Promise<unknown>;

const MODEL_MS = 20_000;
const NAME_MOST = 60;

/** A draft from words. What comes of them is always what the desk's own schema takes. */
export async function draftStrategy(
  context: ConsoleContext,
  strategies: Strategies,
  model: DraftModel | null,
  ask: { readonly portfolio: string; readonly prompt: string },
  call: Call,
): Promise<Strategy> {
  const who = caller(call);
  const { portfolio, prompt } = ask;
  const desk = deskMeant(deskParametersIn(context, portfolio), portfolio, prompt);
  const found = await findDesk(desk.named);
  const schema = parameterSchema(found.definition);
  const now = (desk.waiting?.parameters ?? desk.running) as Record<string, unknown>;
  const whole = taken(found, now);
  const question = { prompt, desk: desk.name, schema, parameters: whole };
  const asked = model === null ? null : await fromModel(model, question, call.signal);
  const notes: string[] = asked === null ? [] : [...asked.notes];
  let parameters = asked?.changes == null ? null : checked(found, whole, asked.changes, notes);
  if (parameters === null) {
    const knobs = knobsOf(schema);
    const drafted = draftFrom(prompt, knobs, whole);
    notes.push(...drafted.notes);
    if (drafted.empty) {
      const hints = drafted.notes.length === 0 ? '' : ` (${drafted.notes.join('; ')})`;
      throw new Problem(
        400,
        'bad-input',
        `nothing of this names a parameter of desk ${desk.name}${hints}`,
        `write such as "leverage 5", "risk 0.5%" or "more cautious"; it has ${knobs.map(({ name }) => name).join(', ')}`,
      );
    }
    parameters = taken(found, { ...whole, ...drafted.changes });
  }
  if (canonicalJson(parameters) === canonicalJson(whole)) notes.push('the same as what the desk has now');
  return strategies.add(portfolio, byOf(who), {
    name: nameOf(prompt),
    desk: desk.name,
    parameters,
    prompt,
    notes,
  });
}

/** The desk that a wish names, else the first. */
function deskMeant(desks: readonly DeskParameters[], portfolio: string, prompt: string): DeskParameters {
  const words = new Set(prompt.toLowerCase().split(/[^a-z0-9-]+/));
  const found = desks.find(({ name }) => words.has(name)) ?? desks[0];
  if (found !== undefined) return found;
  throw new Problem(409, 'refused', `portfolio ${portfolio} has no desk yet`, 'start it once: quorum start');
}

const nameOf = (prompt: string): string => {
  const line = prompt.replace(/\s+/g, ' ').trim();
  return line.length <= NAME_MOST ? line : `${line.slice(0, NAME_MOST - 1)}…`;
};

/** What a model made of a wish; null changes and a note where it failed. */
async function fromModel(
  model: DraftModel,
  question: DraftQuestion,
  signal: AbortSignal,
): Promise<{ readonly changes: Record<string, unknown> | null; readonly notes: readonly string[] }> {
  try {
    const said = await model(question, AbortSignal.any([signal, AbortSignal.timeout(MODEL_MS)]));
    if (typeof said === 'object' && said !== null && !Array.isArray(said))
      return { changes: said as Record<string, unknown>, notes: ['drafted by a language model'] };
    return { changes: null, notes: ['the language model gave no parameters; read by the built-in parser'] };
  } catch {
    // whatever a provider throws may hold an address or a key
    return { changes: null, notes: ['the language model did not answer; read by the built-in parser'] };
  }
}

/** What the desk makes of parameters. Throws InputError where its schema or its parts do not take them. */
const taken = (found: FoundDesk, parameters: Record<string, unknown>): Record<string, unknown> =>
  deskWith(found, parameters).parameters as Record<string, unknown>;

/** The model's changes on top of what is; null and a note where the desk does not take them. */
function checked(
  found: FoundDesk,
  whole: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
  notes: string[],
): Record<string, unknown> | null {
  try {
    return taken(found, { ...whole, ...changes });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    notes.push(`what the language model drafted was refused: ${error.message}`);
    return null;
  }
}

/** What runs: each desk with its parameters, under the name of the draft that they came from where there is one. */
export function runningStrategies(
  context: ConsoleContext,
  strategies: Strategies,
  portfolio: string,
): Strategy[] {
  const drafts = strategies.list(portfolio);
  const header = headerIn(context.portfolios.folder(portfolio));
  return deskParametersIn(context, portfolio).map(({ name, running, waiting }): Strategy => {
    const same = drafts.find(
      (one) => one.desk === name && canonicalJson(one.parameters) === canonicalJson(running),
    );
    const waits = waiting === null ? [] : ['other parameters are saved and wait for a fresh start'];
    if (same !== undefined) return { ...same, state: 'active', notes: [...same.notes, ...waits] };
    return {
      id: `${portfolio}/${name}`,
      name,
      desk: name,
      parameters: running,
      state: 'active',
      created_at: 0,
      prompt: null,
      notes: [`as ${header?.mode.toLowerCase() ?? 'it'} runs`, ...waits],
    };
  });
}
