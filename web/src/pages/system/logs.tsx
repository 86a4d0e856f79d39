import type { RequestOf } from '@contract';
import { useEffect, useState } from 'react';
import { usePages } from '../../api/queries.ts';
import { Button } from '../../ui/button.tsx';
import { Choice, Field } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';
import { ScrollBox } from '../../ui/scroll-box.tsx';
import { Empty, Failed, Loading } from '../../ui/state.tsx';

type Name = NonNullable<RequestOf<'logs'>['query']['name']>;

const LOGS: readonly { readonly name: Name; readonly says: string }[] = [
  { name: 'program', says: 'Program' },
  { name: 'server', says: 'Server of the console' },
  { name: 'ai_trading_log', says: 'Trading decisions' },
  { name: 'safety_violations', says: 'Safety violations' },
  { name: 'execution_failures', says: 'Failures of execution' },
  { name: 'pnl_tracking', says: 'Profit and loss' },
];
const TYPING_MS = 350;

/** Lines of the logs, newest first. The server takes secrets out of them. */
export function Logs() {
  const [name, setName] = useState<Name>('program');
  const [text, setText] = useState('');
  const [search, setSearch] = useState('');
  const [follow, setFollow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSearch(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const lines = usePages(
    'logs',
    { query: { limit: 200, name, ...(search === '' ? {} : { search }) } },
    follow ? { every: 3_000, keepOld: true } : { keepOld: true },
  );
  return (
    <Panel
      title="Logs"
      note="newest first, secrets taken out"
      flush
      actions={
        <>
          <Button
            small
            aria-pressed={follow}
            icon={follow ? 'pause' : 'play'}
            onClick={() => setFollow(!follow)}
          >
            {follow ? 'Following' : 'Follow'}
          </Button>
          <Button small icon="refresh" onClick={lines.again}>
            Newest
          </Button>
        </>
      }
    >
      <div className="grid gap-2 border-b border-line p-3 sm:grid-cols-[14rem_minmax(0,1fr)]">
        <Choice label="Log" value={name} onChange={(event) => setName(event.target.value as Name)}>
          {LOGS.map((log) => (
            <option key={log.name} value={log.name}>
              {log.says}
            </option>
          ))}
        </Choice>
        <Field
          label="Search in lines"
          data-filter
          value={text}
          maxLength={200}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      {lines.error !== null ? (
        <Failed error={lines.error} again={lines.again} />
      ) : lines.loading ? (
        <Loading what="Reading the log" />
      ) : lines.items.length === 0 && !lines.more ? (
        <Empty title={search === '' ? 'This log is empty' : 'No line has that in it'} icon="journal">
          {search === ''
            ? 'It is written when something happens that belongs here.'
            : 'Search for less, or in another log.'}
        </Empty>
      ) : (
        <ScrollBox label="Lines of the log" className="max-h-[70dvh]">
          <ol className="min-w-full font-mono text-xs">
            {lines.items.map((line, i) => (
              <li
                key={i}
                className={`border-b border-line px-3 py-1 break-all whitespace-pre-wrap ${toneOf(line.text)}`}
              >
                {line.text}
              </li>
            ))}
          </ol>
          {lines.more && (
            <div className="flex justify-center p-2">
              <Button small busy={lines.loadingMore} onClick={lines.loadMore}>
                {lines.items.length === 0 ? 'Search further back' : 'Older'}
              </Button>
            </div>
          )}
        </ScrollBox>
      )}
    </Panel>
  );
}

function toneOf(text: string): string {
  if (/"level":(50|60)|\b(ERROR|FATAL)\b|\berror:/i.test(text)) return 'text-danger';
  if (/"level":40|\bWARN(ING)?\b/i.test(text)) return 'text-warn';
  return 'text-soft';
}
