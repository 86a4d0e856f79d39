import { canonicalJson, type Instant, sha256 } from '#base';
import {
  type ColdStudy,
  type ColdWindow,
  calibrateRows,
  coldSamples,
  directionsOf,
  type ModelEvidence,
  type OlderModel,
  playWindow,
  predictBars,
  type WindowScore,
} from '#research';
import { type ModelArtefact, modelIdOf, parseBoostedModel, s1LengthsOf } from '#signals';

const CLASSES = 3;

/** What scores of windows rest on besides bars and model: of two models only what was paid alike may be compared. */
export const termsOf = ({ costs, rules, data }: Pick<ColdStudy, 'costs' | 'rules' | 'data'>): string =>
  sha256(canonicalJson({ costs, rules, news: data.news !== null }));

/** The windows of a training whose scores were reckoned on the same terms. */
function comparable(evidence: readonly ModelEvidence[], terms: string): WindowScore[] {
  return evidence.flatMap(({ windows, passport }) =>
    (passport as { terms?: unknown } | null)?.terms === terms ? windows : [],
  );
}

/** The begin of a test of a training that spoke for a model; null where there is none. */
export const testOf = (evidence: readonly ModelEvidence[]): Instant | null =>
  evidence.findLast(({ windows }) => windows.length > 0)?.windows[0]?.from ?? null;

/**
 * The model that holds the stage, over the windows of a new training: where it was tested itself the score it had then, out of
 * its sample and for the same costs; on windows after its training what it comes to now. Windows it was trained on say nothing
 * and are left out.
 */
export function olderOver(
  study: ColdStudy,
  windows: readonly ColdWindow[],
  artefact: ModelArtefact,
  evidence: readonly ModelEvidence[],
): OlderModel {
  const told = new Map(comparable(evidence, termsOf(study)).map((one) => [`${one.from} ${one.to}`, one]));
  const scores: WindowScore[] = [];
  let samples: ReturnType<typeof coldSamples> | null = null;
  // as the desk reads it: the sheet's own lengths where the model says nothing, and the stricter threshold of both
  const lengths = s1LengthsOf(artefact.training.parameters);
  const { probabilityMin, leadMin } = artefact.threshold;
  const rules = {
    ...study.rules,
    probabilityMin: Math.max(study.rules.probabilityMin, probabilityMin),
    leadMin: Math.max(study.rules.leadMin, leadMin),
  };
  for (const window of windows) {
    const { from, to } = window;
    const known = told.get(`${from} ${to}`);
    if (known !== undefined) scores.push(known);
    else if (from >= artefact.training.to && artefact.scaler !== null) {
      samples ??= coldSamples(study.data, rules, lengths);
      const fitted = {
        model: parseBoostedModel(artefact.model),
        scaler: artefact.scaler,
        learnedFrom: new Int32Array(0),
      };
      const { probabilities } = predictBars(fitted, samples, window.test);
      const stated =
        artefact.calibration === null
          ? probabilities
          : calibrateRows(artefact.calibration, probabilities, CLASSES);
      const directions = directionsOf({ data: study.data, rules }, window, stated);
      const outcome = playWindow(study.data, rules, study.costs, lengths, window.test, directions);
      scores.push({ from, to, score: outcome?.sharpe ?? null });
    }
  }
  return { model: modelIdOf(artefact), windows: scores };
}
