import type { RunRegistry } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import { NO_TRACE } from '#engine';
import { decidingKey, isWholeRun, type PlayedVariant, type SweepRow } from '#research';
import { codeHash } from '../code-hash.ts';
import { deskHash, deskWith } from '../load-desk.ts';
import { shapesOf } from '../run-backtest.ts';
import { buildStudy, settledCosts } from '../study.ts';
import type { SweepPlan } from '../sweep/sweep-plan.ts';
import { TrialRecorder, trialFigures } from './trial-writer.ts';

/** Puts variants of a sweep on record, whoever played them. */
export function sweepRegistration(
  registry: RunRegistry,
): (plan: SweepPlan, played: readonly PlayedVariant[]) => void {
  let recorder: TrialRecorder | null = null;
  return (plan, played) => {
    const { found, identity, data } = plan;
    const { set, answersHash, cash, feeBps, slippageBps, seed } = identity;
    recorder ??= new TrialRecorder({
      tape: data.tape,
      intervalMs: intervalOf(plan),
      answersHash,
      kind: 'sweep',
      study: sha256(canonicalJson(identity)),
    });
    const known = recorder;
    const trials = played.map(({ row, daily }) =>
      known.trial({
        desk: deskWith(found, { ...set, ...row.parameters }),
        settings: { cash, feeBps, slippageBps, seed },
        figures: trialFigures(row.figures),
        stamps: row.stamps,
        daily,
      }),
    );
    registry.register(trials, Date.now());
  };
}

/**
 * Tells which variants of a sweep are on record. Of rows that an earlier start left, the others were made without a record, or
 * with another one: they are no results until they are counted.
 */
export function variantsOnRecord(registry: RunRegistry, plan: SweepPlan): (row: SweepRow) => boolean {
  const { trials } = registry.trials();
  const whole = trials.filter((trial) => isWholeRun(trial) && trial.returns.length === trial.days.count);
  const known = new Set(whole.map(decidingKey));
  const { found, identity, data } = plan;
  const { set, answersHash, seed } = identity;
  const common = { tapeHash: data.tape.hash, answersHash, codeHash: codeHash(), seed };
  return ({ parameters }) => {
    const desk = deskWith(found, { ...set, ...parameters });
    return known.has(
      decidingKey({ ...common, ...settledCosts(desk.parts, identity), deskHash: deskHash(desk) }),
    );
  };
}

function intervalOf({ found, identity, grid, variants, data, request }: SweepPlan): number {
  const desk = deskWith(found, { ...identity.set, ...grid.pointAt(variants[0]!) });
  return buildStudy(desk, shapesOf(data.tape), request, NO_TRACE).intervalMs;
}
