import { type FormEvent, useState } from 'react';
import { perform } from '../../ui/act.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import type { Risk } from './index.tsx';
import { LIMITS } from './units.ts';

type Limits = Risk['portfolioLimits'];
type Name = keyof Limits;
type Typed = Record<Name, string>;

function write(value: number | null, percent: boolean): string {
  return value === null ? '' : String(Number((percent ? value * 100 : value).toPrecision(10)));
}

/** The number of a field, null for an empty one, or why it cannot be. */
function read(text: string, percent: boolean): number | null | { readonly wrong: string } {
  if (text.trim() === '') return null;
  const value = Number(text.replace(',', '.'));
  const most = percent ? 100 : 1;
  if (!Number.isFinite(value) || value <= 0 || value > most)
    return { wrong: `A number above 0 and at most ${most}, or nothing.` };
  return percent ? value / 100 : value;
}

/** The limits of the portfolio that may be changed while it runs. */
export function EditLimits({ now, close }: { readonly now: Limits; readonly close: () => void }) {
  const [typed, setTyped] = useState<Typed>(
    () =>
      Object.fromEntries(LIMITS.map((limit) => [limit.name, write(now[limit.name], limit.percent)])) as Typed,
  );
  const rows = LIMITS.map((limit) => {
    const value = read(typed[limit.name], limit.percent);
    const wrong = value !== null && typeof value === 'object' ? value.wrong : null;
    const before = now[limit.name];
    const changed =
      wrong === null && write(before, limit.percent) !== write(value as number | null, limit.percent);
    return { ...limit, value: value as number | null, wrong, changed, before };
  });
  const changed = rows.filter((row) => row.changed);
  const broken = rows.some((row) => row.wrong !== null);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed.length === 0 || broken) return;
    const changes = Object.fromEntries(changed.map((row) => [row.name, row.value])) as Partial<Limits>;
    close();
    void perform({
      route: 'changeLimits',
      body: { changes },
      title: 'Change limits',
      says: (
        <>
          <p>
            From the next idea on these hold. They can only refuse or reduce; open positions are not touched.
          </p>
          <ul className="mt-2 flex flex-col gap-0.5">
            {changed.map((row) => (
              <li key={row.name}>
                <strong className="font-semibold text-ink">{row.title}</strong>:{' '}
                {shown(row.before, row.percent)} →{' '}
                {row.value === null ? 'as configured' : shown(row.value, row.percent)}
              </li>
            ))}
          </ul>
        </>
      ),
      verb: 'Change limits',
      danger: true,
      done: 'The limits are changed',
      makesOld: ['risk', 'overview'],
    });
  };
  return (
    <Dialog title="Limits of the portfolio" onClose={close}>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <p className="text-xs text-muted">
          An empty field gives back what the configuration states. Limits of a desk are on the Desks page.
        </p>
        {rows.map((row) => (
          <Field
            key={row.name}
            label={`${row.title}${row.percent ? ', %' : ''}`}
            hint={`${row.says}. Now ${shown(row.before, row.percent)}.`}
            error={row.wrong}
            inputMode="decimal"
            value={typed[row.name]}
            onChange={(event) => setTyped({ ...typed, [row.name]: event.target.value })}
          />
        ))}
        <div className="flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" look="primary" disabled={broken || changed.length === 0}>
            Go on…
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function shown(value: number | null, percent: boolean): string {
  if (value === null) return 'not set';
  return percent ? `${write(value, true)} %` : write(value, false);
}
