import type { z } from 'zod';
import type { portfolio } from '../../contract/areas/trading.ts';
import type { AccountFigures } from '../../runner/notes.ts';
import type { PaperHeader } from '../../runner/portfolio-setup.ts';
import type { Status } from '../../runner/status.ts';
import type { ConsoleContext } from '../context.ts';
import { newestPerformance } from './account-figures.ts';
import { askedOf } from './asking.ts';
import { JournalFacts } from './journal-facts.ts';
import { perhaps } from './reach.ts';

type PortfolioLine = z.output<typeof portfolio>;

/** The account as it was written last: what is known of a portfolio that does not run. */
export interface LastAccount extends AccountFigures {
  readonly at: number;
  readonly trades: number;
  readonly maxDrawdown: number;
}

/** How a portfolio stands: what its loop says, or what it left. */
export interface Standing {
  readonly name: string;
  readonly header: PaperHeader | null;
  /** Null when no loop answers. */
  readonly status: Status | null;
  /** Null while it runs, and when nothing was written yet. */
  readonly last: LastAccount | null;
}

const journals = new JournalFacts();

/** A journal's first entry; null when there is none. */
export const headerIn = (folder: string): PaperHeader | null => journals.header(folder);

/** Hash of a desk's configuration as it runs: the models it has taken since its journal began are part of it. */
export const deskHashNow = (status: Pick<Status, 'models'> | null, desk: string, begun: string): string =>
  (status?.models ?? []).find((one) => one.desk === desk)?.deskHash ?? begun;

/** How long a journal is, as its writer noted last. */
export const journalEnd = (folder: string) => journals.end(folder);

/** Asks the loop, then the projections, then the journal itself. */
export async function standingOf(context: ConsoleContext, name: string): Promise<Standing> {
  const header = journals.header(context.portfolios.folder(name));
  const status = await askedOf(context, name, 'status');
  const last = status === null ? await lastAccount(context, name) : null;
  return { name, header, status, last };
}

async function lastAccount(context: ConsoleContext, name: string): Promise<LastAccount | null> {
  const { value: row } = await perhaps(context, name, newestPerformance);
  if (row != null) {
    return {
      at: row.at!,
      equity: row.equity ?? '0',
      cash: row.cash ?? '0',
      realised: row.realised ?? '0',
      unrealised: row.unrealised ?? '0',
      fees: row.fees ?? '0',
      funding: row.funding ?? '0',
      trades: row.trades ?? 0,
      maxDrawdown: row.max_drawdown ?? 0,
    };
  }
  const written = journals.last(context.portfolios.folder(name))?.performance ?? null;
  if (written === null) return null;
  const { note: _, ...figures } = written;
  return figures;
}

/** A portfolio as a line of a list. */
export function portfolioLine({ name, header, status, last }: Standing): PortfolioLine {
  return {
    name,
    mode: header?.mode ?? null,
    evidence: header?.evidence ?? false,
    running: status !== null,
    entriesAllowed: status?.running ?? false,
    currency: status?.currency ?? header?.request.portfolio.base ?? null,
    equity: status?.equity ?? last?.equity ?? null,
    dayChange: status?.dayChange ?? null,
    at: status?.at ?? last?.at ?? null,
  };
}
