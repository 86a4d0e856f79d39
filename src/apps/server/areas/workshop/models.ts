import type { z } from 'zod';
import type { registeredModel, WORKSHOP_ROUTES } from '../../../contract/areas/workshop.ts';
import type { LearningAnswer } from '../../../runner/control-answers.ts';
import type { RegisteredModel } from '../../data/registered-models.ts';

export type Model = z.output<(typeof WORKSHOP_ROUTES)['models']['answer']>['items'][number];

/**
 * What a running portfolio has learned so far: for each source that states something measurable how its statements came out,
 * which is what its weight and its reliability rest on. A source that has settled nothing yet has no model.
 */
export function modelsOf({ at, desks }: LearningAnswer): Model[] {
  return desks.flatMap(({ desk, sources }) =>
    sources
      .filter(({ n, forecasts }) => n > 0 || forecasts > 0)
      .map(
        ({
          source,
          emits,
          n,
          forecasts,
          weight,
          hitRate,
          brier,
          logLoss,
          meanReturn,
          returnPerScore,
          reliability,
        }) => ({
          id: `${desk}/${source}`,
          kind: emits === 'forecast' ? 'calibration' : 'reliability',
          desk,
          fittedAt: at,
          n: Math.max(n, forecasts),
          detail: { source, emits, weight, hitRate, brier, logLoss, meanReturn, returnPerScore, reliability },
        }),
      ),
  );
}

/** A model on record, as the console shows it. */
export function registeredView(model: RegisteredModel): z.output<typeof registeredModel> {
  const { id, name, stage, holds, at, trainedTo, instrument, interval, from, parent, metrics, stamps } =
    model;
  return {
    id,
    name,
    stage,
    holds: [...holds],
    at,
    trainedTo,
    instrument,
    interval,
    from,
    parent,
    metrics,
    stamps: [...stamps],
    pruned: model.isPruned,
  };
}
