import { useState } from 'react';
import { addressOf } from '../../api/client.ts';
import { useMay } from '../../api/session.ts';
import { PlainView } from '../../forms/plain-view.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { percent, span, words } from '../../ui/format.ts';
import { Icon } from '../../ui/icon.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Loaded } from '../../ui/state.tsx';
import { Time, useNow } from '../../ui/time.tsx';
import { JobResult } from './job-result.tsx';
import { cancelJob, isOver, type Job, STATE_TONE, startJob, useJob } from './jobs.ts';

/** How far a job is, what it found and what can be done with it. */
export function JobPanel({
  id,
  onStarted,
}: {
  readonly id: string;
  readonly onStarted?: (id: string) => void;
}) {
  const job = useJob(id);
  return (
    <Loaded of={job} what="Reading the job">
      {(data) => <JobView job={data} onStarted={onStarted} />}
    </Loaded>
  );
}

function JobView({ job, onStarted }: { readonly job: Job; readonly onStarted?: (id: string) => void }) {
  const trader = useMay('trader');
  const [framed, setFramed] = useState(false);
  const report = addressOf('jobReport', { params: { id: job.id } });
  const follow = async (request: Parameters<typeof startJob>[0]) => {
    const started = await startJob(request);
    if (started !== null) onStarted?.(started.id);
  };
  const studied = job.state === 'done' && job.kind === 'backtest' && onStarted !== undefined;
  return (
    <Panel
      title={`${words(job.kind)} ${job.id.slice(0, 8)}`}
      note={<Badge tone={STATE_TONE[job.state]}>{job.state}</Badge>}
      actions={
        <>
          {job.hasReport && (
            <>
              <a
                href={report}
                target="_blank"
                rel="noreferrer"
                className="inline-flex min-h-7 items-center gap-1.5 rounded border border-line-strong px-2 text-xs font-medium hover:bg-hover"
              >
                <Icon name="link" size={14} />
                Open report
              </a>
              <Button small aria-expanded={framed} onClick={() => setFramed(!framed)}>
                {framed ? 'Hide report' : 'Report here'}
              </Button>
            </>
          )}
          {studied && (
            <Button small disabled={!trader} onClick={() => void follow({ kind: 'worth', job: job.id })}>
              What is each part worth?
            </Button>
          )}
          {!isOver(job) && (
            <Button small icon="close" disabled={!trader} onClick={() => void cancelJob(job.id)}>
              Cancel
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Progress job={job} />
        {job.error !== null && (
          <div role="alert" className="rounded border border-danger bg-danger-soft px-3 py-2">
            <p className="text-sm font-medium text-ink">{job.error}</p>
            <p className="text-xs text-soft">Change what it was asked for and start it again.</p>
          </div>
        )}
        {framed && (
          <iframe
            title={`Report of ${job.kind} ${job.id}`}
            src={report}
            sandbox="allow-scripts"
            referrerPolicy="no-referrer"
            className="h-[36rem] w-full rounded border border-line bg-white"
          />
        )}
        <JobResult job={job} />
        <details>
          <summary className="text-xs text-muted">What was asked for</summary>
          <div className="mt-2">
            <PlainView value={job.request} />
          </div>
        </details>
      </div>
    </Panel>
  );
}

export function Progress({ job }: { readonly job: Job }) {
  const now = useNow();
  const end = job.endedAt ?? now;
  return (
    <div>
      {!isOver(job) && (
        <div
          role="progressbar"
          aria-label={`Progress of ${job.kind}`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={job.progress === null ? undefined : Math.round(job.progress * 100)}
          className="mb-1.5 h-2 overflow-hidden rounded bg-raised"
        >
          <div
            className={`h-full bg-gain ${job.progress === null ? 'w-1/3 animate-pulse' : ''}`}
            style={job.progress === null ? undefined : { width: `${job.progress * 100}%` }}
          />
        </div>
      )}
      <p className="text-xs text-muted">
        {job.state === 'running' && job.progress !== null && `${percent(job.progress, 0)} · `}
        {job.says} · by {job.by} · <Time at={job.createdAt} /> UTC
        {job.startedAt !== null && ` · ${span(end - job.startedAt)}`}
      </p>
    </div>
  );
}
