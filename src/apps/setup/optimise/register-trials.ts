import type { RunRegistry, Tape } from '#adapters';
import { canonicalJson, sha256 } from '#base';
import type { Point, TrialFigures, TrialKind } from '#research';
import { deskWith } from '../load-desk.ts';
import { tapeDays } from '../registry/tape-days.ts';
import { TrialRecorder, trialFigures } from '../registry/trial-writer.ts';
import type { PlayedSpan } from './play-span.ts';
import type { Span } from './span-tape.ts';
import type { StudySetting } from './study-setting.ts';

/** Puts a played run of a study on record. */
export type RegisterRun = (played: PlayedSpan, span: Span | null) => void;

/** Joined stretches that were traded one behind the other, as one run. Money in minor units. */
export interface JoinedRun {
  readonly point: Point;
  readonly span: Span;
  readonly cash: number;
  /** UTC days that were tested, and equity at the end of each. */
  readonly days: Int32Array;
  readonly daily: readonly number[];
  readonly figures: TrialFigures;
  readonly stamps: readonly string[];
}

export interface StudyRegistration {
  readonly run: RegisterRun;
  readonly joined: (joined: JoinedRun) => void;
}

/** Data of spans looked at lately. */
const SPANS_KEPT = 8;

/**
 * Puts the runs of a study on record, each over the bars it was traded on: the history before a span is not among them. A run
 * is on record before anything else keeps it, so that an interruption never leaves a result that was not counted.
 */
export function studyRegistration(
  registry: RunRegistry,
  kind: TrialKind,
  study: StudySetting,
): StudyRegistration {
  const { setting, identity, intervalMs } = study;
  const { found, set, settings, data, answersHash } = setting;
  const name = sha256(canonicalJson(identity));
  const recorders = new Map<string, TrialRecorder>();
  const recording = (span: Span | null, days?: Int32Array): TrialRecorder => {
    const tape: Tape = span === null ? data.tape : data.tape.cut(span.from, span.to);
    return new TrialRecorder({ tape, intervalMs, answersHash, kind, study: name, ...(days && { days }) });
  };
  const recorderOf = (span: Span | null): TrialRecorder => {
    const key = span === null ? '' : `${span.from} ${span.to}`;
    let recorder = recorders.get(key);
    if (recorder === undefined) {
      recorder = span === null ? recording(null) : recording(span, tapeDays(data.tape, span));
      if (recorders.size === SPANS_KEPT) recorders.delete(recorders.keys().next().value!);
      recorders.set(key, recorder);
    }
    return recorder;
  };
  const cashOf = (minor: number, scale: number): number => minor / 10 ** scale;
  return {
    run: ({ point, figures, cash, minorScale, daily, stamps }, span) => {
      const trial = recorderOf(span).trial({
        desk: deskWith(found, { ...set, ...point }),
        settings: { ...settings, cash: cashOf(cash, minorScale) },
        figures: trialFigures(figures),
        stamps,
        daily: { start: cash, closes: Float64Array.from(daily) },
      });
      registry.register([trial], Date.now());
    },
    joined: ({ point, span, cash, days, daily, figures, stamps }) => {
      const trial = recording(span, days).trial({
        desk: deskWith(found, { ...set, ...point }),
        // no single run over the same bars is meant
        settings: { ...settings, seed: `${settings.seed}/joined` },
        figures,
        stamps,
        daily: { start: cash, closes: Float64Array.from(daily) },
      });
      registry.register([trial], Date.now());
    },
  };
}
