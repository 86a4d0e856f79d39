import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'plain' | 'gain' | 'loss' | 'warn' | 'danger' | 'strong';

const TONES: Record<Tone, string> = {
  plain: 'border-line-strong text-soft',
  gain: 'border-transparent bg-gain-soft text-gain',
  loss: 'border-transparent bg-loss-soft text-loss',
  warn: 'border-transparent bg-warn-soft text-warn',
  danger: 'border-transparent bg-danger-soft text-danger',
  strong: 'border-transparent bg-danger-fill text-white',
};

/** A word that says a state; the colour only repeats it. */
export function Badge({
  tone = 'plain',
  icon,
  children,
  title,
}: {
  readonly tone?: Tone;
  readonly icon?: IconName;
  readonly children: ReactNode;
  readonly title?: string;
}) {
  return (
    <span
      title={title}
      className={`inline-flex items-center gap-1 whitespace-nowrap rounded border px-1.5 py-px text-xs font-medium ${TONES[tone]}`}
    >
      {icon !== undefined && <Icon name={icon} size={12} />}
      {children}
    </span>
  );
}

const BREAKER: Record<string, { readonly tone: Tone; readonly icon: IconName; readonly says: string }> = {
  CLOSED: { tone: 'plain', icon: 'check', says: 'Trading as usual' },
  ALERT: { tone: 'warn', icon: 'warning', says: 'Something is near a limit; trading goes on' },
  THROTTLE: { tone: 'loss', icon: 'down', says: 'Sizes are cut' },
  HALT: { tone: 'danger', icon: 'pause', says: 'No entries; exits go on' },
  SHUTDOWN: { tone: 'strong', icon: 'stop', says: 'Everything is closed; a person must recover it' },
};

export function breakerLook(state: string) {
  return BREAKER[state] ?? { tone: 'plain' as const, icon: 'info' as const, says: state };
}

export function BreakerBadge({ state }: { readonly state: string | null | undefined }) {
  if (state === null || state === undefined)
    return <Badge title="This portfolio has no circuit breaker">No breaker</Badge>;
  const look = breakerLook(state);
  return (
    <Badge tone={look.tone} icon={look.icon} title={`Circuit breaker: ${look.says}`}>
      {state}
    </Badge>
  );
}

export function SideBadge({ side }: { readonly side: string }) {
  const long = side === 'long' || side === 'buy';
  return (
    <Badge tone={long ? 'gain' : 'loss'} icon={long ? 'up' : 'down'}>
      {side}
    </Badge>
  );
}

export function SeverityBadge({ severity }: { readonly severity: string }) {
  const tone: Tone = severity === 'critical' ? 'danger' : severity === 'warning' ? 'warn' : 'plain';
  return (
    <Badge tone={tone} icon={severity === 'info' ? 'info' : 'warning'}>
      {severity}
    </Badge>
  );
}
