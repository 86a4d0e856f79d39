import { type FormEvent, type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { enter, logOut, me } from '../../api/session.ts';
import { useStore } from '../../api/store.ts';
import { Mishap } from '../../ui/act.tsx';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { tell } from '../../ui/toast.tsx';

const LEAST = 12;

/** Log in with password and second factor; then, after a one-time password, a new one. */
export default function LogInPage() {
  const who = useStore(me);
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="w-full max-w-sm">
        <div className="mb-5 flex items-center gap-2.5">
          <img src="/icon.svg" alt="" width={32} height={32} />
          <h1 className="text-lg font-semibold">
            {who?.mustChangePassword === true ? 'Choose your password' : 'Log in to Quorum'}
          </h1>
        </div>
        {who?.mustChangePassword === true ? <NewPassword name={who.name} /> : <Credentials />}
      </div>
    </main>
  );
}

function useSending() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refused | null>(null);
  const send = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (thrown) {
      setError(asRefused(thrown));
    }
    setBusy(false);
  };
  return { busy, error, setError, send };
}

function Credentials() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [otp, setOtp] = useState('');
  const [second, setSecond] = useState(false);
  const { busy, error, send } = useSending();
  const needsCode = error !== null && /otp|totp|second/.test(error.code);
  const asksCode = second || needsCode;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(async () => {
      const code = otp.replace(/\s/g, '');
      try {
        enter(
          await call('logIn', {
            body: { name: name.trim(), password, ...(code === '' ? {} : { otp: code }) },
          }),
        );
      } catch (thrown) {
        if (/otp|totp|second/.test(asRefused(thrown).code)) setSecond(true);
        throw thrown;
      }
    });
  };
  return (
    <Form onSubmit={submit}>
      <Field
        label="Name"
        name="username"
        autoComplete="username"
        autoFocus
        required
        value={name}
        onChange={(e) => setName(e.target.value)}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(e) => setPassword(e.target.value)}
      />
      {asksCode ? (
        <Field
          label="Code of the second factor"
          hint="The six digits of your authenticator, or a recovery code."
          name="otp"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          value={otp}
          onChange={(e) => setOtp(e.target.value)}
        />
      ) : (
        <button
          type="button"
          className="self-start text-xs text-soft underline"
          onClick={() => setSecond(true)}
        >
          I have a second factor
        </button>
      )}
      {needsCode && otp === '' ? null : <Mishap error={error} />}
      <Button type="submit" look="primary" busy={busy} disabled={name.trim() === '' || password === ''}>
        Log in
      </Button>
      <p className="text-xs text-muted">
        At the first start <code className="font-mono text-soft">quorum start</code> prints the name and the
        one-time password of the administrator.
      </p>
    </Form>
  );
}

function NewPassword({ name }: { readonly name: string }) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const { busy, error, send } = useSending();
  const short = next !== '' && next.length < LEAST;
  const differs = again !== '' && again !== next;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(async () => {
      enter(await call('changePassword', { body: { current, next } }));
      tell('Your password is changed');
    });
  };
  return (
    <Form onSubmit={submit}>
      <p className="text-sm text-soft">
        You are logged in as <strong className="text-ink">{name}</strong> with a one-time password. Choose
        your own before you go on.
      </p>
      <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
      <Field
        label="One-time password"
        type="password"
        autoComplete="current-password"
        autoFocus
        required
        value={current}
        onChange={(e) => setCurrent(e.target.value)}
      />
      <Field
        label="New password"
        type="password"
        autoComplete="new-password"
        required
        hint={`At least ${LEAST} characters; a sentence is easy to keep.`}
        error={short ? `${LEAST - next.length} more characters, please.` : null}
        value={next}
        onChange={(e) => setNext(e.target.value)}
      />
      <Field
        label="New password again"
        type="password"
        autoComplete="new-password"
        required
        error={differs ? 'The two are not the same.' : null}
        value={again}
        onChange={(e) => setAgain(e.target.value)}
      />
      <Mishap error={error} />
      <Button
        type="submit"
        look="primary"
        busy={busy}
        disabled={current === '' || next.length < LEAST || again !== next}
      >
        Change password
      </Button>
      <button
        type="button"
        className="self-start text-xs text-soft underline"
        onClick={() => void logOut().catch(() => undefined)}
      >
        Log out
      </button>
    </Form>
  );
}

function Form({
  onSubmit,
  children,
}: {
  readonly onSubmit: (event: FormEvent) => void;
  readonly children: ReactNode;
}) {
  return (
    <form onSubmit={onSubmit} className="flex flex-col gap-3.5 rounded-lg border border-line bg-surface p-5">
      {children}
    </form>
  );
}
