import type { z } from 'zod';
import type { position } from '../../contract/areas/trading.ts';
import type { ExitAnswer, ExitsAnswer } from '../../runner/control-answers.ts';
import type { PositionStatus } from '../../runner/status.ts';

export type Position = z.output<typeof position>;

/** Open positions with what could close each next. */
export function positionsOf(held: readonly PositionStatus[], exits: ExitsAnswer | null): Position[] {
  const byBook = new Map(exits?.positions.map((one) => [one.book, one]));
  return held.map((one) => {
    const more = byBook.get(one.book);
    return {
      ...one,
      openedAt: more?.openedAt ?? null,
      leaving: more?.leaving?.reason ?? null,
      exits: (more?.exits ?? []).map(exitOf),
    };
  });
}

/** A distance is a share of the price, so only prices have one; how near the others are, `progress` tells. */
function exitOf({ exit, on, level, now, distance, progress, armed, text }: ExitAnswer) {
  return {
    kind: exit,
    on,
    level,
    now,
    distance: on === 'price' ? distance : null,
    progress,
    armed,
    text,
  };
}
