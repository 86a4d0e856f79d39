import type { ResponseOf } from '@contract';
import { call, csrf } from './client.ts';
import { asRefused } from './errors.ts';
import { live } from './live.ts';
import { queries } from './queries.ts';
import { createStore, useStore } from './store.ts';

export type WhoAmI = ResponseOf<'whoAmI'>;

/** Who is logged in: undefined while nobody has looked, null when nobody is. */
export const me = createStore<WhoAmI | null | undefined>(undefined);

/** Of the components behind log in, which are only there when somebody is. */
export function useMe(): WhoAmI {
  const who = useStore(me);
  if (who === null || who === undefined) throw new Error('Nobody is logged in.');
  return who;
}

const RANK = { viewer: 0, trader: 1, administrator: 2 } as const;

export function mayAct(who: WhoAmI, needed: keyof typeof RANK): boolean {
  return RANK[who.role] >= RANK[needed];
}

/** Whether who is logged in may do what needs this role; buttons that may not are disabled and say why. */
export function useMay(needed: keyof typeof RANK): boolean {
  return mayAct(useMe(), needed);
}

const ENTERED = 'quorum.entered';

/** Says nothing about the session, only that it is worth asking for: a first visit then asks for nothing it cannot have. */
function noteEntered(entered: boolean): void {
  try {
    if (entered) localStorage.setItem(ENTERED, '1');
    else localStorage.removeItem(ENTERED);
  } catch {
    // Storage is switched off: the session is asked for each time.
  }
}

function mayHaveEntered(): boolean {
  try {
    return localStorage.getItem(ENTERED) !== null;
  } catch {
    return true;
  }
}

export function enter(who: WhoAmI): void {
  noteEntered(true);
  csrf.set(who.csrf);
  me.set(who);
}

/** Forgets everything that was read under the session. */
export function leave(): void {
  noteEntered(false);
  csrf.set(null);
  live.close();
  queries.clear();
  me.set(null);
}

/** Looks whether a session is there; throws {@link Refused} when the server cannot say. */
export async function lookForSession(): Promise<void> {
  if (!mayHaveEntered()) return leave();
  try {
    enter(await call('whoAmI'));
  } catch (error) {
    const refused = asRefused(error);
    if (refused.status !== 401) throw refused;
    leave();
  }
}

export async function logOut(): Promise<void> {
  try {
    await call('logOut');
  } finally {
    leave();
  }
}
