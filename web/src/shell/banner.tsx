import { live, useLiveState } from '../api/live.ts';
import { Button } from '../ui/button.tsx';
import { span } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { useNow } from '../ui/time.tsx';
import { useStanding } from './standing.ts';

/** Says when what is on the screen is not the newest, and when nobody trades. */
export function Banner() {
  const { state, heardAt, retryAt } = useLiveState();
  const now = useNow();
  const { portfolio } = useStanding();
  if (state === 'lost') {
    const age =
      heardAt === null
        ? ''
        : ` What you see is ${span(1000 * Math.ceil(Math.max(1, now - heardAt) / 1000))} old.`;
    const wait = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1000);
    return (
      <div
        role="alert"
        className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-warn-soft px-3 py-1.5 text-sm text-ink"
      >
        <Icon name="warning" className="text-warn" />
        <p>
          <strong>Connection lost, retrying{wait > 0 ? ` in ${wait} s` : ''}.</strong>
          {age}
        </p>
        <Button small className="ml-auto" icon="refresh" onClick={() => live.hurry()}>
          Try now
        </Button>
      </div>
    );
  }
  if (portfolio !== null && !portfolio.running)
    return (
      <div
        role="status"
        className="flex items-center gap-3 border-b border-line bg-raised px-3 py-1.5 text-sm text-soft"
      >
        <Icon name="info" />
        <p>
          No loop runs for <strong className="text-ink">{portfolio.name}</strong>: what you see is from its
          journal. Start it with <code className="font-mono text-ink">quorum start</code>.
        </p>
      </div>
    );
  return null;
}
