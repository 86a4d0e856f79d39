import { assert, InputError } from '#base';
import { Grid, type PlayedVariant } from '#research';
import { type KnownAnswers, oracleOf } from '../answers-file.ts';
import { findDesk } from '../load-desk.ts';
import { serveTasks } from '../threads/serve-tasks.ts';
import { playChunk } from './play-chunk.ts';
import { dataFromShared, type SharedData } from './shared-tape.ts';
import type { SweepIdentity } from './sweep-plan.ts';

/** What a thread of a sweep begins with. */
export interface SweepThreadData {
  /** Built-in name or path of the desk. */
  readonly desk: string;
  readonly identity: SweepIdentity;
  readonly data: SharedData;
  readonly answers: KnownAnswers | null;
}

serveTasks<SweepThreadData, readonly number[], never, readonly PlayedVariant[]>(
  async ({ desk, identity, data, answers }) => {
    const found = await findDesk(desk);
    if (found.sourceHash !== identity.deskSource) {
      throw new InputError(`${desk} was changed while the sweep ran`, 'start the sweep again');
    }
    const oracle = answers === null ? null : oracleOf(answers);
    const setting = { found, data: dataFromShared(data), oracle, grid: new Grid(identity.axes), identity };
    return async (variants) => {
      const played = await playChunk(setting, variants);
      assert(played !== null, 'variants of a thread play to their end');
      return played;
    };
  },
  // variants of one play may lie in one buffer
  (played) => [...new Set(played.map(({ daily }) => daily.closes.buffer as ArrayBuffer))],
);
