import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '#base';
import { defineInstrument } from '#market';
import type { Limit } from '#risk';
import { ALFA, START, STEP, submitted, Table } from '../../test/support/engine-table.ts';
import type { Command } from './events.ts';

const review = { topic: 'plan', timeoutMs: HOUR };
const questionIn = (commands: readonly Command[]): string => {
  const asked = commands.find((c) => c.kind === 'ask-question');
  if (asked?.kind !== 'ask-question') throw new Error('no question was asked');
  return asked.questionId;
};
const allow = (table: Table, questionId: string) =>
  table.step({
    kind: 'operator-acted',
    at: table.at,
    eventTime: table.at,
    by: 'me',
    reason: 'r',
    act: { action: 'review', questionId, verdict: 'allow', share: 1 },
  });

describe('a person’s word on a plan under review', () => {
  const seen: number[] = [];
  const looks: Limit = {
    name: 'looks',
    check: (_plan, _facts, { equity }) => {
      seen.push(equity);
      return { kind: 'pass' };
    },
  };

  it('is judged on the account as marks have made it meanwhile', () => {
    const table = new Table({ review, limits: [looks], opposite: 'reverse' });
    table.bar(100);
    table.unasked(table.engine.desks[0]!.instruments[0]!.book, ALFA, 'buy', 100, 1_000);
    // a mark just before the bar: the next ones come too soon to manage positions
    table.at += STEP - SECOND;
    table.mark(ALFA, 100);
    table.at -= STEP - SECOND;
    const question = questionIn(table.bar(100, { [ALFA.id]: -1 }));
    table.at += SECOND;
    table.mark(ALFA, 90);
    table.at += SECOND;
    expect(submitted(allow(table, question))).toHaveLength(1);
    expect(seen.at(-1)).toBe(table.engine.equity());
    expect(seen.at(-1)).not.toBe(seen[0]);
  });

  it('is not heard when the rate of its currency has become stale', () => {
    const EURO = defineInstrument({ id: 'SAP.XETR', kind: 'equity', quote: 'EUR', minorScale: 2 });
    const entered = (staleBefore: boolean) => {
      const table = new Table({ review }, [EURO]);
      table.at = START + (staleBefore ? MINUTE : 3 * MINUTE);
      table.rate('EUR', 'USDT', 1.1);
      table.at = START + 72 * HOUR - STEP;
      const question = questionIn(table.bar(100, { [EURO.id]: 1 }));
      table.at += 2 * MINUTE;
      const orders = submitted(allow(table, question));
      return [orders.length, [...table.engine.counts.refusalsByLimit.keys()]];
    };
    expect(entered(false)).toEqual([1, []]);
    expect(entered(true)).toEqual([0, ['fx-rate']]);
  });
});
