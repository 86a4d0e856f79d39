import { useMay } from '../../api/session.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Time } from '../../ui/time.tsx';
import { resetSwitch, tripSwitch } from './acts.ts';
import { causeOf, type KillSwitch } from './standing.ts';

/** Switches that only a person resets: those that have tripped, and those of groups. */
export function KillSwitches({ switches }: { readonly switches: readonly KillSwitch[] }) {
  const shown = switches.filter(({ kind, trigger }) => kind === 'group' || trigger !== null);
  if (switches.length === 0) return null;
  const tripped = switches.filter(({ trigger }) => trigger !== null).length;
  return (
    <Panel
      title="Kill switches"
      note={tripped === 0 ? `${switches.length}, none tripped` : `${tripped} of ${switches.length} tripped`}
      flush
    >
      <ul aria-live="polite">
        {shown.map((one) => (
          <li key={one.name} className="border-b border-line px-3 py-2 last:border-0">
            <SwitchLine one={one} />
          </li>
        ))}
        {shown.length === 0 && <li className="px-3 py-2 text-sm text-muted">None has tripped.</li>}
      </ul>
    </Panel>
  );
}

/** One switch with what tripped it and what a person may do. */
export function SwitchLine({ one }: { readonly one: KillSwitch }) {
  const may = useMay('trader');
  const { name, kind, desks, trigger, since, resetAt } = one;
  const needs = may ? undefined : 'Needs the role of a trader';
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
      {trigger === null ? (
        <Badge icon="check">ready</Badge>
      ) : (
        <Badge tone="strong" icon="stop">
          tripped
        </Badge>
      )}
      <strong className="font-semibold">{name}</strong>
      <span className="text-xs text-muted">
        {kind === 'group' ? `all ${desks.length} desks` : 'one desk'}
      </span>
      {trigger !== null && <span className="min-w-0 text-soft">{causeOf(one)}</span>}
      <span className="text-xs text-muted">
        {trigger !== null && since !== null && (
          <>
            since <Time at={since} /> UTC
          </>
        )}
        {trigger === null && resetAt !== null && (
          <>
            reset <Time at={resetAt} /> UTC
          </>
        )}
      </span>
      <span className="ml-auto">
        {trigger === null ? (
          <Button
            small
            disabled={!may}
            title={needs}
            aria-label={`Trip kill switch ${name}`}
            onClick={() => void tripSwitch(one)}
          >
            Trip…
          </Button>
        ) : (
          <Button
            small
            look="primary"
            disabled={!may}
            title={needs}
            aria-label={`Reset kill switch ${name}`}
            onClick={() => void resetSwitch(one)}
          >
            Reset…
          </Button>
        )}
      </span>
    </div>
  );
}
