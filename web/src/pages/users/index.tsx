import type { ResponseOf } from '@contract';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { refresh, useAsk, usePages } from '../../api/queries.ts';
import { useMay, useMe } from '../../api/session.ts';
import { Mishap, perform } from '../../ui/act.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Choice, Field } from '../../ui/field.tsx';
import { PageHead, Panel } from '../../ui/panel.tsx';
import { Empty, Loaded } from '../../ui/state.tsx';
import { PagedTable, Table } from '../../ui/table.tsx';
import { Ago, Time, useNow } from '../../ui/time.tsx';
import { OneTimeSecret } from './one-time-secret.tsx';

type User = ResponseOf<'users'>['items'][number];
type Role = User['role'];
type Audited = ResponseOf<'audit'>['items'][number];

const ROLES: readonly { readonly role: Role; readonly says: string }[] = [
  { role: 'viewer', says: 'sees everything but users and configuration' },
  { role: 'trader', says: 'also stops, starts, flattens, cancels and starts studies' },
  { role: 'administrator', says: 'also changes limits, configuration and users' },
];
const MAKES_OLD = ['users', 'audit'] as const;

export default function UsersPage() {
  if (!useMay('administrator'))
    return (
      <>
        <PageHead title="Users" />
        <Empty title="Only an administrator sees the users" icon="lock">
          Ask one of them for the role, or use <code>quorum users</code> on the machine.
        </Empty>
      </>
    );
  return <AllUsers />;
}

interface Handed {
  readonly name: string;
  readonly password: string;
}

function AllUsers() {
  const users = useAsk('users', {});
  const [adding, setAdding] = useState(false);
  const [handed, setHanded] = useState<Handed | null>(null);
  return (
    <>
      <PageHead
        title="Users"
        says="Who may do what. Everything they do is journaled with their name."
        actions={
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            Add a user
          </Button>
        }
      />
      <div className="flex flex-col gap-3">
        <Panel title="Users" flush>
          <Loaded of={users} what="Reading users">
            {({ items }) => <UserTable items={items} onHanded={setHanded} />}
          </Loaded>
        </Panel>
        <Audit />
      </div>
      {adding && (
        <AddUser
          onClose={() => setAdding(false)}
          onAdded={(next) => {
            setAdding(false);
            setHanded(next);
          }}
        />
      )}
      {handed !== null && (
        <OneTimeSecret
          title={`Password of ${handed.name}`}
          secret={handed.password}
          says={`Give it to ${handed.name} on a safe way. It works once: another one must be chosen at the first log in.`}
          onClose={() => setHanded(null)}
        />
      )}
    </>
  );
}

