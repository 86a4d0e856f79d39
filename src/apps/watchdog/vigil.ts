import type { Instant } from '#base';

/** What is seen of a portfolio at one look. */
export interface Sight {
  /** Its lock is there: it runs, or ended without saying so. */
  readonly locked: boolean;
  /** The living process that holds the lock; null when there is none. */
  readonly pid: number | null;
  /** Wall time of its last step, from its own mouth; null when it did not answer. */
  readonly stepAt: Instant | null;
}

/** What is thought of a portfolio: plain data. */
export interface Vigil {
  /** `ended` cleanly or never ran; `starting`; `well`; `silent`: alive without stepping; `gone`: dead without an end. */
  readonly state: 'ended' | 'starting' | 'well' | 'silent' | 'gone';
  readonly pid: number | null;
  /** When it was last known to step, or when looking began. */
  readonly wellAt: Instant;
  /** Whether this process has ever answered: one that has not may still be folding its journal. */
  readonly hasAnswered: boolean;
}

export interface VigilLimits {
  readonly staleMs: number;
  /** How long a start may take before it counts as silence. */
  readonly startMs: number;
}

/** The next thought. A clean end is no alarm; silence is one when it has lasted. */
export function look(before: Vigil | null, sight: Sight, now: Instant, limits: VigilLimits): Vigil {
  const { locked, pid, stepAt } = sight;
  if (!locked) return { state: 'ended', pid: null, wellAt: now, hasAnswered: false };
  const isNew = before === null || before.state === 'ended' || (pid !== null && pid !== before.pid);
  const wellAt = isNew ? now : before.wellAt;
  const hasAnswered = !isNew && before.hasAnswered;
  if (stepAt !== null && now - stepAt < limits.staleMs)
    return { state: 'well', pid, wellAt: Math.min(stepAt, now), hasAnswered: true };
  // it answers, but what it says of its last step is old
  const answered = hasAnswered || stepAt !== null;
  const since = stepAt === null ? wellAt : Math.min(stepAt, wellAt);
  if (pid === null) {
    const dead = { pid: before?.pid ?? null, wellAt, hasAnswered };
    return {
      ...dead,
      state: now - wellAt < limits.staleMs ? (before?.state === 'gone' ? 'gone' : 'starting') : 'gone',
    };
  }
  const patience = answered ? limits.staleMs : Math.max(limits.startMs, limits.staleMs);
  const state = now - since < patience ? (answered ? 'well' : 'starting') : 'silent';
  return { state, pid, wellAt: since, hasAnswered: answered };
}
