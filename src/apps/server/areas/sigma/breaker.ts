import { MINUTE } from '#base';
import type { SIGMA_ROUTES } from '../../../contract/areas/sigma.ts';
import type { AnswerOf } from '../../../contract/index.ts';
import type { Status } from '../../../runner/status.ts';
import { type ConsoleContext, Problem } from '../../context.ts';
import { askedOf } from '../../data/asking.ts';
import { breakerView, lastBreaker, movesSince, severityOf } from '../../data/breaker-view.ts';
import { fromProjections, perhaps } from '../../data/reach.ts';
import { standingOf } from '../../data/standing.ts';

type BreakerStatus = AnswerOf<(typeof SIGMA_ROUTES)['breakerStatus']>;
type Issues = AnswerOf<(typeof SIGMA_ROUTES)['breakerIssues']>;

const ISSUES_MOST = 500;

/** A portfolio without a breaker is one that is always closed. */
const NONE: BreakerStatus = { state: 'CLOSED', since: 0, causes: [], override: false };

export async function breakerStatus(context: ConsoleContext, name: string): Promise<BreakerStatus> {
  const risk = await askedOf(context, name, 'risk');
  const view =
    risk === null
      ? (await perhaps(context, name, lastBreaker)).value
      : risk.breaker && breakerView(risk.breaker);
  if (view === null) return NONE;
  const { state, since, causes, override } = view;
  return { state, since, causes, override };
}

/** What moved it in the last minutes of the loop's own time, which a replay's is not the wall's. */
export async function breakerIssues(context: ConsoleContext, name: string, minutes: number): Promise<Issues> {
  const { status, last } = await standingOf(context, name);
  const since = (status?.at ?? last?.at ?? context.now()) - minutes * MINUTE;
  const risk = await askedOf(context, name, 'risk');
  const moves =
    risk?.breaker == null
      ? await fromProjections(context, name, (store) => movesSince(store, since, ISSUES_MOST))
      : breakerView(risk.breaker).history.filter(({ at }) => at >= since);
  return moves.map(({ at, from, to, cause }) => ({
    time: at,
    state: to,
    issue_type: /^[\w-]+/.exec(cause)?.[0] ?? 'unknown',
    severity: severityOf(to),
    detail: `${from} -> ${to}${cause === '' ? '' : `: ${cause}`}`,
  }));
}

/** Entries may not be allowed in HALT and SHUTDOWN. Throws {@link Problem} 409. */
export function refuseStart({ breaker }: Pick<Status, 'breaker'>): void {
  const state = breaker?.state;
  if (state !== 'HALT' && state !== 'SHUTDOWN') return;
  throw new Problem(
    409,
    'refused',
    `the breaker is in ${state}: no entries`,
    state === 'HALT'
      ? 'wait for its cool-down, or recover it with a reason'
      : 'recover it with a reason and confirm RESTART',
  );
}

/** There are no live accounts. Throws {@link Problem} 409. */
export function refuseLive(mode: 'paper' | 'live' | undefined): void {
  if (mode !== 'live') return;
  throw new Problem(409, 'refused', 'nothing here trades with real money', 'leave mode out, or say paper');
}
