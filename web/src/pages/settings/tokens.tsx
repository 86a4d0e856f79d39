import type { ResponseOf } from '@contract';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { refresh, useAsk } from '../../api/queries.ts';
import { useMe } from '../../api/session.ts';
import { Mishap } from '../../ui/act.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Choice, Field } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { Ago, Time, useNow } from '../../ui/time.tsx';
import { tell, tellError } from '../../ui/toast.tsx';
import { OneTimeSecret } from '../users/one-time-secret.tsx';

type Token = ResponseOf<'tokens'>['items'][number];
type Scope = Token['scopes'][number];

const SCOPES: readonly { readonly scope: Scope; readonly says: string }[] = [
  { scope: 'read', says: 'see everything that you see' },
  { scope: 'trade', says: 'stop, start, flatten, cancel' },
  { scope: 'admin', says: 'limits, configuration, users' },
];
const ALLOWED: Readonly<Record<string, readonly Scope[]>> = {
  viewer: ['read'],
  trader: ['read', 'trade'],
  administrator: ['read', 'trade', 'admin'],
};

/** What programs may do in one's own name. */
export function Tokens() {
  const tokens = useAsk('tokens', {});
  const now = useNow();
  const revoke = async (token: Token) => {
    try {
      await call('revokeToken', { params: { id: token.id } });
      tell(`Token ${token.name} has ended`);
      refresh('tokens');
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <>
      <NewToken />
      <Panel title="Your API tokens" flush>
        <Loaded of={tokens} what="Reading tokens">
          {({ items }) => (
            <Table<Token>
              label="API tokens"
              rows={items}
              keyOf={(token) => token.id}
              empty={
                <Empty title="No program acts in your name" icon="lock">
                  Make a token above and send it as Authorization: Bearer.
                </Empty>
              }
              columns={[
                { head: 'Name', cell: (token) => token.name },
                {
                  head: 'May',
                  cell: (token) => (
                    <span className="inline-flex gap-1">
                      {token.scopes.map((scope) => (
                        <Badge key={scope} tone={scope === 'read' ? 'plain' : 'warn'}>
                          {scope}
                        </Badge>
                      ))}
                    </span>
                  ),
                },
                { head: 'Last used', from: 'sm', cell: (token) => <Ago at={token.lastUsedAt} /> },
                {
                  head: 'Ends (UTC)',
                  cell: (token) =>
                    token.expiresAt < now ? (
                      <Badge tone="danger">ended</Badge>
                    ) : (
                      <Time at={token.expiresAt} show="date" />
                    ),
                },
                {
                  head: 'Made (UTC)',
                  from: 'md',
                  cell: (token) => <Time at={token.createdAt} show="date" />,
                },
                {
                  head: <span className="sr-only">Act</span>,
                  right: true,
                  cell: (token) => (
                    <Button small onClick={() => void revoke(token)}>
                      End it
                    </Button>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
    </>
  );
}

function NewToken() {
  const { role } = useMe();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read']);
  const [days, setDays] = useState('90');
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      const made = await call('createToken', {
        body: { name: name.trim(), scopes: [...scopes], days: Number(days) },
      });
      setSecret(made.token);
      setName('');
      refresh('tokens');
    } catch (error) {
      setRefused(asRefused(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="New token">
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
        <div className="grid items-start gap-3 sm:grid-cols-[minmax(0,1fr)_10rem]">
          <Field
            label="Name"
            placeholder="what it is for"
            value={name}
            maxLength={60}
            onChange={(event) => setName(event.target.value)}
          />
          <Choice label="Ends after" value={days} onChange={(event) => setDays(event.target.value)}>
            {[7, 30, 90, 180, 366].map((each) => (
              <option key={each} value={each}>
                {each} days
              </option>
            ))}
          </Choice>
        </div>
        <fieldset className="flex flex-col gap-1.5">
          <legend className="mb-1 text-xs font-medium text-soft">It may</legend>
          {SCOPES.map(({ scope, says }) => {
            const allowed = ALLOWED[role]!.includes(scope);
            return (
              <label
                key={scope}
                className={`inline-flex items-center gap-2 text-sm ${allowed ? '' : 'text-muted'}`}
              >
                <input
                  type="checkbox"
                  className="size-4 accent-(--gain)"
                  disabled={!allowed}
                  checked={scopes.includes(scope)}
                  onChange={(event) =>
                    setScopes(
                      event.target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope),
                    )
                  }
                />
                <span>
                  <strong className="font-medium">{scope}</strong>: {says}
                  {!allowed && ' (your role does not)'}
                </span>
              </label>
            );
          })}
        </fieldset>
        <Mishap error={refused} />
        <Button
          type="submit"
          look="primary"
          icon="plus"
          className="self-start"
          busy={busy}
          disabled={name.trim() === '' || scopes.length === 0}
        >
          Make a token
        </Button>
      </form>
      {secret !== null && (
        <OneTimeSecret
          title="New API token"
          secret={secret}
          says="Programs send it as: Authorization: Bearer TOKEN. Only its hash is kept here."
          onClose={() => setSecret(null)}
        />
      )}
    </Panel>
  );
}
