import { type FormEvent, type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import { asRefused, type Refused } from '../../api/errors.ts';
import { refresh, useAsk } from '../../api/queries.ts';
import { Mishap } from '../../ui/act.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Area, Choice, Field } from '../../ui/field.tsx';
import { tell } from '../../ui/toast.tsx';
import { EMPTY_STUDY, readStudy, type StudyErrors, type StudyKind, type StudyText } from './study-input.ts';

const SAYS: Readonly<Record<StudyKind, string>> = {
  backtest: 'One run over recorded prices, with a report.',
  sweep: 'One run for every combination of the grid, as a heat map.',
  'walk-forward': 'Parameters are chosen on one stretch and tested on the next, again and again.',
};

/** The form that starts a backtest, a sweep or a walk-forward. */
export function StartStudy({
  onClose,
  onStarted,
}: {
  readonly onClose: () => void;
  readonly onStarted: (id: string) => void;
}) {
  const [text, setText] = useState<StudyText>(EMPTY_STUDY);
  const [errors, setErrors] = useState<StudyErrors>({});
  const [refused, setRefused] = useState<Refused | null>(null);
  const [busy, setBusy] = useState(false);
  const desks = useAsk('desks', {});
  const names = [...new Set(['sample', 'sigma', ...(desks.data?.items.map((each) => each.desk) ?? [])])];

  const bind = (field: keyof StudyText) => ({
    value: text[field],
    error: errors[field],
    onChange: (event: { readonly target: { readonly value: string } }) => {
      setText({ ...text, [field]: event.target.value });
      if (errors[field] !== undefined) setErrors({ ...errors, [field]: undefined });
    },
  });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const read = readStudy(text);
    setErrors(read.errors);
    if (read.request === null) return;
    setBusy(true);
    setRefused(null);
    try {
      const job = await call('startJob', { body: read.request });
      tell(`Started: ${text.kind}`);
      refresh('jobs');
      onStarted(job.id);
    } catch (error) {
      setBusy(false);
      setRefused(asRefused(error));
    }
  };
  return (
    <Dialog title="Start a study" wide onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate className="flex flex-col gap-3">
        <Row>
          <Choice label="Kind" hint={SAYS[text.kind]} {...bind('kind')}>
            <option value="backtest">Backtest</option>
            <option value="sweep">Sweep</option>
            <option value="walk-forward">Walk-forward</option>
          </Choice>
          <Field
            label="Desk"
            list="study-desks"
            hint="a built-in desk, or a desk file"
            spellCheck={false}
            {...bind('desk')}
          />
          <datalist id="study-desks">
            {names.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </Row>
        <Area
          label="Bars"
          rows={2}
          spellCheck={false}
          placeholder="BTCUSDT.BINANCE=data/btc-5m.csv"
          hint="[INSTRUMENT=]FILE, one a line, below the folders the server may read. Nothing: the prices that come with the program."
          {...bind('bars')}
        />
        {text.kind !== 'backtest' && (
          <Row>
            <Area
              label="What varies"
              rows={3}
              spellCheck={false}
              placeholder={'bars=10:40:10\nstopAtrMultiple=1,2,3'}
              hint="name=from:to:step or name=a,b,c, one a line"
              {...bind('grid')}
            />
            <div className="flex flex-col gap-3">
              <Field label="Only where" spellCheck={false} placeholder="fast < slow" {...bind('where')} />
              {text.kind === 'walk-forward' && <Field label="Folds" inputMode="numeric" {...bind('folds')} />}
            </div>
          </Row>
        )}
        <Area
          label="Parameters"
          rows={2}
          spellCheck={false}
          placeholder="bars=30"
          hint="name=value, one a line. Nothing: those of the desk."
          {...bind('set')}
        />
        <details>
          <summary className="text-xs text-soft">Costs, days and more</summary>
          <div className="mt-2 flex flex-col gap-3">
            <Row>
              <Field
                label="Fee, bps"
                inputMode="decimal"
                placeholder="that of the instrument"
                {...bind('feeBps')}
              />
              <Field
                label="Slippage, bps"
                inputMode="decimal"
                placeholder="that of the instrument"
                {...bind('slippageBps')}
              />
              <Field
                label="Opening cash"
                inputMode="decimal"
                placeholder="that of the desk"
                {...bind('cash')}
              />
              <Field label="First day (UTC)" type="date" {...bind('from')} />
              <Field label="Day after the last (UTC)" type="date" {...bind('to')} />
              <Field label="Seed" placeholder="1" {...bind('seed')} />
            </Row>
            <Area
              label="Funding"
              rows={2}
              spellCheck={false}
              hint="[INSTRUMENT=]FILE, one a line"
              {...bind('funding')}
            />
          </div>
        </details>
        <Mishap error={refused} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" icon="play" busy={busy}>
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Row({ children }: { readonly children: ReactNode }) {
  return <div className="grid gap-3 sm:grid-cols-2">{children}</div>;
}
