import type { ResponseOf } from '@contract';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useAsk, usePages, usePortfolio } from '../../api/queries.ts';
import { useMay } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice, Field } from '../../ui/field.tsx';
import { bytes, decimal, words } from '../../ui/format.ts';
import { Metric, Metrics, PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { PagedTable } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { JobPanel } from '../research/job-panel.tsx';
import { startJob } from '../research/jobs.ts';

type Entry = ResponseOf<'journal'>['items'][number];
type Kind = 'header' | 'event' | 'command' | 'note';

const KINDS: readonly Kind[] = ['event', 'command', 'note', 'header'];
const TYPING_MS = 350;
const PAGE = 100;

export default function JournalPage() {
  const portfolio = usePortfolio();
  const trader = useMay('trader');
  const [search, setSearch] = useSearchParams();
  const job = search.get('job');
  const start = async (kind: 'verify' | 'replay') => {
    if (portfolio === null) return;
    const started = await startJob({ kind, portfolio });
    if (started !== null) setSearch({ job: started.id });
  };
  const why = trader ? undefined : 'Needs the role of a trader';
  return (
    <>
      <PageHead
        title="Journal"
        says="Every event and every command, in order and chained by hash: the truth that everything else is made from."
        actions={
          <>
            <Button
              icon="lock"
              disabled={!trader || portfolio === null}
              title={why}
              onClick={() => void start('verify')}
            >
              Verify the chain
            </Button>
            <Button
              icon="refresh"
              disabled={!trader || portfolio === null}
              title={why}
              onClick={() => void start('replay')}
            >
              Replay
            </Button>
          </>
        }
      />
      <div className="flex flex-col gap-3">
        <Head />
        {job !== null && (
          <div className="flex flex-col gap-1">
            <JobPanel key={job} id={job} />
            <p className="text-xs text-muted">
              <Button small look="quiet" icon="close" onClick={() => setSearch({})}>
                Put this away
              </Button>{' '}
              Replay decides everything again from the journal and compares every command; it does not touch
              what runs.
            </p>
          </div>
        )}
        <Entries key={portfolio} />
      </div>
    </>
  );
}

function Head() {
  const head = useAsk('journalHead', {}, { every: 5_000 });
  return (
    <Loaded of={head} what="Reading the head">
      {(data) => (
        <Metrics>
          <Metric name="Entries" value={decimal(data.entries, 0)} />
          <Metric name="Size" value={bytes(data.bytes)} />
          <Metric
            name="Hash of the end"
            value={
              <code className="font-mono text-sm">
                {data.hash === '' ? '–' : `${data.hash.slice(0, 12)}…`}
              </code>
            }
            title={data.hash}
            note={
              data.hash !== '' && (
                <button
                  type="button"
                  className="underline"
                  onClick={() => void navigator.clipboard?.writeText(data.hash).catch(() => undefined)}
                >
                  Copy the whole hash
                </button>
              )
            }
          />
          <Metric
            name="Run"
            value={<code className="font-mono text-sm">{data.run.slice(0, 12)}</code>}
            title={data.run}
          />
        </Metrics>
      )}
    </Loaded>
  );
}

function Entries() {
  const [kind, setKind] = useState<Kind | ''>('');
  const [text, setText] = useState('');
  const [before, setBefore] = useState('');
  const [asked, setAsked] = useState({ text: '', before: '' });
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ text: text.trim(), before: before.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, before]);
  const position = /^\d+$/.test(asked.before) ? Number(asked.before) : undefined;
  const entries = usePages('journal', {
    query: {
      limit: PAGE,
      ...(kind === '' ? {} : { kind }),
      ...(asked.text === '' ? {} : { search: asked.text }),
      ...(position === undefined ? {} : { before: position }),
    },
  });
  const filtered = kind !== '' || asked.text !== '' || position !== undefined;
  return (
    <Panel
      title="Entries"
      note="newest first"
      flush
      actions={
        <Button small icon="refresh" onClick={entries.again}>
          Newest
        </Button>
      }
    >
      <div className="grid gap-2 border-b border-line p-3 sm:grid-cols-[minmax(0,1fr)_10rem_10rem]">
        <Field
          label="Search in entries"
          data-filter
          value={text}
          maxLength={200}
          placeholder="a word, an order, an instrument"
          onChange={(event) => setText(event.target.value)}
        />
        <Choice label="Kind" value={kind} onChange={(event) => setKind(event.target.value as Kind | '')}>
          <option value="">Every kind</option>
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {words(each)}
            </option>
          ))}
        </Choice>
        <Field
          label="Before position"
          inputMode="numeric"
          value={before}
          error={before.trim() !== '' && !/^\d+$/.test(before.trim()) ? 'a whole number' : undefined}
          onChange={(event) => setBefore(event.target.value)}
        />
      </div>
      <PagedTable<Entry>
        label="Entries of the journal"
        of={entries}
        keyOf={(entry) => String(entry.position)}
        tall="max-h-[70dvh]"
        empty={
          entries.more ? (
            <Empty
              title="Nothing found so far"
              icon="search"
              action={
                <Button small busy={entries.loadingMore} onClick={entries.loadMore}>
                  Search further back
                </Button>
              }
            >
              The newest entries were searched; older ones are left.
            </Empty>
          ) : (
            <Empty title={filtered ? 'No entry is like that' : 'The journal is empty'} icon="journal">
              {filtered
                ? 'Search for less, or for another kind.'
                : 'It begins when a portfolio is started: quorum start.'}
            </Empty>
          )
        }
        columns={[
          {
            head: 'Position',
            right: true,
            cell: (entry) => <span className="font-mono">{entry.position}</span>,
          },
          { head: 'Loop time (UTC)', from: 'sm', cell: (entry) => <Time at={entry.at} /> },
          {
            head: 'Kind',
            cell: (entry) => <Badge tone={entry.kind === 'command' ? 'gain' : 'plain'}>{entry.kind}</Badge>,
          },
          {
            head: 'What',
            cell: (entry) => (
              <>
                {entry.name}
                <div className="max-w-[60vw] whitespace-normal text-soft sm:hidden">
                  <EntryText text={entry.text} />
                </div>
              </>
            ),
          },
          { head: 'Text', wrap: true, from: 'sm', cell: (entry) => <EntryText text={entry.text} /> },
        ]}
      />
    </Panel>
  );
}

const SHORT = 120;

function EntryText({ text }: { readonly text: string }) {
  if (text.length <= SHORT) return <code className="font-mono text-xs break-all">{text}</code>;
  return (
    <details>
      <summary className="font-mono text-xs break-all">{text.slice(0, SHORT)}…</summary>
      <pre className="thin-scroll mt-1 max-h-80 overflow-auto rounded border border-line bg-bg p-2 font-mono text-xs whitespace-pre-wrap">
        {pretty(text)}
      </pre>
    </details>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
