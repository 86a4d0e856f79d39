import type { ResponseOf } from '@contract';
import { useLocation } from 'wouter';
import { useAsk } from '../../api/queries.ts';
import { Badge } from '../../ui/badge.tsx';
import { span } from '../../ui/format.ts';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago, Time, useNow } from '../../ui/time.tsx';
import { JobList } from '../research/job-list.tsx';

type Due = ResponseOf<'schedule'>['items'][number];

export function Schedule() {
  const schedule = useAsk('schedule', {}, { every: 30_000 });
  const [, go] = useLocation();
  const now = useNow();
  return (
    <>
      <Panel title="What is due and when" flush>
        <Loaded of={schedule} what="Reading the schedule">
          {({ items }) => (
            <Table<Due>
              label="Schedule"
              rows={items}
              keyOf={(item) => item.name}
              empty={<Empty title="Nothing is due" icon="clock" />}
              columns={[
                { head: 'What', cell: (item) => item.name },
                {
                  head: 'When (cron, UTC)',
                  from: 'sm',
                  cell: (item) => <code className="font-mono text-xs">{item.when}</code>,
                },
                {
                  head: 'Next (UTC)',
                  cell: (item) => (
                    <>
                      <Time at={item.nextAt} />
                      {item.nextAt !== null && (
                        <span className="text-xs text-muted"> in {span(item.nextAt - now)}</span>
                      )}
                    </>
                  ),
                },
                { head: 'Last', from: 'sm', cell: (item) => <Ago at={item.lastAt} /> },
                {
                  head: 'Came to',
                  wrap: true,
                  cell: (item) =>
                    item.lastError !== null ? (
                      <span className="text-danger">{item.lastError}</span>
                    ) : item.lastAt === null ? (
                      <span className="text-muted">not run yet</span>
                    ) : (
                      <Badge tone="gain">done</Badge>
                    ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <JobList chosen={null} onChoose={(id) => go(`/research?tab=jobs&job=${encodeURIComponent(id)}`)} />
    </>
  );
}
