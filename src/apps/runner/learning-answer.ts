import { formatDecimal } from '#base';
import type { Engine } from '#engine';
import type { LearningAnswer } from './control-answers.ts';
import type { LearningWatch } from './learning-watch.ts';

/** What each desk's sources and gates were worth so far, and whether the desk has an edge. */
export function learningAnswer(engine: Engine, watch: LearningWatch): LearningAnswer {
  const account = engine.account(engine.real);
  const money = (minor: number) => formatDecimal(minor, engine.definition.baseMinorScale);
  return {
    at: engine.at,
    desks: engine.desks.map((desk, i) => {
      const learning = watch.desks[i]!;
      const own = account.exposures.filter((e) => e.desk === desk.name);
      const margin = own.reduce((sum, e) => sum + e.margin, 0);
      const share = margin / account.equity;
      return {
        desk: desk.name,
        stopped: engine.desksStopped.has(desk.name),
        pooling: desk.parts.pooling.name,
        sources: learning.sources(),
        gates: learning.gates(),
        ideas: { ...learning.ideaCounts, outcome: learning.passedIdeas() },
        edge: desk.record.edge(),
        allocation: {
          margin: money(margin),
          notional: money(own.reduce((sum, e) => sum + e.notional, 0)),
          unrealised: money(own.reduce((sum, e) => sum + e.unrealised, 0)),
          share: Number.isFinite(share) ? share : null,
          positions: own.length,
        },
      };
    }),
  };
}
