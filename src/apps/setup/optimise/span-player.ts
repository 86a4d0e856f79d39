import { objectiveOf } from '#research';
import type { FoundDesk } from '../load-desk.ts';
import { shareData } from '../sweep/shared-tape.ts';
import { playUntil, Threads } from '../threads/run-in-threads.ts';
import { type PlayedSpan, type SpanJob, SpanPlays, type SpanSetting } from './play-span.ts';
import type { SpanThreadData } from './span-thread.ts';

/** What the runs that are played belong to. */
export interface SpansToPlay {
  readonly setting: SpanSetting;
  readonly objective: string;
  /** Names the study by everything that decides which runs it asks for. */
  readonly study: string;
  /** For people, as "walk-forward of sma-cross over BTCUSDT.BINANCE-USDM". */
  readonly title: string;
  readonly signal: AbortSignal;
}

/** Makes a player by whatever means: threads, machines. What stands in its way is said by the first run. */
export type SpanPlayerMaker = (spans: SpansToPlay) => SpanPlayer;

/** Plays runs of one setting, wherever. */
export interface SpanPlayer {
  /** Null when the signal was aborted before the run came to its end. */
  play(job: SpanJob): Promise<PlayedSpan | null>;
  close(): Promise<void>;
}

/** Module of the threads that play spans. */
export const SPAN_THREAD = 'apps/setup/optimise/span-thread';
/** A run leaves little behind: with more room for young objects a thread takes more memory and is no faster. */
export const SPAN_LIMITS = { maxYoungGenerationSizeMb: 24 };

/** Runs in this thread with one worker, in threads of their own with more. The results are the same. */
export function spansHere(workers: number): SpanPlayerMaker {
  return ({ setting, objective, signal }) =>
    workers === 1
      ? playerHere(setting, objective, signal)
      : playerInThreads(setting, objective, workers, signal);
}

function playerHere(setting: SpanSetting, objective: string, signal: AbortSignal): SpanPlayer {
  const plays = new SpanPlays(setting, objectiveOf(objective));
  // one after the other, whoever asks
  let turn: Promise<unknown> = Promise.resolve();
  return {
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
    module: SPAN_THREAD,
    data: shared,
    threads: workers,
    limits: SPAN_LIMITS,
  });
  return playUntil(threads, signal);
}

const deskOf = ({ named, sourceHash }: FoundDesk) => ({ named, sourceHash });
