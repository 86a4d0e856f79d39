import type { z } from 'zod';
import type { ProjectionStore } from '#adapters';
import { BREAKER_LEVELS, type BreakerConfig, type BreakerMeasures } from '#risk';
import type { THINKING_ROUTES } from '../../contract/areas/thinking.ts';
import type { breakerState } from '../../contract/common.ts';
import type { AnswerOf } from '../../contract/index.ts';
import type { BreakerAnswer } from '../../runner/control-answers.ts';

export type BreakerState = z.output<typeof breakerState>;
export type BreakerView = NonNullable<AnswerOf<(typeof THINKING_ROUTES)['breaker']>>;
type Threshold = BreakerView['thresholds'][number];
type Move = BreakerView['history'][number];

const HISTORY = 256;

/** A state's name; one that is none of ours counts as the last, so that nothing looks safer than it is. */
export const stateOf = (text: string | null | undefined): BreakerState =>
  BREAKER_LEVELS.find((level) => level === text) ?? 'SHUTDOWN';

/** As the journal's readers grade it. */
export const severityOf = (to: BreakerState): 'info' | 'warning' | 'critical' =>
  to === 'HALT' || to === 'SHUTDOWN' ? 'critical' : to === 'CLOSED' ? 'info' : 'warning';

/** The breaker as the loop tells it. */
export function breakerView(breaker: BreakerAnswer): BreakerView {
  const { state, since, overridden, causes, thresholds, measures, history } = breaker;
  return {
    state: stateOf(state),
    since,
    causes: causes.map(({ trigger }) => trigger),
    override: overridden,
    thresholds: thresholdsOf(thresholds, measures),
    history: history
      .map(({ at, from, to, why, reason }) => ({
        at,
        from: stateOf(from),
        to: stateOf(to),
        cause: causeOf(why, reason),
        severity: severityOf(stateOf(to)),
      }))
      .reverse(),
  };
}

/** A trigger that measures nothing counts to one: its name says it all. */
function causeOf(why: string, reason: string): string {
  return reason === why || reason === `${why} 1` ? why : `${why}: ${reason}`;
}

/** The breaker of a portfolio that does not run, from its last moves; null when it never moved. */
export async function lastBreaker(store: ProjectionStore): Promise<BreakerView | null> {
  const history = await movesSince(store, null, HISTORY);
  const [newest] = history;
  if (newest === undefined) return null;
  const begun = history.findIndex(({ to }) => to === 'CLOSED');
  const since = begun < 0 ? history : history.slice(0, begun);
  return {
    state: newest.to,
    since: newest.at,
    causes: newest.to === 'CLOSED' ? [] : [...new Set(since.map(({ cause }) => cause))],
    override: false,
    thresholds: [],
    history,
  };
}

/** Moves from an instant on, newest first. */
export async function movesSince(
  { db }: ProjectionStore,
  since: number | null,
  limit: number,
): Promise<Move[]> {
  let query = db.selectFrom('breaker_events').selectAll().where('at', 'is not', null);
  if (since !== null) query = query.where('at', '>=', since);
  const rows = await query.orderBy('at', 'desc').orderBy('position', 'desc').limit(limit).execute();
  return rows.map((row) => ({
    at: row.at!,
    from: stateOf(row.from_level),
    to: stateOf(row.to_level),
    cause: row.issue ?? '',
    severity: row.severity ?? 'warning',
  }));
}

/** What could move it: every step of every trigger, beside what is measured now. */
function thresholdsOf(config: BreakerConfig, now: BreakerMeasures): Threshold[] {
  const steps = (
    trigger: string,
    measure: number | null,
    unit: string,
    limits: readonly (readonly [level: BreakerState, limit: number | null])[],
  ): Threshold[] =>
    limits.flatMap(([state, limit]) => (limit === null ? [] : [{ trigger, state, measure, limit, unit }]));
  const { latencyMs, failures, slippage, failureRate, loss, severity, expectancyCollapse } = config;
  const table = (row: readonly (number | null)[]) =>
    row.flatMap((limit, i): [BreakerState, number | null][] => {
      const level = BREAKER_LEVELS[i + 1];
      return level === undefined ? [] : [[level, limit !== null && Number.isFinite(limit) ? limit : null]];
    });
  return [
    ...steps('latency', now.latencyMs, 'ms', table(latencyMs)),
    ...steps('order-failures', now.failures, 'in a row', table(failures)),
    ...steps('slippage', now.slippage, 'of the price', table(slippage)),
    ...steps('failure-rate', now.failureRate, `of at least ${failureRate.ordersMin} orders`, [
      [failureRate.level, failureRate.share],
    ]),
    ...steps('loss', now.loss, `of the highest equity of ${loss.windowMinutes} min`, [
      [loss.level, loss.share],
    ]),
    ...Object.entries(severity).map(([word, level]) => ({
      trigger: `monitor: ${word}`,
      state: stateOf(level),
      measure: null,
      limit: null,
      unit: '',
    })),
    {
      trigger: 'expectancy-collapse',
      state: stateOf(expectancyCollapse),
      measure: null,
      limit: null,
      unit: '',
    },
  ];
}
