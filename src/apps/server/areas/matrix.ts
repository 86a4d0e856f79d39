import { formatInterval } from '#base';
import type { MATRIX_ROUTES } from '../../contract/areas/matrix.ts';
import type { DriftAnswer } from '../../runner/control-answers.ts';
import { type Call, type ConsoleContext, type Handlers, Problem } from '../context.ts';
import { demandedOf, noLoop } from '../data/asking.ts';
import { type Act, operate } from '../data/operate.ts';
import { registeredModels } from '../data/registered-models.ts';
import { baselinesOf, matrixView, modelView } from './matrix/matrix-view.ts';

const ASK_MS = 2_000;

/** Desks by symbol and timeframe, what they are compared with, and the switches that stop them. */
export function matrixHandlers(context: ConsoleContext): Handlers<typeof MATRIX_ROUTES> {
  const { portfolios } = context;
  const act = async (call: Call, named: string | undefined, what: Act, reason: string) => {
    const { portfolio: _, ...acted } = await operate(context, call, named, what, reason);
    return acted;
  };
  return {
    matrix: async ({ query }) => {
      const desks = await demandedOf(context, await portfolios.choose(query.portfolio), 'desks');
      return matrixView(desks, registeredModels().items);
    },

    drift: async ({ params, query }) => {
      const name = await portfolios.choose(query.portfolio);
      const { books } = await demandedOf(context, name, 'desks');
      const known = books.find(({ desk }) => desk === params.desk);
      if (known === undefined)
        throw new Problem(
          404,
          'not-found',
          `there is no desk "${params.desk}"`,
          'list them: GET /api/v1/matrix',
        );
      const answer = await portfolios.ask(name, { ask: 'drift', desk: params.desk }, ASK_MS);
      if (answer?.ok !== true) throw noLoop(name);
      const { at, desk, items } = answer.drift as DriftAnswer;
      const registered = registeredModels().items;
      return {
        at,
        desk,
        baselines: baselinesOf(known.family),
        items: items.map(({ instrument, intervalMs, model, parity }) => ({
          instrument,
          intervalMs,
          timeframe: formatInterval(intervalMs),
          model: model === null ? null : modelView(model, registered),
          parity:
            parity === null
              ? null
              : {
                  ...parity,
                  times: [...parity.times],
                  drifts: [...parity.drifts],
                  features: [...parity.features],
                },
        })),
      };
    },

    tripKillSwitch: ({ params, query, body }, call) =>
      act(call, query.portfolio, { action: 'kill', desk: params.name }, body.reason),

    resetKillSwitch: ({ params, query, body }, call) =>
      act(call, query.portfolio, { action: 'recover', confirm: null, desk: params.name }, body.reason),
  };
}
