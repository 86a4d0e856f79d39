import type { ResponseOf } from '@contract';
import { useEffect, useState } from 'react';
import { useLiveState } from '../../api/live.ts';
import { useAsk } from '../../api/queries.ts';
import { LinePlot } from '../../chart/line-plot.tsx';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { decimal, span, words } from '../../ui/format.ts';
import { Metric, Metrics, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago, Time, useNow } from '../../ui/time.tsx';
import { Latency } from './latency.tsx';

export type SystemAnswer = ResponseOf<'system'>;

const EVERY_MS = 3_000;
/** Half an hour of answers. */
const KEPT_MOST = 600;

export function Standing() {
  const system = useAsk('system', {}, { every: EVERY_MS });
  const memory = useMemory(system.data, system.dataUpdatedAt);
  return (
    <Loaded of={system} what="Asking the program">
      {(data) => (
        <>
          <Programs data={data} />
          <div className="grid gap-3 xl:grid-cols-2">
            <Panel title="Feeds" flush>
              <Feeds data={data} />
            </Panel>
            <Panel title="Queues" flush>
              <Queues data={data} />
            </Panel>
            <Panel title="Latency of the loop" note="by stage; half of all steps, 99 of 100, and the slowest">
              <Latency stages={data.latency} />
            </Panel>
            <Panel title="Memory" note="since this page was opened">
              {memory.times.length < 2 ? (
                <p className="text-xs text-muted">The line begins with the second answer.</p>
              ) : (
                <LinePlot
                  label="Memory of the processes"
                  within={[0]}
                  format={(value) => `${decimal(value, 0)} MiB`}
                  lines={[
                    { name: 'server', times: memory.times, values: memory.server, ink: 'text-gain' },
                    ...(memory.loop.length === 0
                      ? []
                      : [
                          {
                            name: 'loop',
                            times: memory.loopTimes,
                            values: memory.loop,
                            ink: 'text-loss',
                            dashed: true,
                          },
                        ]),
                  ]}
                />
              )}
            </Panel>
            <LiveLine />
          </div>
        </>
      )}
    </Loaded>
  );
}

interface Memory {
  readonly times: readonly number[];
  readonly server: readonly number[];
  readonly loopTimes: readonly number[];
  readonly loop: readonly number[];
}

function useMemory(data: SystemAnswer | undefined, at: number): Memory {
  const [memory, setMemory] = useState<Memory>({ times: [], server: [], loopTimes: [], loop: [] });
  useEffect(() => {
    if (data === undefined) return;
    setMemory((old) => {
      if (old.times.at(-1) === at) return old;
      const keep = <T,>(list: readonly T[], next: T) => [...list.slice(1 - KEPT_MOST), next];
      const grown = { ...old, times: keep(old.times, at), server: keep(old.server, data.server.rssMiB) };
      if (data.loop === null) return grown;
      return { ...grown, loopTimes: keep(old.loopTimes, at), loop: keep(old.loop, data.loop.rssMiB) };
    });
  }, [data, at]);
  return memory;
}

function Programs({ data: { server, loop, jobs } }: { readonly data: SystemAnswer }) {
  const now = useNow();
  return (
    <Metrics>
      <Metric name="Version" value={server.version} note={`Node ${server.node}`} />
      <Metric
        name="Server runs"
        value={span(now - server.startedAt)}
        note={`process ${server.pid}, ${server.clients} live clients`}
      />
      <Metric
        name="Memory of the server"
        value={`${decimal(server.rssMiB, 0)} MiB`}
        note={`event loop late by ${decimal(server.lagMsP99, 1)} ms (p99)`}
      />
      {loop === null ? (
        <Metric name="Loop" value={<Badge tone="danger">not running</Badge>} note="start it: quorum start" />
      ) : (
        <>
          <Metric
            name="Memory of the loop"
            value={`${decimal(loop.rssMiB, 0)} MiB`}
            note={`process ${loop.pid}${loop.heapMiB === null ? '' : `, heap ${decimal(loop.heapMiB, 0)} MiB`}`}
          />
          <Metric
            name="Last step of the loop"
            value={loop.stepAt === null ? '–' : <Ago at={loop.stepAt} />}
            note={
              loop.lagMsP99 === null ? undefined : `event loop late by ${decimal(loop.lagMsP99, 1)} ms (p99)`
            }
          />
        </>
      )}
      <Metric
        name="Jobs of 24 hours"
        value={`${jobs.done} done`}
        note={`${jobs.running} running, ${jobs.failed} failed, ${jobs.cancelled} cancelled`}
      />
    </Metrics>
  );
}

function feedTone(status: string): Tone {
  if (/^(live|ok|open|connected)/i.test(status)) return 'gain';
  if (/(stale|waiting|connecting|starting|late)/i.test(status)) return 'warn';
  return /(lost|down|closed|broken|fail|error)/i.test(status) ? 'danger' : 'plain';
}

function Feeds({ data }: { readonly data: SystemAnswer }) {
  return (
    <Table<SystemAnswer['feeds'][number]>
      label="Feeds"
      rows={data.feeds}
      keyOf={(feed) => feed.name}
      empty={<Empty title="No feed">The loop does not answer. Start it: quorum start.</Empty>}
      columns={[
        { head: 'Feed', cell: (feed) => feed.name },
        { head: 'State', cell: (feed) => <Badge tone={feedTone(feed.status)}>{feed.status}</Badge> },
        {
          head: 'Newest event',
          right: true,
          cell: (feed) => (feed.ageMs === null ? '–' : `${span(feed.ageMs)} ago`),
        },
      ]}
    />
  );
}

function Queues({ data }: { readonly data: SystemAnswer }) {
  return (
    <Table<SystemAnswer['queues'][number]>
      label="Queues"
      rows={data.queues}
      keyOf={(queue) => queue.name}
      empty={<Empty title="No queue" />}
      columns={[
        { head: 'Queue', cell: (queue) => words(queue.name) },
        { head: 'Waiting', right: true, cell: (queue) => decimal(queue.depth, 0) },
        {
          head: 'Error',
          wrap: true,
          cell: (queue) =>
            queue.error === null ? (
              <span className="text-muted">none</span>
            ) : (
              <span className="text-danger">{queue.error}</span>
            ),
        },
      ]}
    />
  );
}

/** What this browser knows of its own line to the server. */
function LiveLine() {
  const live = useLiveState();
  return (
    <Panel
      title="Live line of this browser"
      note={<Badge tone={live.state === 'open' ? 'gain' : 'warn'}>{live.state}</Badge>}
    >
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-sm sm:grid-cols-4">
        {(
          [
            ['Received', decimal(live.received, 0)],
            ['Gaps', decimal(live.gaps, 0)],
            ['Seen twice', decimal(live.duplicates, 0)],
            ['Connected again', decimal(live.reconnects, 0)],
            ['Begun anew', decimal(live.resets, 0)],
            ['Journal position', live.seq === null ? '–' : decimal(live.seq, 0)],
          ] as const
        ).map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt className="text-xs text-muted">Last heard (UTC)</dt>
          <dd>
            <Time at={live.heardAt} show="time" />
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
