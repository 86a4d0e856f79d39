import { Cron } from 'croner';
import { InputError } from '#base';

/** The next time of a schedule after `now`, epoch ms; its fields are read in UTC. Throws {@link InputError} for one that never comes. */
export function nextRun(schedule: string, now: number): number {
  let next: Date | null;
  try {
    next = new Cron(schedule, { timezone: 'UTC', paused: true }).nextRun(new Date(now));
  } catch (cause) {
    throw new InputError(
      `"${schedule}" is no schedule: ${(cause as Error).message}`,
      'write five fields, such as "0 3 * * 0" for Sundays at 03:00',
    );
  }
  if (next === null) throw new InputError(`"${schedule}" never comes again`, 'write for example "0 3 * * 0"');
  return next.getTime();
}
