import { type Instant, unreachable } from '#base';
import type { Engine } from './engine.ts';
import type { OperatorActed, OperatorAction } from './events.ts';
import { edgeChanged } from './outcomes.ts';

/** Does what a person or a program with rights has ordered. */
export function operate(engine: Engine, { act, at, by, reason }: OperatorActed): void {
  engine.happened('operator', null, null, `${act.action} by ${by}: ${reason}`, { ...act });
  obey(engine, act, reason, at);
  engine.breakerWatch.moved(at);
}

function obey(engine: Engine, act: OperatorAction, reason: string, at: Instant): void {
  const { breaker } = engine;
  switch (act.action) {
    case 'start':
      engine.running = true;
      return;
    case 'stop':
      engine.running = false;
      return;
    case 'flatten':
      return flatten(engine, act.desk, at);
    case 'recover':
      breaker?.recover({ reason, ...(act.confirm === null ? {} : { confirm: act.confirm }) }, at);
      return;
    case 'override':
      breaker?.override({ enabled: act.enabled, reason }, at);
      return;
    case 'kill':
      engine.running = false;
      breaker?.critical('kill-command', at);
      return flatten(engine, null, at);
    case 'resume-edge':
      for (const desk of engine.desks) {
        if (desk.name !== act.desk) continue;
        const word = desk.record.allowResume();
        if (word !== 'nothing') edgeChanged(engine, desk, word);
      }
      return;
    case 'review':
      engine.plans.onAnswer(act.questionId, { verdict: act.verdict, share: act.share, reason });
      return;
    default:
      return unreachable(act);
  }
}

function flatten({ desks, real }: Engine, deskName: string | null, at: Instant): void {
  for (const desk of desks) {
    if (deskName !== null && desk.name !== deskName) continue;
    for (const instrument of desk.instruments) {
      const { book } = instrument;
      instrument.at = at;
      real.cancelBook(book, 'flatten', at, true);
      desk.close(real, instrument, 'exit:flatten', 'an operator closes all', true);
      // a fill that crosses a cancellation, an exit that is refused: asked again until nothing is left
      if (real.held.has(book) || real.hasWorkingEntry(book)) real.leave(book, 'exit:flatten', true);
    }
  }
}

/** The breaker's word: every entry is canceled, every position closed. */
export function closeAll({ desks, real }: Engine, at: Instant): void {
  for (const desk of desks) {
    for (const instrument of desk.instruments) {
      instrument.at = at;
      real.cancelBook(instrument.book, 'breaker', at, true);
      desk.close(real, instrument, 'exit:breaker');
    }
  }
}
