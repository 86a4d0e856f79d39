import type { PortfolioLimitName } from '#engine';
import type { THINKING_ROUTES } from '../../contract/areas/thinking.ts';
import type { AnswerOf } from '../../contract/index.ts';
import type { LimitGauge, RiskAnswer } from '../../runner/control-answers.ts';
import type { ConsoleContext, Handlers } from '../context.ts';
import { askedOf, demandedOf } from '../data/asking.ts';
import { breakerView, lastBreaker } from '../data/breaker-view.ts';
import { operate } from '../data/operate.ts';
import { fromProjections } from '../data/reach.ts';
import { decisionsPage, signalsPage } from '../data/thinking-lists.ts';
import { gateCards, sourceCards } from './thinking/cards.ts';
import { decisionView } from './thinking/decision-view.ts';

type Risk = AnswerOf<(typeof THINKING_ROUTES)['risk']>;

export function thinkingHandlers(context: ConsoleContext): Handlers<typeof THINKING_ROUTES> {
  const { portfolios } = context;
  return {
    decisions: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => decisionsPage(store, query));
    },
    decision: async ({ params, query }) =>
      decisionView(context, await portfolios.choose(query.portfolio), params.id),
    signals: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      return fromProjections(context, name, (store) => signalsPage(store, query));
    },
    sources: async ({ query }) => ({
      items: await sourceCards(context, await portfolios.choose(query.portfolio)),
    }),
    gates: async ({ query }) => ({
      items: await gateCards(context, await portfolios.choose(query.portfolio)),
    }),
    risk: async ({ query }) =>
      riskView(await demandedOf(context, await portfolios.choose(query.portfolio), 'risk')),
    changeLimits: async ({ query, body }, call) => {
      const act = { action: 'limits', changes: body.changes } as const;
      const { portfolio } = await operate(context, call, query.portfolio, act, body.reason);
      // done whether or not the loop finds time to say what holds now
      const risk = await askedOf(context, portfolio, 'risk');
      return { ok: true, portfolioLimits: risk === null ? body.changes : limitsInForce(risk) };
    },
    breaker: async ({ query }) => {
      const name = await portfolios.choose(query.portfolio);
      const risk = await askedOf(context, name, 'risk');
      if (risk !== null) return risk.breaker === null ? null : breakerView(risk.breaker);
      return fromProjections(context, name, lastBreaker);
    },
  };
}

function limitsInForce({ portfolioLimits: { inForce } }: RiskAnswer): Risk['portfolioLimits'] {
  const of = (name: PortfolioLimitName) => inForce[name] ?? null;
  return {
    riskMax: of('riskMax'),
    assetMax: of('assetMax'),
    groupMax: of('groupMax'),
    groupRho: of('groupRho'),
    heatMax: of('heatMax'),
  };
}

function riskView(risk: RiskAnswer): Risk {
  const { at, currency, equity, limits, byInstrument, heat, valueAtRisk, drawdown, day, correlation } = risk;
  const { amount, share, confidence, formula, unknown } = valueAtRisk;
  const without = unknown.length === 0 ? '' : `; too few returns of ${unknown.join(', ')}`;
  return {
    at,
    currency,
    equity,
    limits: limits.map(gauge),
    portfolioLimits: limitsInForce(risk),
    exposure: byInstrument.map((one) => ({
      instrument: one.of,
      value: one.net,
      share: one.share ?? 0,
      side: Number(one.net) > 0 ? 'long' : Number(one.net) < 0 ? 'short' : 'flat',
    })),
    heat,
    valueAtRisk:
      amount === null
        ? null
        : { level: confidence, value: amount, share: share ?? 0, text: `${formula}${without}` },
    drawdown: drawdown.now,
    dailyLoss: day.loss,
    correlation: {
      instruments: [...correlation.instruments],
      matrix: correlation.matrix.map((row) => [...row]),
    },
  };
}

function gauge({ name, desk, layer, of, used, max, share, unit }: LimitGauge): Risk['limits'][number] {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  const about = of === null ? '' : ` (${of})`;
  const words =
    used === null || max === null
      ? 'asked for every plan; nothing of it is used up'
      : `${short(used)} of ${short(max)}${unit === null ? '' : ` ${unit}`}${about}`;
  return { name, desk, layer, of, used, maximum: max, share, unit: unit ?? '', text: words };
}
