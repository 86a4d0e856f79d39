import { InputError } from '#base';
import { objectiveOf } from '#research';
import { findDesk } from '../load-desk.ts';
import { dataFromShared, type SharedData } from '../sweep/shared-tape.ts';
import { serveTasks } from '../threads/serve-tasks.ts';
import { type PlayedSpan, type SpanJob, SpanPlays, type SpanSetting } from './play-span.ts';

/** What a thread that plays spans begins with. */
export interface SpanThreadData extends Omit<SpanSetting, 'found' | 'data'> {
  readonly desk: { readonly named: string; readonly sourceHash: string };
  readonly data: SharedData;
  readonly objective: string;
}

serveTasks<SpanThreadData, SpanJob, never, PlayedSpan>(async ({ desk, data, objective, ...common }) => {
  const found = await findDesk(desk.named);
  if (found.sourceHash !== desk.sourceHash) {
    throw new InputError(`${desk.named} was changed while the study ran`, 'start it again');
  }
  const plays = new SpanPlays({ ...common, found, data: dataFromShared(data) }, objectiveOf(objective));
  return async (job) => {
    const played = await plays.play(job, () => true);
    if (played === null) throw new Error('a run of a thread plays to its end');
    return played;
  };
});
