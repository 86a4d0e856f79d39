import { useRef, useState } from 'react';
import { call } from '../api/client.ts';
import { portfolio, refresh, usePortfolio } from '../api/queries.ts';
import { useMay } from '../api/session.ts';
import { createStore, useStore } from '../api/store.ts';
import { perform } from '../ui/act.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { tell, tellError } from '../ui/toast.tsx';

/** Whether the dialog of the stop button is open; the palette and a shortcut open it as well. */
export const stopping = createStore(false);

const MAKES_OLD = ['overview', 'portfolios', 'positions', 'orders', 'breaker', 'risk', 'desks'] as const;

export const flattenAll = () =>
  perform({
    route: 'flatten',
    body: { desk: null },
    title: 'Flatten everything',
    says: 'Every order is cancelled and every position of this portfolio is closed at the market. Entries stay allowed.',
    verb: 'Flatten',
    danger: true,
    done: 'Everything is being closed',
    makesOld: MAKES_OLD,
  });

export const killAll = () =>
  perform({
    route: 'kill',
    title: 'Kill switch',
    says: 'Entries stop, every order is cancelled, every position is closed, and the circuit breaker goes to its last state. A person must recover it before anything trades again.',
    verb: 'Kill',
    danger: true,
    done: 'The kill switch has acted',
    makesOld: MAKES_OLD,
  });

export const stopEntries = () =>
  perform({
    route: 'tradingStop',
    title: 'Stop entries',
    says: 'No new position is opened from now on. Stops, targets and other exits go on working.',
    verb: 'Stop entries',
    done: 'Entries are stopped',
    makesOld: MAKES_OLD,
  });

export async function startEntries(): Promise<void> {
  const name = portfolio.get();
  try {
    await call('tradingStart', { query: name === null ? {} : { portfolio: name }, body: {} });
    tell('Entries are allowed');
    refresh(...MAKES_OLD);
  } catch (error) {
    tellError(error);
  }
}

/** The button that is on every page, and what it can do, from mild to final. */
export function StopButton({ compact = false }: { readonly compact?: boolean }) {
  const may = useMay('trader');
  return (
    <Button
      look="danger"
      icon="stop"
      className={compact ? 'px-2.5' : 'font-semibold tracking-wide'}
      disabled={!may}
      title={may ? 'Stop entries, flatten or kill (Shift+S)' : 'Needs the role of a trader'}
      aria-haspopup="dialog"
      onClick={() => stopping.set(true)}
    >
      STOP
    </Button>
  );
}

export function StopDialog() {
  const open = useStore(stopping);
  const name = usePortfolio();
  if (!open) return null;
  return <Choices name={name} />;
}

function Choices({ name }: { readonly name: string | null }) {
  const [closed, setClosed] = useState(false);
  const next = useRef<(() => unknown) | null>(null);
  if (closed) return null;
  const choose = (act: () => unknown) => {
    next.current = act;
    setClosed(true);
    stopping.set(false);
    act();
  };
  return (
    <Dialog title={`Stop ${name ?? 'trading'}`} onClose={() => stopping.set(false)}>
      <ul className="flex flex-col gap-2">
        <Step
          title="Stop entries"
          says="No new positions. Exits go on."
          button={<Button onClick={() => choose(stopEntries)}>Stop entries</Button>}
        />
        <Step
          title="Flatten"
          says="Cancel every order and close every position at the market."
          button={
            <Button look="danger" onClick={() => choose(flattenAll)}>
              Flatten…
            </Button>
          }
        />
        <Step
          title="Kill"
          says="All of that, and nothing trades again until a person recovers the breaker."
          button={
            <Button look="danger" onClick={() => choose(killAll)}>
              Kill…
            </Button>
          }
        />
      </ul>
      <p className="mt-3 text-xs text-muted">
        Without this console: <code className="font-mono text-soft">quorum operator kill --reason WHY</code>{' '}
        on the machine does the same.
      </p>
    </Dialog>
  );
}

function Step({
  title,
  says,
  button,
}: {
  readonly title: string;
  readonly says: string;
  readonly button: React.ReactNode;
}) {
  return (
    <li className="flex flex-wrap items-center gap-3 rounded border border-line bg-raised px-3 py-2.5">
      <div className="min-w-40 flex-1">
        <p className="text-sm font-semibold">{title}</p>
        <p className="text-xs text-soft">{says}</p>
      </div>
      {button}
    </li>
  );
}
