import type { z } from 'zod';
import type { acted, breakerState } from '../../contract/common.ts';
import type { ControlRequest } from '../../runner/control.ts';
import { type Call, type ConsoleContext, Problem, type Who } from '../context.ts';

type Acted = z.output<typeof acted>;
type BreakerState = z.output<typeof breakerState>;
export type Act = Extract<ControlRequest, { ask: 'operator' }>['act'];

/** How long a loop may take over an order; one that hangs is for the watchdog. */
const ORDER_MS = 5_000;
/** How long a loop may take to say that it is there. */
const THERE_MS = 300;

/** Who calls, on a route that lets nobody in who is not known. Throws {@link Problem} 401. */
export function caller({ who }: Pick<Call, 'who'>): Who {
  if (who === null) throw new Problem(401, 'unauthenticated', 'nobody is logged in', 'log in first');
  return who;
}

/** Name and surface, as the journal has them. */
export const byOf = (who: Who): string => `${who.name} (console)`;

/**
 * The portfolio an order is for: the one that is named, else the first that runs. One that is named, or alone, is taken
 * without asking whether it runs, and a loop that hangs is not waited for long, so that nothing slow stands before an order
 * that must leave at once. Throws {@link Problem} 404.
 */
export async function ordered(
  { portfolios }: Pick<ConsoleContext, 'portfolios'>,
  named: string | undefined,
): Promise<string> {
  const names = portfolios.names();
  if (named !== undefined && names.includes(named)) return named;
  if (named !== undefined || names.length === 0) return portfolios.choose(named);
  if (names.length === 1) return names[0]!;
  const answers = await Promise.all(
    names.map((name) => portfolios.ask(name, { ask: 'heartbeat' }, THERE_MS)),
  );
  return names.find((_, i) => answers[i]?.ok === true) ?? names[0]!;
}

/**
 * Hands an operator's act to the loop, which journals it with who and why; the audit hears of it once the loop has answered.
 * Throws {@link Problem}: 409 with the loop's own words when it refuses, 503 when none answers.
 */
export async function operate(
  context: ConsoleContext,
  call: Call,
  named: string | undefined,
  act: Act,
  reason: string,
): Promise<Acted & { readonly portfolio: string }> {
  const who = caller(call);
  const portfolio = await ordered(context, named);
  const answer = await context.portfolios.ask(
    portfolio,
    { ask: 'operator', by: byOf(who), reason, act },
    ORDER_MS,
  );
  if (answer === null) {
    throw new Problem(
      503,
      'no-loop',
      `no running program answered for portfolio ${portfolio} within ${ORDER_MS / 1_000} s`,
      'if it runs and hangs, it does what was ordered once it goes on; quorum stop ends it',
    );
  }
  if (!answer.ok) {
    throw new Problem(
      409,
      'refused',
      answer.error ?? 'the program refused without a word',
      'look at the state of the portfolio; nothing was done',
    );
  }
  return {
    ok: true,
    portfolio,
    running: answer.running === true,
    breakerBefore: (answer.breakerBefore as BreakerState | null | undefined) ?? null,
    breaker: (answer.breaker as BreakerState | null | undefined) ?? null,
  };
}
