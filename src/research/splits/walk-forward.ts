import { InputError } from '#base';
import { checkSpans, type LabelSpans } from './label-spans.ts';
import { purgedTraining, range, type Split } from './purge.ts';

export interface WalkForwardOptions {
  /** Samples to train on; of an anchored walk those of the first window. */
  readonly train: number;
  /** Samples to test on. */
  readonly test: number;
  /** From one window to the next; by default `test`, so that the tests join without a gap. */
  readonly step?: number;
  /** Training always begins at the first sample. */
  readonly anchored?: boolean;
  /** With spans, training samples whose labels reach into the test are dropped. */
  readonly spans?: LabelSpans;
}

/** One window; `train` and `test` are its samples, the training after purging. */
export interface WalkWindow extends Split {
  readonly number: number;
}

/**
 * Windows in time order over `samples` samples: train, test behind it, and on by a step. With the standard step there
 * are floor((samples - train) / test) of them; samples left over at the end are not tested. No embargo is needed:
 * training never lies behind a test. Throws InputError when not one window fits.
 */
export function walkForward(samples: number, options: WalkForwardOptions): WalkWindow[] {
  const { train, test, step = test, anchored = false, spans } = options;
  for (const [name, value] of Object.entries({ samples, train, test, step })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`${name} of a walk-forward is ${value}`, 'give whole numbers of samples from 1');
    }
  }
  if (train + test > samples) {
    throw new InputError(
      `${samples} samples hold no window of ${train} to train and ${test} to test`,
      'shorten the window or take a longer series',
    );
  }
  if (spans !== undefined) {
    checkSpans(spans);
    if (spans.t0.length !== samples) {
      throw new InputError(
        `${spans.t0.length} label spans for ${samples} samples`,
        'give every sample one span',
      );
    }
  }
  const windows: WalkWindow[] = [];
  for (let begin = 0; begin + train + test <= samples; begin += step) {
    const tested = range(begin + train, begin + train + test);
    const candidates = range(anchored ? 0 : begin, begin + train);
    windows.push({
      number: windows.length,
      train: spans === undefined ? candidates : purgedTraining(spans, tested, 0, candidates),
      test: tested,
    });
  }
  return windows;
}

/**
 * Annual return out of sample per annual return in sample; null where the latter is not above 0, because the share of
 * a loss that was kept says nothing.
 */
export function walkForwardEfficiency(inSampleAnnual: number, outOfSampleAnnual: number): number | null {
  return inSampleAnnual > 0 ? outOfSampleAnnual / inSampleAnnual : null;
}
