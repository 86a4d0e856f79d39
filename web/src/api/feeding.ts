import type { LiveMessage, LiveType, ResponseOf, RouteId } from '@contract';
import { live } from './live.ts';
import { portfolio, queries } from './queries.ts';

/** What each message makes old. */
const MAKES_OLD: { readonly [K in LiveType]?: readonly RouteId[] } = {
  order: ['orders', 'positions', 'overview'],
  trade: ['trades', 'sigmaTrades', 'performance', 'performanceHistory', 'positions', 'overview', 'matrix'],
  new_trade: ['fills', 'positions', 'sigmaOpenTrades', 'orders', 'overview', 'risk', 'balance', 'matrix'],
  decision: ['signals'],
  circuit_breaker_alert: ['breaker', 'breakerStatus', 'breakerIssues', 'overview', 'risk', 'portfolios'],
  operator: ['overview', 'risk', 'desks', 'positions', 'orders', 'portfolios', 'breaker', 'matrix'],
  alert: ['alerts', 'notifications', 'matrix'],
  feed: ['system'],
  performance: ['performance'],
  bar: ['risk'],
};

/** Not more often than this is one route asked again, however fast a replay runs. */
const AGAIN_MS = 1_500;

const due = new Set<RouteId>();
let waiting: ReturnType<typeof setTimeout> | null = null;
let lastAt = 0;

function makeOld(ids: readonly RouteId[]): void {
  for (const id of ids) due.add(id);
  if (waiting !== null) return;
  const wait = Math.max(0, lastAt + AGAIN_MS - Date.now());
  waiting = setTimeout(() => {
    waiting = null;
    lastAt = Date.now();
    const ids = [...due];
    due.clear();
    for (const id of ids) void queries.invalidateQueries({ queryKey: [id] }, { cancelRefetch: false });
  }, wait);
}

/** What a share of the equity at midnight is in money. */
function sinceMidnight(equity: string, share: number): string {
  return (Number(equity) - Number(equity) / (1 + share)).toFixed(8);
}

/** What the newest snapshot says is put into the answers that show the same figures. */
function patch(message: Extract<LiveMessage, { type: 'status_update' }>): void {
  const { data } = message;
  queries.setQueryData(['live', 'status', message.portfolio], data);
  queries.setQueriesData<ResponseOf<'overview'>>({ queryKey: ['overview', message.portfolio] }, (old) =>
    old === undefined
      ? old
      : {
          ...old,
          at: data.at,
          equity: data.equity,
          cash: data.balance,
          dayChange: data.day_change,
          today: old.today === null ? null : sinceMidnight(data.equity, data.day_change),
          feed: data.feed,
          portfolio: { ...old.portfolio, entriesAllowed: data.is_running, equity: data.equity, at: data.at },
          breaker:
            old.breaker === null || data.breaker === null
              ? old.breaker
              : { ...old.breaker, state: data.breaker },
        },
  );
}

/** The last decisions of the overview; the stream of the Decisions page puts new ones in front by itself. */
function patchDecision(message: Extract<LiveMessage, { type: 'decision' }>): void {
  const { at, desk, instrument, action, confidence, outcome, reason } = message.data;
  const line = { at, desk, instrument, action, confidence: confidence ?? 0, outcome, why: reason ?? '' };
  queries.setQueriesData<ResponseOf<'overview'>>({ queryKey: ['overview', message.portfolio] }, (old) => {
    const newest = old?.decisions[0];
    if (old === undefined || (newest !== undefined && newest.at > at)) return old;
    return { ...old, decisions: [line, ...old.decisions].slice(0, 8) };
  });
}

function patchJob(message: Extract<LiveMessage, { type: 'job' }>): void {
  queries.setQueriesData<ResponseOf<'job'>>({ queryKey: ['job'] }, (old) =>
    old?.id === message.data.id ? message.data : old,
  );
  makeOld(['jobs', 'system']);
}

/** Lets the live feed keep every answer on the screen fresh. Gives back how to stop. */
export function feedQueries(): () => void {
  live.onGap = () => void queries.invalidateQueries();
  return live.on('*', (message) => {
    if (message.type === 'status_update') patch(message);
    else if (message.type === 'job') patchJob(message);
    else if (message.portfolio === portfolio.get()) {
      if (message.type === 'decision') patchDecision(message);
      makeOld(MAKES_OLD[message.type] ?? []);
    }
  });
}

export type LiveStatus = Extract<LiveMessage, { type: 'status_update' }>['data'];
