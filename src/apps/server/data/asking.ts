import type { AnswersByAsk } from '../../runner/control-answers.ts';
import { type ConsoleContext, Problem } from '../context.ts';

/** How long a page may wait for a loop that is busy. */
const ASK_MS = 2_000;

/** What a running portfolio says of itself; null when no loop answers. */
export async function askedOf<A extends keyof AnswersByAsk>(
  { portfolios }: Pick<ConsoleContext, 'portfolios'>,
  name: string,
  ask: A,
): Promise<AnswersByAsk[A] | null> {
  const answer = await portfolios.ask(name, { ask }, ASK_MS);
  return answer?.ok === true ? (answer[ask] as AnswersByAsk[A]) : null;
}

/** The same where the answer is all that was asked for. Throws {@link Problem} 503 when no loop answers. */
export async function demandedOf<A extends keyof AnswersByAsk>(
  context: Pick<ConsoleContext, 'portfolios'>,
  name: string,
  ask: A,
): Promise<AnswersByAsk[A]> {
  const answer = await askedOf(context, name, ask);
  if (answer === null) throw noLoop(name);
  return answer;
}

export const noLoop = (name: string): Problem =>
  new Problem(503, 'no-loop', `no running program answers for portfolio ${name}`, 'start it: quorum start');
