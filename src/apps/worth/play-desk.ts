import { setImmediate as nextTurn } from 'node:timers/promises';
import { TapeCursor } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import { type DeskParts, NO_JOURNAL, NO_TRACE } from '#engine';
import { simulatedVenue } from '#execution';
import { Backtest, EquityCurve, type Oracle, type Played, type PlayedTrade, type Seen } from '#research';
import type { readRun } from '../setup/replay-run.ts';
import { buildStudy } from '../setup/study.ts';

/** A finished run as {@link readRun} finds it. */
export type RunInputs = Awaited<ReturnType<typeof readRun>>;

/** What of a run decides its play. */
export type PlayInputs = Pick<RunInputs, 'configuration' | 'desk' | 'tape' | 'shapes'>;

/** One play of a desk with what its counters have shown. Plain data. */
export interface PlayedDesk extends Played {
  readonly seen: Seen;
}

/** The desk of a run, whole or without a part. */
export interface DeskVariant {
  readonly parts: DeskParts;
  readonly deafTo: readonly string[];
}

/**
 * Plays a desk on a run's own tape, costs and seed; nothing is journaled or written. `onStep` hears how many steps of the
 * tape have passed and says whether to go on; null when it said no.
 */
export async function playDesk(
  run: PlayInputs,
  oracle: Oracle | null,
  { parts, deafTo }: DeskVariant,
  onStep: (position: number) => boolean,
): Promise<PlayedDesk | null> {
  const { configuration, desk, tape, shapes } = run;
  const settings = deafTo.length === 0 ? configuration : { ...configuration, deafTo };
  const study = buildStudy({ ...desk, parts }, shapes, settings, NO_TRACE);
  const walk = new TapeCursor(tape);
  const curve = new EquityCurve();
  const trades: PlayedTrade[] = [];
  const backtest = new Backtest({
    definition: study.definition,
    tape: walk,
    venue: simulatedVenue(study.venue),
    journal: NO_JOURNAL,
    seed: configuration.seed,
    codeHash: configuration.codeHash,
    configurationHash: sha256(canonicalJson(configuration)),
    curve,
    ...(oracle === null ? {} : { oracle }),
  });
  backtest.engine.observer = {
    traded: ({ instrument, direction, openedAt, closedAt, lots, net, exitReason }, _desk, shadow) => {
      if (!shadow) trades.push({ instrument, direction, openedAt, closedAt, lots, net, exitReason });
    },
  };
  backtest.start();
  while (backtest.advance()) {
    // so that Ctrl-C is heard: signals come between turns of the event loop
    await nextTurn();
    if (!onStep(walk.position)) return null;
  }
  const { engine, commandsHash } = backtest.finish();
  const names = (map: ReadonlyMap<string, number>) => [...map.keys()].sort();
  return {
    cash: study.definition.cash,
    daily: curve.daily,
    maxDrawdown: curve.maxDrawdown,
    trades,
    commandsHash,
    seen: { sizeCuts: names(engine.counts.sizeCuts), exits: names(engine.counts.exitsByKind) },
  };
}
