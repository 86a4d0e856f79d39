import type { RequestOf, ResponseOf, RouteId } from '@contract';
import { type FormEvent, type ReactNode, useState } from 'react';
import { call } from '../api/client.ts';
import { asRefused, type Refused } from '../api/errors.ts';
import { portfolio, refresh } from '../api/queries.ts';
import { createStore, useStore } from '../api/store.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { Area, Field } from './field.tsx';
import { Icon } from './icon.tsx';
import { useNow } from './time.tsx';
import { tell } from './toast.tsx';

type Body<K extends RouteId> = RequestOf<K>['body'] extends infer B
  ? B extends object
    ? Omit<B, 'reason'>
    : undefined
  : never;

/** Something a person does that asks for a reason and, where the server says so, for a second confirmation. */
export interface Act<K extends RouteId> {
  readonly route: K;
  readonly params?: RequestOf<K>['params'];
  readonly query?: Readonly<Record<string, unknown>>;
  /** The body without its reason. */
  readonly body?: Body<K>;
  readonly title: string;
  /** What will happen, in words. */
  readonly says: ReactNode;
  /** What the button says: a verb. */
  readonly verb: string;
  readonly danger?: boolean;
  /** A word to be typed, and the field of the body it goes to. */
  readonly word?: { readonly field: string; readonly value: string };
  /** Said when it was done. */
  readonly done?: string;
  /** Routes whose answers are old afterwards. */
  readonly makesOld?: readonly RouteId[];
}

interface Asked {
  readonly act: Act<RouteId>;
  readonly finish: (answer: unknown) => void;
}

const asked = createStore<Asked | null>(null);
let serial = 0;

/**
 * Opens the dialog that asks why, shows what will happen, has it confirmed and does it.
 * Resolves to the answer, or to null when it was called off.
 */
export function perform<K extends RouteId>(act: Act<K>): Promise<ResponseOf<K> | null> {
  asked.get()?.finish(null);
  return new Promise((resolve) => {
    serial += 1;
    asked.set({
      act: act as unknown as Act<RouteId>,
      finish: (answer) => {
        asked.set(null);
        resolve(answer as ResponseOf<K> | null);
      },
    });
  });
}

/** Where the dialog of {@link perform} is shown; once, in the shell. */
export function Acting() {
  const now = useStore(asked);
  return now === null ? null : <ActDialog key={serial} {...now} />;
}

interface Second {
  readonly token: string;
  readonly expiresAt: number;
  readonly says: string;
}

function ActDialog({ act, finish }: Asked) {
  const [reason, setReason] = useState('');
  const [word, setWord] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refused | null>(null);
  const [second, setSecond] = useState<Second | null>(null);

  const send = async (confirm?: string) => {
    setBusy(true);
    setError(null);
    const typed = act.word === undefined || word === '' ? {} : { [act.word.field]: word };
    const name = portfolio.get();
    const sent = {
      params: act.params,
      query: { ...(name === null ? {} : { portfolio: name }), ...act.query },
      body: { ...(act.body as object | undefined), ...typed, reason: reason.trim() },
    };
    try {
      const loosely = call as (id: RouteId, sent: object, manner: object) => Promise<unknown>;
      const answer = await loosely(act.route, sent, confirm === undefined ? {} : { confirm });
      if (act.makesOld !== undefined) refresh(...act.makesOld);
      tell(act.done ?? `${act.title}: done`);
      finish(answer ?? true);
    } catch (thrown) {
      const refused = asRefused(thrown);
      setBusy(false);
      if (refused.status === 428 && refused.confirmation !== null) setSecond(refused.confirmation);
      else {
        setSecond(null);
        setError(refused);
      }
    }
  };

  const missing = act.word !== undefined && word !== act.word.value;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (reason.trim() !== '' && !missing) void send();
  };
  return (
    <Dialog title={act.title} role="alertdialog" onClose={() => finish(null)}>
      {second === null ? (
        <form onSubmit={submit} className="flex flex-col gap-3">
          <div className="text-sm text-soft">{act.says}</div>
          <Area
            label="Reason"
            hint="It is written to the journal with your name."
            value={reason}
            maxLength={500}
            required
            autoFocus
            rows={2}
            onChange={(event) => setReason(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !event.shiftKey) submit(event);
            }}
          />
          {act.word !== undefined && (
            <Field
              label={`Type ${act.word.value} to go on`}
              value={word}
              autoCapitalize="characters"
              spellCheck={false}
              onChange={(event) => setWord(event.target.value)}
            />
          )}
          <Mishap error={error} />
          <div className="flex justify-end gap-2">
            <Button onClick={() => finish(null)}>Cancel</Button>
            <Button
              type="submit"
              look={act.danger === true ? 'danger' : 'primary'}
              busy={busy}
              disabled={reason.trim() === '' || missing}
            >
              {act.verb}
            </Button>
          </div>
        </form>
      ) : (
        <Confirming
          second={second}
          verb={act.verb}
          does={act.says}
          reason={reason}
          busy={busy}
          onConfirm={() => void send(second.token)}
          onBack={() => setSecond(null)}
        />
      )}
    </Dialog>
  );
}

interface ConfirmingProps {
  readonly second: Second;
  readonly verb: string;
  readonly does: ReactNode;
  readonly reason: string;
  readonly busy: boolean;
  readonly onConfirm: () => void;
  readonly onBack: () => void;
}

function Confirming({ second, verb, does, reason, busy, onConfirm, onBack }: ConfirmingProps) {
  useNow();
  const left = Math.max(0, Math.ceil((second.expiresAt - Date.now()) / 1000));
  return (
    <div className="flex flex-col gap-3">
      <div className="flex gap-2.5 rounded border border-danger bg-danger-soft p-3">
        <Icon name="warning" className="mt-0.5 text-danger" />
        <p className="text-sm font-medium text-ink">{second.says}</p>
      </div>
      <div className="text-sm text-soft">{does}</div>
      {!second.says.includes(reason.trim()) && (
        <p className="text-xs text-muted">
          Reason: <span className="text-soft">{reason}</span>
        </p>
      )}
      <p className="text-xs text-muted">
        {left > 0
          ? `This question stands for ${left} s.`
          : 'This question is too old now: go back and ask again.'}
      </p>
      <div className="flex justify-end gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button look="danger" busy={busy} disabled={left === 0} autoFocus onClick={onConfirm}>
          Yes, {verb.charAt(0).toLowerCase() + verb.slice(1)}
        </Button>
      </div>
    </div>
  );
}

/** Why something was refused, inside a dialog or a form. */
export function Mishap({ error }: { readonly error: Refused | null }) {
  if (error === null) return null;
  return (
    <div role="alert" className="rounded border border-danger bg-danger-soft px-3 py-2">
      <p className="text-sm font-medium text-ink">{error.message}</p>
      {error.mend !== '' && <p className="text-xs text-soft">{error.mend}</p>}
    </div>
  );
}
