import { plain } from '../cli/plain-text.ts';
import { amount } from '../runner/panel.ts';
import type { Status } from '../runner/status.ts';
import type { Operator } from './operator.ts';

/** Keeps small texts from one summary to the next. */
export interface SummaryMemory {
  read(name: string): string | null;
  write(name: string, value: string): void;
}

/** What is told once a day about every portfolio: equity and its change since the last summary, what is held, the breaker. */
export async function dailySummary(
  day: string,
  operator: Operator,
  memory: SummaryMemory,
): Promise<{ title: string; body: string }> {
  const names = operator.names();
  const lines = await Promise.all(
    names.map(async (name) => {
      const answer = await operator.ask(name, { ask: 'status' });
      return answer?.ok === true ? lineOf(answer.status as Status, memory) : `${name}: does not run`;
    }),
  );
  const body = lines.length === 0 ? 'nothing has run here' : lines.map(plain).join('\n');
  return { title: `Summary of ${day}`, body };
}

function lineOf(status: Status, memory: SummaryMemory): string {
  const { portfolio, mode, equity, currency, positions, breaker, counts, running } = status;
  const before = Number(memory.read(`summary.${portfolio}`) ?? Number.NaN);
  memory.write(`summary.${portfolio}`, equity);
  const change = before > 0 ? Number(equity) / before - 1 : null;
  const since =
    change === null ? '' : ` (${change > 0 ? '+' : ''}${(change * 100).toFixed(2)} % since the last)`;
  const held =
    positions.map((p) => `${p.side} ${p.quantity} ${p.instrument.split('.')[0]}`).join(', ') || 'flat';
  const state = breaker === null ? '' : `, breaker ${breaker.state}`;
  const stopped = running ? '' : ', entries STOPPED';
  const kind = mode === 'PAPER' ? '' : ` [${mode}]`;
  return `${portfolio}${kind}: equity ${amount(equity)} ${currency}${since}, ${held}, ${String(counts.trades)} trades${state}${stopped}`;
}
