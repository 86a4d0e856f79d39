import { join } from 'node:path';
import { askControl, type ControlAnswer, type ControlRequest } from '../runner/control.ts';
import { portfoliosIn } from '../runner/portfolios-in.ts';

/** A way to the loops that waits for no database, no model and no message: their control sockets. */
export interface Operator {
  /** Portfolios with a journal, whether they run or not. */
  names(): readonly string[];
  /** What a portfolio answers; null when it does not run or does not answer. */
  ask(portfolio: string, question: ControlRequest): Promise<ControlAnswer | null>;
}

/** The portfolios of a data directory. */
export function controlOperator(dataDir: string, timeoutMs = 5_000): Operator {
  return {
    names: () => portfoliosIn(dataDir),
    ask: (portfolio, question) => askControl(join(dataDir, portfolio), question, timeoutMs),
  };
}
