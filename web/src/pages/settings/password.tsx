import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { refresh } from '../../api/queries.ts';
import { enter, useMe } from '../../api/session.ts';
import { Mishap } from '../../ui/act.tsx';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Panel } from '../../ui/panel.tsx';
import { tell } from '../../ui/toast.tsx';

export function Password() {
  const { name } = useMe();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused | null>(null);
  const differs = again !== '' && again !== next;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(null);
    try {
      enter(await call('changePassword', { body: { current, next } }));
      setCurrent('');
      setNext('');
      setAgain('');
      tell('Password changed', 'Every other session of yours has ended.');
      refresh('ownSessions');
    } catch (error) {
      setRefused(asRefused(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title="Password">
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
        <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
        <Field
          label="Password now"
          type="password"
          autoComplete="current-password"
          value={current}
          maxLength={200}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          hint="Long is what counts: several words are best."
          value={next}
          maxLength={200}
          onChange={(event) => setNext(event.target.value)}
        />
        <Field
          label="New password again"
          type="password"
          autoComplete="new-password"
          value={again}
          maxLength={200}
          error={differs ? 'differs from the one above' : undefined}
          onChange={(event) => setAgain(event.target.value)}
        />
        <Mishap error={refused} />
        <Button
          type="submit"
          look="primary"
          className="self-start"
          busy={busy}
          disabled={current === '' || next === '' || next !== again}
        >
          Change password
        </Button>
      </form>
    </Panel>
  );
}
