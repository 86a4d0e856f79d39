import { objectiveOf } from '#research';
import type { FoundDesk } from '../load-desk.ts';
import { shareData } from '../sweep/shared-tape.ts';
import { Threads } from '../threads/run-in-threads.ts';
import { type PlayedSpan, type SpanJob, SpanPlays, type SpanSetting } from './play-span.ts';
import type { SpanThreadData } from './span-thread.ts';

/** Plays runs of one setting, wherever. */
export interface SpanPlayer {
  /** Threads that play: 1 is this one alone. */
  readonly workers: number;
  /** Null when the signal was aborted before the run came to its end. */
  play(job: SpanJob): Promise<PlayedSpan | null>;
  close(): Promise<void>;
}

/** A run leaves little behind: with more room for young objects a thread takes more memory and is no faster. */
const LIMITS = { maxYoungGenerationSizeMb: 24 };

/** Runs in this thread with one worker, in threads of their own with more. The results are the same. */
export function spanPlayer(
  setting: SpanSetting,
  objective: string,
  workers: number,
  signal: AbortSignal,
): SpanPlayer {
  return workers === 1
    ? playerHere(setting, objective, signal)
    : playerInThreads(setting, objective, workers, signal);
}

function playerHere(setting: SpanSetting, objective: string, signal: AbortSignal): SpanPlayer {
  const plays = new SpanPlays(setting, objectiveOf(objective));
  // one after the other, whoever asks
  let turn: Promise<unknown> = Promise.resolve();
  return {
    workers: 1,
    play: (job) => {
      const played = turn.then(() => (signal.aborted ? null : plays.play(job, () => !signal.aborted)));
      turn = played.catch(() => null);
      return played;
    },
    close: async () => void (await turn),
  };
}

function playerInThreads(
  setting: SpanSetting,
  objective: string,
  workers: number,
  signal: AbortSignal,
): SpanPlayer {
  const { found, set, settings, data, answers, answersHash, programHash } = setting;
  const shared: SpanThreadData = {
    desk: deskOf(found),
    set,
    settings,
    data: shareData(data),
    answers,
    answersHash,
    programHash,
    objective,
  };
  const threads = new Threads<SpanThreadData, SpanJob, never, PlayedSpan>({
    module: 'apps/setup/optimise/span-thread',
    data: shared,
    threads: workers,
    limits: LIMITS,
  });
  const aborted = new Promise<null>((done) => {
    if (signal.aborted) done(null);
    else signal.addEventListener('abort', () => done(null), { once: true });
  });
  return {
    workers,
    play: (job) => {
      const played = threads.run(job);
      // a run that nobody waits for any more may fail unheard
      played.catch(() => {});
      return Promise.race([played, aborted]);
    },
    close: () => threads.close(),
  };
}

const deskOf = ({ named, sourceHash }: FoundDesk) => ({ named, sourceHash });
