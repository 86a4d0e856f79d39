import type { RequestOf, ResponseOf } from '@contract';
import { call } from '../../api/client.ts';
import { refresh, useAsk } from '../../api/queries.ts';
import type { Tone } from '../../ui/badge.tsx';
import { tell, tellError } from '../../ui/toast.tsx';

export type Job = ResponseOf<'job'>;
export type JobRequest = RequestOf<'startJob'>['body'];

export const isOver = (job: Job): boolean => job.state !== 'queued' && job.state !== 'running';

export const STATE_TONE: Readonly<Record<Job['state'], Tone>> = {
  queued: 'plain',
  running: 'gain',
  done: 'plain',
  failed: 'danger',
  cancelled: 'warn',
};

/** A job, kept fresh by the live feed, and by asking in case that is down. */
export function useJob(id: string | null) {
  return useAsk('job', { params: { id: id ?? '' } }, { enabled: id !== null && id !== '', every: 3_000 });
}

/** Starts work in the background; null when it was refused, which is said. */
export async function startJob(request: JobRequest): Promise<Job | null> {
  try {
    const job = await call('startJob', { body: request });
    tell(`Started: ${job.kind}`);
    refresh('jobs');
    return job;
  } catch (error) {
    tellError(error);
    return null;
  }
}

export async function cancelJob(id: string): Promise<void> {
  try {
    await call('cancelJob', { params: { id } });
    tell('Cancelled');
    refresh('jobs', 'job');
  } catch (error) {
    tellError(error);
  }
}
