import { usePages } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { percent, words } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { Empty } from '../../ui/state.tsx';
import { PagedTable } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { cancelJob, isOver, type Job, STATE_TONE } from './jobs.ts';

/** Everything that was started in the background, newest first. */
export function JobList({
  chosen,
  onChoose,
}: {
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
}) {
  const trader = useMay('trader');
  const jobs = usePages('jobs', { query: { limit: 50 } }, { every: 5_000 });
  return (
    <Panel title="Work in the background" flush>
      <PagedTable<Job>
        label="Jobs"
        of={jobs}
        keyOf={(job) => job.id}
        tall="max-h-96"
        empty={
          <Empty title="Nothing was started yet" icon="research">
            Start a backtest, a sweep or a walk-forward with the button above.
          </Empty>
        }
        columns={[
          {
            head: 'Job',
            cell: (job) => (
              <button
                type="button"
                aria-pressed={job.id === chosen}
                onClick={() => onChoose(job.id)}
                className={`underline ${job.id === chosen ? 'font-semibold' : ''}`}
              >
                {words(job.kind)} {job.id.slice(0, 8)}
              </button>
            ),
          },
          {
            head: 'State',
            cell: (job) => (
              <Badge tone={STATE_TONE[job.state]}>
                {job.state}
                {job.state === 'running' && job.progress !== null && ` ${percent(job.progress, 0)}`}
              </Badge>
            ),
          },
          {
            head: 'Desk',
            from: 'md',
            cell: (job) => (typeof job.request.desk === 'string' ? job.request.desk : '–'),
          },
          { head: 'Says', wrap: true, from: 'md', cell: (job) => job.error ?? job.says },
          { head: 'By', from: 'lg', cell: (job) => job.by },
          { head: 'Asked (UTC)', from: 'sm', cell: (job) => <Time at={job.createdAt} /> },
          {
            head: <span className="sr-only">Act</span>,
            right: true,
            cell: (job) =>
              !isOver(job) && (
                <Button small disabled={!trader} onClick={() => void cancelJob(job.id)}>
                  Cancel
                </Button>
              ),
          },
        ]}
      />
    </Panel>
  );
}
