import { describe, expect, it } from 'vitest';
import { proposalPool } from '#ensemble';
import { type Proposal, source } from '#signals';
import { ALFA, BETA, STEP, submitted, Table } from '../../test/support/engine-table.ts';
import type { DeskParts } from './desk.ts';
import type { Command, Event } from './events.ts';
import { foldFacts } from './fold-facts.ts';
import type { JournalEntry } from './journal-format.ts';

/** Buys ALFA and sells BETA, all or none, at the third bar. */
function spread(): Partial<DeskParts> {
  const legs: Proposal['legs'] = [
    { instrument: ALFA.id, side: 'buy', quantity: 1, limitPrice: null },
    { instrument: BETA.id, side: 'sell', quantity: 1, limitPrice: null },
  ];
  const twoLegs = source({
    name: 'two-legs',
    emits: 'proposal',
    features: {},
    signal: (view) =>
      view.instrument.id === ALFA.id && view.close === 103
        ? {
            kind: 'proposal',
            source: 'two-legs',
            legs,
            expectedEdge: 10,
            worstLoss: 5,
            confidence: 1,
            horizonMs: STEP,
          }
        : null,
  });
  return { sources: [twoLegs], pooling: proposalPool({ ratioMin: 0.1 }), legFailure: 'unwind' };
}

/** A life of two legs of which one fills and the other is refused, and what was written of it. */
function failedSpread() {
  const table = new Table(spread(), [ALFA, BETA]);
  const entries: JournalEntry[] = [];
  const { engine } = table;
  const step = engine.step.bind(engine);
  const note = (kind: JournalEntry['kind'], what: Event | Command) =>
    void entries.push({ position: entries.length, kind, text: JSON.stringify(what) });
  engine.step = (event) => {
    note('event', event);
    const out = step(event);
    for (const command of out) note('command', command);
    return out;
  };
  table.bar(101);
  table.bar(102);
  const [bought, sold] = submitted(table.bar(103));
  table.accept(bought!);
  table.fill(bought!, 103);
  const [unwinding] = submitted(table.end('order-rejected', sold!.clientId));
  return { table, entries, bought: bought!, sold: sold!, unwinding: unwinding! };
}

const NO_TAPE = () => [];

describe('facts of a plan of two legs whose leg fails', () => {
  it('are taken over with the orders that unwound it', () => {
    const { table, entries, unwinding } = failedSpread();
    expect(unwinding).toMatchObject({ reason: 'leg-unwind', side: 'sell', lots: 100 });
    table.fill(unwinding, 102);
    const other = new Table(spread(), [ALFA, BETA]);
    const report = foldFacts(other.engine, entries, NO_TAPE);
    expect(report).toMatchObject({ orders: 3, working: 0, positions: 0, unbalanced: {} });
    expect(other.engine.outgoing).toBe(0);
    expect(other.engine.equity()).toBe(table.engine.equity());
  });

  it('make trackers under way ask for nothing of their own', () => {
    const { entries, table, bought } = failedSpread();
    // an engine that follows the plan itself and is told the rest as facts
    const other = new Table(spread(), [ALFA, BETA]);
    const filled = entries.findIndex(({ text }) => text.includes('"order-filled"'));
    for (const { kind, text } of entries.slice(0, filled))
      if (kind === 'event') other.engine.step(JSON.parse(text) as Event);
    expect(other.engine.real.ledger.workingOrders()).toHaveLength(2);
    const report = foldFacts(other.engine, entries.slice(filled), NO_TAPE);
    expect(report).toMatchObject({ orders: 1, working: 1, positions: 1 });
    expect(other.engine.outgoing).toBe(0);
    expect(other.engine.real.ledger.position(bought.book)).toEqual(
      table.engine.real.ledger.position(bought.book),
    );
  });
});
