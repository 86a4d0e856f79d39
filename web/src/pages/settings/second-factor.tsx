import type { ResponseOf } from '@contract';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { enter, lookForSession, useMe } from '../../api/session.ts';
import { Mishap } from '../../ui/act.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';
import { tell } from '../../ui/toast.tsx';
import { OneTimeSecret } from '../users/one-time-secret.tsx';

type Enrolment = ResponseOf<'enrolTotp'>;

/** Switches a second factor on (password, picture, first code, recovery codes) and off. */
export function SecondFactor() {
  const me = useMe();
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  return (
    <Panel
      title="Second factor"
      note={
        me.totp ? (
          <Badge tone="gain" icon="check">
            on
          </Badge>
        ) : (
          <Badge tone="warn">off</Badge>
        )
      }
    >
      {me.totp ? (
        <Drop />
      ) : enrolment === null ? (
        <Begin onBegun={setEnrolment} />
      ) : (
        <Confirm
          enrolment={enrolment}
          onCancel={() => setEnrolment(null)}
          onConfirmed={(found) => {
            setEnrolment(null);
            setCodes(found);
          }}
        />
      )}
      {codes !== null && (
        <OneTimeSecret
          title="Recovery codes"
          secret={codes.join('\n')}
          says="Each of them logs you in once without your authenticator. Keep them where you keep other keys."
          onClose={() => {
            setCodes(null);
            void lookForSession().catch(() => undefined);
          }}
        />
      )}
    </Panel>
  );
}

/** A form that sends something and says why it was refused. */
function useSend(): {
  readonly busy: boolean;
  readonly refused: Refused | null;
  readonly send: (work: () => Promise<void>) => (event: FormEvent) => void;
} {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused | null>(null);
  const send = (work: () => Promise<void>) => (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    work()
      .catch((error) => setRefused(asRefused(error)))
      .finally(() => setBusy(false));
  };
  return { busy, refused, send };
}

function Begin({ onBegun }: { readonly onBegun: (enrolment: Enrolment) => void }) {
  const [password, setPassword] = useState('');
  const { busy, refused, send } = useSend();
  return (
    <form
      onSubmit={send(async () => onBegun(await call('enrolTotp', { body: { password } })))}
      className="flex flex-col gap-3"
    >
      <p className="text-sm text-soft">
        A code from an authenticator on your phone, beside the password. Whoever steals the password alone
        cannot log in.
      </p>
      <Field
        label="Your password"
        type="password"
        autoComplete="current-password"
        value={password}
        maxLength={200}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Mishap error={refused} />
      <Button type="submit" look="primary" className="self-start" busy={busy} disabled={password === ''}>
        Begin
      </Button>
    </form>
  );
}

function Confirm({
  enrolment,
  onCancel,
  onConfirmed,
}: {
  readonly enrolment: Enrolment;
  readonly onCancel: () => void;
  readonly onConfirmed: (codes: readonly string[]) => void;
}) {
  const [code, setCode] = useState('');
  const { busy, refused, send } = useSend();
  // The picture comes as SVG text; as an image it can neither run nor reach anything.
  const picture = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(enrolment.svg)}`;
  return (
    <form
      onSubmit={send(async () =>
        onConfirmed((await call('confirmTotp', { body: { code: code.trim() } })).recoveryCodes),
      )}
      className="flex flex-col gap-3"
    >
      <p className="text-sm text-soft">Scan this with your authenticator, then type the code it shows.</p>
      <img
        src={picture}
        alt="QR code of the secret; the same secret stands below as text"
        className="size-48 rounded bg-white p-2"
      />
      <p className="text-xs text-muted">
        Or type this secret: <code className="font-mono text-ink select-all">{enrolment.secret}</code>
      </p>
      <Field
        label="Code"
        inputMode="numeric"
        autoComplete="one-time-code"
        value={code}
        maxLength={20}
        onChange={(event) => setCode(event.target.value)}
      />
      <Mishap error={refused} />
      <div className="flex gap-2">
        <Button type="submit" look="primary" busy={busy} disabled={code.trim().length < 6}>
          Switch on
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}

function Drop() {
  const me = useMe();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const { busy, refused, send } = useSend();
  return (
    <form
      onSubmit={send(async () => {
        await call('dropTotp', { body: { password, code: code.trim() } });
        enter({ ...me, totp: false });
        tell('The second factor is off');
      })}
      className="flex flex-col gap-3"
    >
      <p className="text-sm text-soft">It is on. To switch it off, give your password and a code.</p>
      <Field
        label="Your password"
        type="password"
        autoComplete="current-password"
        value={password}
        maxLength={200}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Field
        label="Code, or a recovery code"
        autoComplete="one-time-code"
        value={code}
        maxLength={20}
        onChange={(event) => setCode(event.target.value)}
      />
      <Mishap error={refused} />
      <Button
        type="submit"
        className="self-start"
        busy={busy}
        disabled={password === '' || code.trim().length < 6}
      >
        Switch off
      </Button>
    </form>
  );
}
