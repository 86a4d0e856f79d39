import { DAY, formatInterval, InputError, type Instant } from '#base';
import { walkForward } from '#research';
import type { Span } from '../setup/optimise/span-tape.ts';
import type { StudySetting } from '../setup/optimise/study-setting.ts';

/** How the tape is cut. Milliseconds. */
export interface WalkCut {
  readonly trainMs: number;
  readonly testMs: number;
  /** From one window to the next; never less than a test, so that no time is tested twice. */
  readonly stepMs: number;
  /** Training always begins with the tape. */
  readonly anchored: boolean;
  /** Left out between training and test. */
  readonly embargoMs: number;
}

/** Training is so many tests long where only the number of tests is given. */
const TRAIN_TESTS = 4;

/** Stretches for about `folds` tests after one another: whole days where there are enough, else whole bars. */
export function foldCut(from: Instant, to: Instant, folds: number, intervalMs: number): WalkCut {
  const days = Math.floor((to - from) / DAY) - 1;
  const unit = days >= folds + TRAIN_TESTS ? DAY : intervalMs;
  const units = unit === DAY ? days : Math.floor((to - from) / unit);
  const testMs = Math.floor(units / (folds + TRAIN_TESTS)) * unit;
  if (testMs < 2 * intervalMs)
    throw new InputError(
      `the tape is too short for ${folds} tests of at least two bars, each after a training of ${TRAIN_TESTS} times that`,
      'ask for fewer folds, or give more bars',
    );
  return { trainMs: TRAIN_TESTS * testMs, testMs, stepMs: testMs, anchored: false, embargoMs: 0 };
}

/** Cuts a tape into windows. Throws InputError where not one fits or two tests would overlap. */
export function walkSpans(from: Instant, to: Instant, cut: WalkCut): { train: Span; test: Span }[] {
  const { trainMs, testMs, stepMs, embargoMs, anchored } = cut;
  if (stepMs < testMs) {
    throw new InputError(
      `windows overlap: a test lasts ${formatInterval(testMs)} and the next one begins after ${formatInterval(stepMs)}`,
      'give a --step of at least --test, or leave it out',
    );
  }
  if (embargoMs >= trainMs) {
    throw new InputError(
      `an embargo of ${formatInterval(embargoMs)} leaves nothing of ${formatInterval(trainMs)} to train on`,
      'give a shorter --embargo',
    );
  }
  const unit = [trainMs, testMs, stepMs].reduce(gcd);
  const align = Math.min(unit, DAY);
  const first = Math.ceil(from / align) * align;
  const samples = Math.floor((to - first) / unit);
  if (samples < (trainMs + testMs) / unit) {
    throw new InputError(
      `the tape holds ${((to - from) / DAY).toFixed(1)} days, a window needs ${formatInterval(trainMs)} to train and ${formatInterval(testMs)} to test`,
      'shorten --train or --test, or give more bars',
    );
  }
  const options = { train: trainMs / unit, test: testMs / unit, step: stepMs / unit, anchored };
  return walkForward(samples, options).map(({ train, test }) => {
    const at = (sample: number) => first + sample * unit;
    const tested = at(test[0]!);
    return {
      train: { from: at(train[0]!), to: tested - embargoMs },
      test: { from: tested, to: tested + testMs },
    };
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Throws InputError for stretches of less than two bars. */
export function checkLengths({ setting, intervalMs }: StudySetting, { trainMs, testMs }: WalkCut): void {
  const short = Math.min(trainMs, testMs);
  if (short >= 2 * intervalMs) return;
  throw new InputError(
    `a stretch of ${formatInterval(short)} holds fewer than two bars of desk ${setting.found.definition.name}`,
    `give stretches of many bars of ${formatInterval(intervalMs)}`,
  );
}
