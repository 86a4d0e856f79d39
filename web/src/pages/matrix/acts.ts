import type { RouteId } from '@contract';
import { perform } from '../../ui/act.tsx';
import { causeOf, type KillSwitch } from './standing.ts';

const MAKES_OLD: readonly RouteId[] = ['matrix', 'overview', 'positions', 'orders', 'portfolios'];

const stopped = ({ kind, desks }: KillSwitch) =>
  kind === 'group' ? `all ${desks.length} desks of the group` : 'this desk';

export function resetSwitch(one: KillSwitch) {
  return perform({
    route: 'resetKillSwitch',
    params: { name: one.name },
    title: `Reset kill switch ${one.name}`,
    says: `It tripped by: ${causeOf(one)}. After the reset ${stopped(one)} may enter again; what was lost until now does not trip it again. What still holds, such as an old model, does.`,
    verb: 'Reset',
    danger: true,
    done: `Kill switch ${one.name} is reset`,
    makesOld: MAKES_OLD,
  });
}

export function tripSwitch(one: KillSwitch) {
  return perform({
    route: 'tripKillSwitch',
    params: { name: one.name },
    title: `Trip kill switch ${one.name}`,
    says: `Entries of ${stopped(one)} are cancelled and no new ones leave until a person resets it. What is held may be closed, and is where the desk says so.`,
    verb: 'Trip',
    danger: true,
    done: `Kill switch ${one.name} is tripped`,
    makesOld: MAKES_OLD,
  });
}
