import type { RunRegistry } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import { type Ablation, figuresOf } from '#research';
import type { PlayedDesk, RunInputs } from '../../worth/play-desk.ts';
import { readAnswers } from '../answers-file.ts';
import { runIntervalMs } from './run-interval.ts';
import { TrialRecorder, trialFigures } from './trial-writer.ts';

/** Puts plays of a run's desk without a part on record. */
export function worthRegistration(
  registry: RunRegistry,
): (run: RunInputs, ablation: Ablation, played: PlayedDesk) => void {
  let recorder: TrialRecorder | null = null;
  return (run, { id, parts }, played) => {
    recorder ??= new TrialRecorder({
      tape: run.tape,
      intervalMs: runIntervalMs(run),
      answersHash: run.answers === null ? null : readAnswers(run.answers).hash,
      kind: 'worth',
      study: sha256(canonicalJson(run.configuration)),
    });
    const trial = recorder.trial({
      desk: run.desk,
      settings: run.configuration,
      removed: id,
      figures: trialFigures(figuresOf(played)),
      stamps: parts.stamps ?? [],
      daily: { start: played.cash, closes: Float64Array.from(played.daily) },
    });
    registry.register([trial], Date.now());
  };
}
