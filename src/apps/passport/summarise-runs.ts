import type { RunRegistry, StageRecord } from '#adapters';
import { DAY, formatInstant } from '#base';
import { clusterTrials, type RegisteredTrial } from '#research';

/** Runs of one desk over one tape. */
export interface RunGroup {
  readonly desk: string;
  readonly tapeHash: string;
  readonly instruments: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly trials: number;
  /** By how they were made. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Effective number of those that have all days. */
  readonly effective: number;
  /** Of highest Sharpe ratio; null where none has one. */
  readonly best: { readonly hash: string; readonly sharpe: number; readonly parameters: unknown } | null;
}

export interface RunsSummary {
  readonly groups: readonly RunGroup[];
  readonly entries: number;
  readonly trials: number;
  readonly head: string;
  readonly stages: readonly StageRecord[];
}

/** What is on record, desk by desk and tape by tape, after everything was checked. */
export function summariseRuns(registry: RunRegistry, desk: string | null): RunsSummary {
  const { trials, head } = registry.trials();
  const wanted = trials.filter((trial) => desk === null || trial.desk.name === desk);
  const byKey = Map.groupBy(wanted, (trial) => `${trial.desk.name}\n${trial.tapeHash}`);
  return {
    groups: [...byKey.values()].map(groupOf),
    entries: head.entries,
    trials: wanted.length,
    head: head.chain,
    stages: registry.stages().filter((stage) => desk === null || stage.desk === desk),
  };
}

const dayText = (day: number): string => formatInstant(day * DAY).slice(0, 10);

function groupOf(trials: readonly RegisteredTrial[]): RunGroup {
  const { desk, tapeHash, instruments, days } = trials[0]!;
  const whole = trials.filter(({ returns }) => returns.length === days.count);
  const kinds: Record<string, number> = {};
  let best: RunGroup['best'] = null;
  for (const { kind, figures, hash, parameters } of trials) {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    const sharpe = figures.sharpe ?? null;
    if (sharpe !== null && (best === null || sharpe > best.sharpe)) best = { hash, sharpe, parameters };
  }
  return {
    desk: desk.name,
    tapeHash,
    instruments,
    from: dayText(days.first),
    to: dayText(days.last),
    trials: trials.length,
    kinds,
    effective: clusterTrials(whole.map(({ returns }) => returns)).effective + trials.length - whole.length,
    best,
  };
}
