import type { Engine } from './engine.ts';
import { readCommand, readEvent } from './entry-text.ts';
import type { JournalEntry } from './journal-format.ts';
import type { TapeReader } from './replay.ts';

/** What was taken over. */
export interface FactsReport {
  readonly events: number;
  readonly orders: number;
  /** Orders that were alive at the end: a venue must be asked about them before anything is entered. */
  readonly working: number;
  readonly positions: number;
  /** Currencies whose books do not sum to zero, with the sum: empty, or the journal is not this portfolio's. */
  readonly unbalanced: Readonly<Record<string, number>>;
}

/**
 * Folds the facts of a journal that another version of the program wrote: orders sent, venue reports, funding, prices,
 * operators' acts. It decides nothing and compares no commands, for this version would decide otherwise. Afterwards
 * `engine` has the books, the held positions (with the stops of their protective orders), the track record of closed
 * trades, the breaker (SHUTDOWN and override included) and the stop state; sources are not warmed up. Then the run
 * goes on with `run-resumed`, which asks the venue about every order alive. Plans of several legs under way are not
 * held to all or none any more: their orders and positions are there, each for itself.
 *
 * `engine` must be newly made, and `entries` begin with the journal.
 */
export function foldFacts(
  engine: Engine,
  entries: Iterable<JournalEntry>,
  tape: TapeReader,
  options: { readonly onProgress?: (position: number) => void } = {},
): FactsReport {
  let events = 0;
  let orders = 0;
  for (const entry of entries) {
    if ((entry.position & 0xfff) === 0) options.onProgress?.(entry.position);
    switch (entry.kind) {
      case 'event':
        engine.fact(readEvent(entry.text));
        events += 1;
        break;
      case 'tape-range': {
        const [from, to] = entry.text.split(' ').map(Number);
        for (const event of tape(from!, to!)) {
          engine.fact(event);
          events += 1;
        }
        break;
      }
      case 'command': {
        const command = readCommand(entry.text);
        if (command.kind === 'submit-order') orders += 1;
        engine.adopt(command);
        break;
      }
      case 'header':
      case 'snapshot-mark':
      case 'note':
        break;
    }
  }
  const { ledger } = engine.real;
  const unbalanced = Object.fromEntries([...ledger.trialBalance()].filter(([, sum]) => sum !== 0));
  return {
    events,
    orders,
    working: ledger.workingOrders().length,
    positions: ledger.positions().length,
    unbalanced,
  };
}
