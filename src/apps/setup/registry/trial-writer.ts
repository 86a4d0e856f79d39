import { resolve } from 'node:path';
import type { NewTrial, RunRegistry, Tape } from '#adapters';
import { assert, sha256 } from '#base';
import {
  type DailyEquity,
  dailyReturns,
  type TrialDays,
  type TrialFigures,
  type TrialKind,
  trialDays,
} from '#research';
import { codeHash } from '../code-hash.ts';
import { deskHash, type LoadedDesk } from '../load-desk.ts';
import { type StudySettings, settledCosts } from '../study.ts';
import { tapeDays } from './tape-days.ts';

/** What all runs over one tape have in common. */
export interface TrialSetting {
  readonly tape: Tape;
  /** UTC days at whose end equity was taken; all of the tape's when left out. */
  readonly days?: Int32Array;
  /** Of the bars the desk decides on. */
  readonly intervalMs: number;
  /** SHA-256 of the recorded answers; null without. */
  readonly answersHash: string | null;
  readonly kind: TrialKind;
  /** Hash of the sweep or other study the runs belong to; null of a run made alone. */
  readonly study: string | null;
}

/** One run as it was played. */
export interface PlayedTrial {
  readonly desk: LoadedDesk;
  readonly settings: Pick<StudySettings, 'cash' | 'feeBps' | 'slippageBps' | 'seed'>;
  /** The part that was taken out, if one was. */
  readonly removed?: string;
  readonly figures: TrialFigures;
  readonly stamps: readonly string[];
  readonly daily: DailyEquity;
}

/** Turns played runs into records, all over one tape. */
export class TrialRecorder {
  private readonly setting: TrialSetting;
  private readonly days: Int32Array;
  private readonly described: TrialDays;
  private readonly instruments: readonly string[];

  constructor(setting: TrialSetting) {
    this.setting = setting;
    this.days = setting.days ?? tapeDays(setting.tape);
    this.described = trialDays(this.days);
    const bars = setting.tape.series.filter(({ kind }) => kind === 'bars');
    this.instruments = [...new Set(bars.map(({ instrument }) => instrument))].sort();
  }

  trial({ desk, settings, removed, figures, stamps, daily }: PlayedTrial): NewTrial {
    const { tape, intervalMs, answersHash, kind, study } = this.setting;
    assert(daily.closes.length <= this.days.length, 'a run has no more days than its data');
    const wasCut = daily.closes.length < this.days.length;
    return {
      record: {
        desk: { name: desk.definition.name, source: desk.sourceHash },
        deskHash: deskHash(desk),
        parameters: desk.parameters,
        removed: removed ?? null,
        tapeHash: tape.hash,
        instruments: this.instruments,
        intervalMs,
        days: this.described,
        ...settledCosts(desk.parts, settings),
        seed: settings.seed,
        answersHash,
        codeHash: codeHash(),
        figures,
        stamps: wasCut ? [...stamps, 'interrupted'] : stamps,
      },
      returns: dailyReturns(daily.start, daily.closes),
      days: this.days,
      kind,
      file: deskFile(desk),
      study,
    };
  }
}

/** Path of a desk's file; null of a built-in desk, whose source is its name. */
export function deskFile({ named, sourceHash }: Pick<LoadedDesk, 'named' | 'sourceHash'>): string | null {
  return sourceHash === sha256(`built-in ${named}`) ? null : resolve(named);
}

/** Figures of a run's summary, as every kind of run puts them on record. */
export function trialFigures(summary: {
  readonly trades: number;
  readonly return: number | null;
  readonly sharpe: number | null;
  readonly maxDrawdown: number;
}): TrialFigures {
  const { trades, sharpe, maxDrawdown } = summary;
  return { trades, return: summary.return, sharpe, maxDrawdown };
}

/** Puts one run on record, and where its directory is. Returns its hash. */
export function registerRun(
  registry: RunRegistry,
  setting: TrialSetting,
  played: PlayedTrial,
  directory: string | null,
): string {
  const trial = new TrialRecorder(setting).trial(played);
  const now = Date.now();
  const [hash] = registry.register([trial], now);
  if (directory !== null) registry.place(hash!, resolve(directory), now);
  return hash!;
}
