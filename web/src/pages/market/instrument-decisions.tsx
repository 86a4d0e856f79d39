import type { ResponseOf } from '@contract';
import { Link } from 'wouter';
import { useGrid } from '../../api/instruments.ts';
import { useAsk } from '../../api/queries.ts';
import { percent } from '../../ui/format.ts';
import { OutcomeBadge } from '../../ui/outcome.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';

type Line = ResponseOf<'decisions'>['items'][number];

/** What was thought about one instrument last, trades and non-trades alike. */
export function InstrumentDecisions({ instrument }: { readonly instrument: string }) {
  const grid = useGrid();
  const decisions = useAsk('decisions', { query: { instrument, limit: 12 } });
  return (
    <Panel
      title="Last decisions"
      flush
      actions={
        <Link
          href={`/decisions?instrument=${encodeURIComponent(instrument)}`}
          className="text-xs text-soft underline"
        >
          All of {grid.name(instrument)}
        </Link>
      }
    >
      <Loaded of={decisions} what="Reading decisions">
        {(data) => (
          <Table<Line>
            label={`Last decisions about ${instrument}`}
            rows={data.items}
            keyOf={(line) => line.id}
            empty={
              <Empty title="Nothing was decided yet" icon="decisions">
                A desk decides when a bar closes and its warm-up is complete.
              </Empty>
            }
            columns={[
              { head: 'When (UTC)', cell: (line) => <Time at={line.at} /> },
              { head: 'Desk', from: 'md', cell: (line) => line.desk },
              {
                head: 'Idea',
                cell: (line) => (
                  <Link href={`/decisions/${encodeURIComponent(line.id)}`} className="font-medium underline">
                    {line.action}
                  </Link>
                ),
              },
              { head: 'Confidence', right: true, from: 'sm', cell: (line) => percent(line.confidence, 0) },
              {
                head: 'Outcome',
                cell: (line) => <OutcomeBadge outcome={line.outcome} />,
              },
              { head: 'Why', wrap: true, from: 'md', cell: (line) => line.reason ?? '–' },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}
