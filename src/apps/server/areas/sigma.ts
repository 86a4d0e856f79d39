import type { SIGMA_ROUTES } from '../../contract/areas/sigma.ts';
import type { Call } from '../context.ts';
import { type ConsoleContext, type Handlers, Problem } from '../context.ts';
import { demandedOf } from '../data/asking.ts';
import { stateOf } from '../data/breaker-view.ts';
import { deskParametersOf, saveDeskParameters } from '../data/desk-parameters.ts';
import { isNotice, NoticeMarks, newestNotice, noticesPage, type Reader } from '../data/notices.ts';
import { byOf, caller, operate, ordered } from '../data/operate.ts';
import { fromProjections } from '../data/reach.ts';
import { headerIn } from '../data/standing.ts';
import { Strategies } from '../data/strategies.ts';
import {
  balanceOf,
  closedTrades,
  openTrades,
  performanceOf,
  performancePage,
  tradingStatus,
} from './sigma/account.ts';
import { breakerIssues, breakerStatus, refuseLive, refuseStart } from './sigma/breaker.ts';
import { type DraftModel, draftStrategy, runningStrategies } from './sigma/drafts.ts';

type SigmaHandlers = Handlers<typeof SIGMA_ROUTES>;

/** What the routes of the Sigma sheet need from elsewhere. */
export interface SigmaParts {
  readonly chat: SigmaHandlers['chat'];
  /** Null: the built-in parser drafts alone. */
  readonly model: DraftModel | null;
}

/** The routes of the Sigma sheet, but for what {@link SigmaParts} brings. */
export function sigmaHandlersWith(context: ConsoleContext, { chat, model }: SigmaParts): SigmaHandlers {
  const { portfolios, store } = context;
  const strategies = new Strategies(store);
  const marks = new NoticeMarks(store);
  const chosen = (query: { readonly portfolio?: string | undefined }) => portfolios.choose(query.portfolio);
  const readerOf = (call: Call, name: string): Reader => ({
    userId: caller(call).id,
    run: `${name}/${headerIn(portfolios.folder(name))?.runId ?? ''}`,
  });
  return {
    tradingStart: async ({ query, body }, call) => {
      refuseLive(body.mode);
      const name = await ordered(context, query.portfolio);
      refuseStart(await demandedOf(context, name, 'status'));
      const { running } = await operate(context, call, name, { action: 'start' }, body.reason ?? 'start');
      return { is_running: running };
    },
    tradingStop: async ({ query, body }, call) => {
      const act = { action: 'stop' } as const;
      const { running } = await operate(context, call, query.portfolio, act, body.reason ?? 'stop');
      return { is_running: running };
    },
    tradingStatus: async ({ query }) => tradingStatus(context, await chosen(query)),

    strategyCreate: async ({ query, body }, call) => {
      const portfolio = await chosen(query);
      const draft = await draftStrategy(context, strategies, model, { portfolio, ...body }, call);
      await context.audit({
        by: byOf(caller(call)),
        what: 'strategy-drafted',
        reason: '',
        detail: JSON.stringify({ id: draft.id, desk: draft.desk, name: draft.name }),
        address: call.address,
        portfolio,
      });
      return draft;
    },
    strategyApply: async ({ query, body }, call) => {
      const portfolio = await chosen(query);
      const { desk, parameters } = strategies.get(portfolio, body.id);
      const known = deskParametersOf(context, portfolio, desk);
      const by = byOf(caller(call));
      await saveDeskParameters(context, known, {
        parameters,
        by,
        reason: body.reason,
        address: call.address,
      });
      return strategies.activate(portfolio, body.id);
    },
    strategyList: async ({ query }) => {
      const portfolio = await chosen(query);
      const running = runningStrategies(context, strategies, portfolio);
      const stored = strategies.list(portfolio);
      const shown = new Set(stored.map(({ id }) => id));
      return [...running.filter(({ id }) => !shown.has(id)), ...stored];
    },
    strategyActive: async ({ query }) => runningStrategies(context, strategies, await chosen(query)),

    performance: async ({ query }) => performanceOf(context, await chosen(query)),
    performanceHistory: async ({ query }) =>
      fromProjections(context, await chosen(query), (rows) => performancePage(rows, query)),
    balance: async ({ query }) => balanceOf(context, await chosen(query)),
    sigmaTrades: async ({ query }) =>
      fromProjections(context, await chosen(query), (rows) => closedTrades(rows, query)),
    sigmaOpenTrades: async ({ query }) => openTrades(context, await chosen(query)),

    breakerStatus: async ({ query }) => breakerStatus(context, await chosen(query)),
    breakerIssues: async ({ query }) => breakerIssues(context, await chosen(query), query.minutes),
    breakerRecover: async ({ query, body }, call) => {
      const act = { action: 'recover', confirm: body.confirm ?? null } as const;
      const { breaker, breakerBefore } = await operate(context, call, query.portfolio, act, body.reason);
      return { state: stateOf(breaker), before: stateOf(breakerBefore) };
    },
    breakerOverride: async ({ query, body }, call) => {
      const act = { action: 'override', enabled: body.enabled } as const;
      const { breaker, breakerBefore } = await operate(context, call, query.portfolio, act, body.reason);
      return { state: stateOf(breaker), before: stateOf(breakerBefore) };
    },

    notifications: async ({ query }, call) => {
      const name = await chosen(query);
      return fromProjections(context, name, (rows) => noticesPage(rows, marks, readerOf(call, name), query));
    },
    readNotification: async ({ params, query }, call) => {
      const name = await chosen(query);
      if (!(await fromProjections(context, name, (rows) => isNotice(rows, params.id))))
        throw new Problem(404, 'not-found', 'there is no notification of this id', 'list them first');
      marks.read(readerOf(call, name), params.id);
      return { ok: true };
    },
    clearNotifications: async ({ query }, call) => {
      const name = await chosen(query);
      marks.clear(readerOf(call, name), await fromProjections(context, name, newestNotice));
      return { ok: true };
    },
    chat,
  };
}