function UserTable({
  items,
  onHanded,
}: {
  readonly items: readonly User[];
  readonly onHanded: (handed: Handed) => void;
}) {
  const me = useMe();
  const now = useNow();
  const change = async (
    user: User,
    body: Record<string, unknown>,
    title: string,
    says: string,
    verb: string,
    danger = false,
  ) => {
    const answer = await perform({
      route: 'changeUser',
      params: { id: user.id },
      body,
      title,
      says,
      verb,
      danger,
      done: `${title}: done`,
      makesOld: MAKES_OLD,
    });
    if (answer?.oneTimePassword != null) onHanded({ name: user.name, password: answer.oneTimePassword });
  };
  return (
    <Table<User>
      label="Users"
      rows={items}
      keyOf={(user) => user.id}
      empty={<Empty title="There is no user" />}
      columns={[
        {
          head: 'Name',
          cell: (user) => (
            <span className="font-medium">
              {user.name} {user.id === me.id && <span className="text-xs text-muted">(you)</span>}
            </span>
          ),
        },
        {
          head: 'Role',
          cell: (user) => (
            <select
              aria-label={`Role of ${user.name}`}
              value={user.role}
              disabled={user.id === me.id}
              title={user.id === me.id ? 'Another administrator must change yours' : undefined}
              onChange={(event) => {
                const role = event.target.value as Role;
                const says = `${user.name} becomes ${role}: ${ROLES.find((each) => each.role === role)!.says}.`;
                void change(user, { role }, `Role of ${user.name}`, says, 'Change');
              }}
              className="min-h-7 rounded border border-line-strong bg-bg px-1.5 text-xs"
            >
              {ROLES.map(({ role }) => (
                <option key={role}>{role}</option>
              ))}
            </select>
          ),
        },
        {
          head: 'State',
          cell: (user) =>
            user.disabled ? (
              <Badge tone="danger">disabled</Badge>
            ) : user.lockedUntil !== null && user.lockedUntil > now ? (
              <Badge tone="warn" icon="lock">
                locked out
              </Badge>
            ) : (
              <Badge>active</Badge>
            ),
        },
        {
          head: 'Second factor',
          from: 'sm',
          cell: (user) =>
            user.totp ? (
              <Badge tone="gain" icon="check">
                on
              </Badge>
            ) : (
              <Badge tone="warn">off</Badge>
            ),
        },
        { head: 'Last seen', from: 'md', cell: (user) => <Ago at={user.lastSeenAt} /> },
        { head: 'Since (UTC)', from: 'lg', cell: (user) => <Time at={user.createdAt} show="date" /> },
        {
          head: <span className="sr-only">Act</span>,
          right: true,
          cell: (user) => {
            if (user.id === me.id)
              return <span className="hidden text-xs text-muted sm:inline">see Settings</span>;
            return (
              <span className="inline-flex flex-wrap justify-end gap-1.5">
                <Button
                  small
                  onClick={() =>
                    void change(
                      user,
                      { resetPassword: true },
                      `Reset password of ${user.name}`,
                      'The old password stops working, every session ends, and a one-time password is shown to you once.',
                      'Reset',
                    )
                  }
                >
                  Reset password
                </Button>
                {user.totp && (
                  <Button
                    small
                    onClick={() =>
                      void change(
                        user,
                        { dropTotp: true },
                        `Second factor of ${user.name}`,
                        'It is switched off: for somebody who lost the authenticator. They should enrol again at once.',
                        'Switch off',
                        true,
                      )
                    }
                  >
                    Drop second factor
                  </Button>
                )}
                <Button
                  small
                  onClick={() =>
                    void change(
                      user,
                      { disabled: !user.disabled },
                      `${user.disabled ? 'Enable' : 'Disable'} ${user.name}`,
                      user.disabled
                        ? 'They may log in again.'
                        : 'Every session and token of theirs ends at once, and they cannot log in.',
                      user.disabled ? 'Enable' : 'Disable',
                      !user.disabled,
                    )
                  }
                >
                  {user.disabled ? 'Enable' : 'Disable'}
                </Button>
                <Button
                  small
                  look="quiet"
                  icon="close"
                  aria-label={`Remove ${user.name}`}
                  title={`Remove ${user.name}`}
                  onClick={() =>
                    void perform({
                      route: 'removeUser',
                      params: { id: user.id },
                      title: `Remove ${user.name}`,
                      says: 'The account is gone; what they did stays in the journal under their name.',
                      verb: 'Remove',
                      danger: true,
                      makesOld: MAKES_OLD,
                    })
                  }
                />
              </span>
            );
          },
        },
      ]}
    />
  );
}

function AddUser({
  onClose,
  onAdded,
}: {
  readonly onClose: () => void;
  readonly onAdded: (handed: Handed) => void;
}) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused | null>(null);
  const trimmed = name.trim();
  const ready = trimmed.length >= 2 && trimmed.length <= 40 && reason.trim() !== '';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setRefused(null);
    try {
      const user = await call('createUser', { body: { name: trimmed, role, reason: reason.trim() } });
      refresh(...MAKES_OLD);
      onAdded({ name: user.name, password: user.oneTimePassword });
    } catch (error) {
      setBusy(false);
      setRefused(asRefused(error));
    }
  };
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
        <Field
          label="Name"
          hint="2 to 40 characters"
          value={name}
          maxLength={40}
          autoFocus
          onChange={(event) => setName(event.target.value)}
        />
        <Choice
          label="Role"
          hint={ROLES.find((each) => each.role === role)!.says}
          value={role}
          onChange={(event) => setRole(event.target.value as Role)}
        >
          {ROLES.map((each) => (
            <option key={each.role}>{each.role}</option>
          ))}
        </Choice>
        <Field
          label="Reason"
          hint="It is written to the journal."
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
        <Mishap error={refused} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={busy} disabled={!ready}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Who did what and why. */
function Audit() {
  const audit = usePages('audit', { query: { limit: 50 } });
  return (
    <Panel
      title="Audit"
      note="who did what and why"
      flush
      actions={
        <Button small icon="refresh" onClick={audit.again}>
          Newest
        </Button>
      }
    >
      <PagedTable<Audited>
        label="Audit"
        of={audit}
        keyOf={(entry) => entry.id}
        tall="max-h-[32rem]"
        empty={<Empty title="Nobody has done anything yet" />}
        columns={[
          { head: 'When (UTC)', cell: (entry) => <Time at={entry.at} /> },
          { head: 'Who', cell: (entry) => entry.by },
          { head: 'What', cell: (entry) => entry.what },
          { head: 'Why', wrap: true, from: 'sm', cell: (entry) => entry.reason || '–' },
          {
            head: 'Detail',
            wrap: true,
            from: 'lg',
            cell: (entry) => (entry.detail === '' || entry.detail === '{}' ? '–' : entry.detail),
          },
          { head: 'From', from: 'xl', cell: (entry) => entry.address ?? '–' },
        ]}
      />
    </Panel>
  );
}
