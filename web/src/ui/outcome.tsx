import { Badge, type Tone } from './badge.tsx';
import { words } from './format.ts';
import type { IconName } from './icon.tsx';

const LOOKS: Record<string, { readonly tone: Tone; readonly icon: IconName; readonly says: string }> = {
  entered: { tone: 'gain', icon: 'check', says: 'Orders were sent' },
  'in-review': { tone: 'warn', icon: 'clock', says: 'It waits for a review' },
  refused: { tone: 'loss', icon: 'close', says: 'A gate or a limit cut it' },
  'not-selected': { tone: 'plain', icon: 'filter', says: 'Others were better' },
  wait: { tone: 'plain', icon: 'minus', says: 'The sources gave no reason to act' },
  held: { tone: 'plain', icon: 'pause', says: 'The position was kept' },
  exited: { tone: 'gain', icon: 'logout', says: 'A position was closed' },
  shadow: { tone: 'plain', icon: 'eye', says: 'Played in the shadow lane only' },
};

export const OUTCOMES = Object.keys(LOOKS);

export function OutcomeBadge({ outcome }: { readonly outcome: string }) {
  const look = LOOKS[outcome];
  return (
    <Badge tone={look?.tone ?? 'plain'} icon={look?.icon} title={look?.says}>
      {words(outcome)}
    </Badge>
  );
}
