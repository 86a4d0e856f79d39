import type { ResponseOf } from '@contract';
import { call } from '../../api/client.ts';
import { refresh, useAsk } from '../../api/queries.ts';
import { logOut } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago, Time } from '../../ui/time.tsx';
import { tell, tellError } from '../../ui/toast.tsx';

type Session = ResponseOf<'ownSessions'>['items'][number];

/** Where one is logged in. */
export function Sessions() {
  const sessions = useAsk('ownSessions', {});
  const end = async (session: Session) => {
    try {
      if (session.current) return await logOut();
      await call('revokeSession', { params: { id: session.id } });
      tell('That session has ended');
      refresh('ownSessions');
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <Panel title="Where you are logged in" flush>
      <Loaded of={sessions} what="Reading sessions">
        {({ items }) => (
          <Table<Session>
            label="Sessions"
            rows={items}
            keyOf={(session) => session.id}
            empty={<Empty title="You are logged in nowhere else" />}
            columns={[
              {
                head: 'Browser',
                wrap: true,
                cell: (session) => (
                  <span title={session.agent}>
                    {browserName(session.agent)} {session.current && <Badge tone="gain">this one</Badge>}
                  </span>
                ),
              },
              { head: 'From', from: 'sm', cell: (session) => session.address },
              { head: 'Since (UTC)', from: 'md', cell: (session) => <Time at={session.createdAt} /> },
              { head: 'Last seen', cell: (session) => <Ago at={session.lastSeenAt} /> },
              {
                head: <span className="sr-only">Act</span>,
                right: true,
                cell: (session) => (
                  <Button small onClick={() => void end(session)}>
                    {session.current ? 'Log out' : 'End it'}
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** The name and system of a browser, as well as its own words tell. */
function browserName(agent: string): string {
  const name = /Firefox|Edg|OPR|Chrome|Safari|curl/.exec(agent)?.[0] ?? agent.slice(0, 40);
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(agent)?.[0];
  const shown = name === 'Edg' ? 'Edge' : name === 'OPR' ? 'Opera' : name;
  return [shown || 'Unknown', system].filter(Boolean).join(', ');
}
