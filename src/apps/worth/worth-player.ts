import { assert, InputError } from '#base';
import { ablationsOf } from '#research';
import { oracleOf } from '../setup/answers-file.ts';
import { deskHash, loadDeskWith } from '../setup/load-desk.ts';
import { shapesOf } from '../setup/run-backtest.ts';
import { dataFromShared } from '../setup/sweep/shared-tape.ts';
import { serveTasks } from '../setup/threads/serve-tasks.ts';
import { type PlayedDesk, playDesk } from './play-desk.ts';
import type { WorthThreadData } from './play-in-threads.ts';

// A thread that plays a run without the parts it is asked for; it says how many steps of the tape it has played.
serveTasks<WorthThreadData, string, number, PlayedDesk>(async ({ configuration, data, answers, seen }) => {
  const desk = await loadDeskWith(configuration.desk, configuration.parameters, configuration.models);
  if (deskHash(desk) !== configuration.deskHash) {
    throw new InputError('the desk was changed while the study ran', 'run the backtest again');
  }
  const { tape } = dataFromShared(data);
  const run = { configuration, desk, tape, shapes: shapesOf(tape) };
  const oracle = answers === null ? null : oracleOf(answers);
  const ablations = new Map(ablationsOf(desk.parts, seen).map((one) => [one.id, one]));
  return async (id, say) => {
    const ablation = ablations.get(id);
    assert(ablation !== undefined, `the desk has no part ${id}`);
    const played = await playDesk(run, oracle, ablation, (steps) => {
      say(steps);
      return true;
    });
    assert(played !== null, 'a thread plays to the end');
    return played;
  };
});
