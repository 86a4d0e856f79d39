import { Link } from 'wouter';
import { useGrid } from '../../api/instruments.ts';
import { useMay } from '../../api/session.ts';
import { perform } from '../../ui/act.tsx';
import { Badge, BreakerBadge, breakerLook } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { percent, words } from '../../ui/format.ts';
import { OutcomeBadge } from '../../ui/outcome.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty } from '../../ui/state.tsx';
import { Time } from '../../ui/time.tsx';
import type { Overview } from './index.tsx';

/** The last decision in full and the few before it. */
export function LastDecision({ decisions }: { readonly decisions: Overview['decisions'] }) {
  const grid = useGrid();
  const [last, ...before] = decisions;
  return (
    <Panel
      title="Last decision"
      className="flex-1"
      actions={
        <Link href="/decisions" className="text-xs text-soft underline">
          All decisions
        </Link>
      }
    >
      {last === undefined ? (
        <Empty title="No decision yet">
          The first comes with the first closed bar after the sources are warm.
        </Empty>
      ) : (
        <div aria-live="polite" aria-atomic="true" data-testid="last-decision">
          <div className="flex flex-wrap items-center gap-2">
            <strong className="text-base font-semibold">{grid.name(last.instrument)}</strong>
            <OutcomeBadge outcome={last.outcome} />
            <span className="ml-auto text-xs text-muted">
              <Time at={last.at} show="time" /> UTC
            </span>
          </div>
          <p className="mt-1 text-sm text-soft">
            {words(last.action)} with confidence {percent(last.confidence, 0)}
            {last.why === '' ? '' : `: ${last.why}`}
          </p>
        </div>
      )}
      {before.length > 0 && (
        <ul className="mt-2 border-t border-line pt-1.5">
          {before.slice(0, 3).map((each) => (
            <li
              key={`${each.at}${each.desk}${each.instrument}`}
              className="flex items-center gap-2 py-0.5 text-xs"
            >
              <span className="w-18 truncate font-medium">{grid.name(each.instrument)}</span>
              <OutcomeBadge outcome={each.outcome} />
              <span className="min-w-0 flex-1 truncate text-muted" title={each.why}>
                {each.why}
              </span>
              <Time at={each.at} show="time" />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

export function BreakerPanel({ breaker }: { readonly breaker: Overview['breaker'] }) {
  return (
    <Panel
      title="Circuit breaker"
      actions={
        <Link href="/risk" className="text-xs text-soft underline">
          Risk
        </Link>
      }
    >
      {breaker === null ? (
        <p className="text-xs text-muted">This portfolio runs without one.</p>
      ) : (
        <div aria-live="assertive" aria-atomic="true">
          <div className="flex flex-wrap items-center gap-2">
            <BreakerBadge state={breaker.state} />
            {breaker.override && <Badge tone="warn">held by hand</Badge>}
            {breaker.since > 0 && (
              <span className="ml-auto text-xs text-muted">
                since <Time at={breaker.since} />
              </span>
            )}
          </div>
          <p className="mt-1 text-xs text-soft">
            {breakerLook(breaker.state).says}
            {breaker.causes.length > 0 && `: ${breaker.causes.map(words).join(', ')}`}.
          </p>
        </div>
      )}
    </Panel>
  );
}

export function DesksPanel({ desks }: { readonly desks: Overview['desks'] }) {
  const grid = useGrid();
  return (
    <Panel
      title="Desks"
      flush
      actions={
        <Link href="/desks" className="text-xs text-soft underline">
          Configure
        </Link>
      }
    >
      {desks.length === 0 && <Empty title="No desk">The configuration names none.</Empty>}
      <ul>
        {desks.map((desk) => (
          <li key={desk.name} className="border-b border-line px-3 py-2 last:border-0">
            <div className="flex items-center gap-2">
              <strong className="font-semibold">{desk.name}</strong>
              {desk.running ? (
                <Badge icon="play">entries allowed</Badge>
              ) : (
                <Badge tone="warn" icon="pause">
                  entries stopped
                </Badge>
              )}
              <span className="ml-auto text-xs text-muted">{desk.openPositions} open</span>
            </div>
            <ul className="mt-1.5 grid grid-cols-2 gap-x-4 text-xs sm:grid-cols-3 lg:grid-cols-2">
              {desk.instruments.slice(0, 12).map((each) => (
                <li key={each.id} className="flex gap-2 py-px" title={`${each.bars} bars`}>
                  <Link
                    href={`/market?instrument=${encodeURIComponent(each.id)}`}
                    className="truncate underline decoration-line underline-offset-2"
                  >
                    {grid.name(each.id)}
                  </Link>
                  <span className="ml-auto text-soft">{grid.price(each.id, each.price)}</span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Plans that wait for the word of a person. */
export function Reviews({ reviews }: { readonly reviews: Overview['reviews'] }) {
  const may = useMay('trader');
  if (reviews.length === 0) return null;
  const answer = (id: string, verdict: 'allow' | 'refuse') =>
    perform({
      route: 'answerReview',
      params: { id },
      body: { verdict, share: 1 },
      title: verdict === 'allow' ? 'Allow this plan' : 'Refuse this plan',
      says:
        verdict === 'allow'
          ? 'The plan goes on to its limits and orders as it is.'
          : 'The plan is dropped; nothing is ordered.',
      verb: verdict === 'allow' ? 'Allow' : 'Refuse',
      done: 'Your answer is given',
      makesOld: ['overview', 'decisions'],
    });
  return (
    <Panel title="Waiting for you" flush>
      <ul>
        {reviews.map((review) => (
          <li
            key={review.questionId}
            className="flex flex-wrap items-center gap-3 border-b border-line px-3 py-2 last:border-0"
          >
            <Badge tone="warn" icon="clock">
              review
            </Badge>
            <span className="text-sm">
              A plan of <strong>{review.desk}</strong>{' '}
              <span className="font-mono text-xs text-muted">{review.planId}</span>
            </span>
            <span className="text-xs text-muted">
              asked for until <Time at={review.expiresAt} show="time" /> UTC
            </span>
            <span className="ml-auto flex gap-2">
              <Button small disabled={!may} onClick={() => void answer(review.questionId, 'refuse')}>
                Refuse
              </Button>
              <Button
                small
                look="primary"
                disabled={!may}
                onClick={() => void answer(review.questionId, 'allow')}
              >
                Allow
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
