import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Series } from '#research';
import { numberIn, readJson, readTable, textOf } from './read-file.ts';

const figure = z.number().nullable().default(null);
const span = z.looseObject({ from: z.number(), to: z.number() });
const stretch = z.looseObject({ return: figure, sharpe: figure, trades: figure }).nullable().default(null);

const WalkForward = z.looseObject({
  desk: z.string(),
  instruments: z.array(z.string()).default([]),
  currency: z.string().default(''),
  stamps: z.array(z.string()).default([]),
  objective: z.string().default('the objective'),
  joints: z.string().default(''),
  windows: z.array(
    z.looseObject({
      window: z.number(),
      train: span,
      test: span,
      trials: z.number().default(0),
      parameters: z.record(z.string(), z.unknown()).nullable().default(null),
      inSample: stretch,
      outOfSample: stretch,
    }),
  ),
  inSampleAnnual: figure,
  outOfSampleAnnual: figure,
  efficiency: figure,
  return: figure,
  sharpe: figure,
  maxDrawdown: figure,
});

export type WalkForwardFile = z.infer<typeof WalkForward>;

/** A walk-forward with the equity of its joined tests. */
export interface WalkForwardView {
  readonly file: WalkForwardFile;
  /** Joined tests; empty where equity.csv is missing. */
  readonly equity: Series;
}

const habitat = z.looseObject({
  name: z.string(),
  days: z.number().default(0),
  return: figure,
  sharpe: figure,
  trades: z.number().default(0),
  winRate: figure,
  net: figure,
});

const Passport = z.looseObject({
  desk: z.string(),
  commandsHash: z.string().optional(),
  journalHash: z.string().nullable().optional(),
  stamps: z.array(z.string()).default([]),
  run: z.looseObject({ sharpe: figure, periodsPerYear: z.number().positive() }).nullable().default(null),
  evidence: z.looseObject({
    trials: z.number(),
    distinct: figure,
    effective: figure,
    luck: figure,
    psr: figure,
    dsr: figure,
    pbo: figure,
    noPbo: z.string().nullable().default(null),
    trackRecord: figure,
  }),
  walkForward: z.looseObject({ efficiency: figure, windows: figure }).nullable().default(null),
  neighbourhood: z
    .looseObject({
      neighbours: z.number(),
      meanSharpe: figure,
      worstSharpe: figure,
      gaining: figure,
      plateau: figure,
    })
    .nullable()
    .default(null),
  costs: z
    .array(
      z.looseObject({
        factor: z.number(),
        return: figure,
        sharpe: figure,
        maxDrawdown: figure,
        trades: figure,
      }),
    )
    .default([]),
  gainsUpTo: figure,
  capacity: z
    .looseObject({ impactAtRunSize: figure, halfProfit: figure, noProfit: figure, tenthOfVolume: figure })
    .nullable()
    .default(null),
  months: z.array(habitat).default([]),
  volatility: z.array(habitat).default([]),
  regimes: z.array(habitat).default([]),
});

export type PassportFile = z.infer<typeof Passport>;

const interval = z
  .looseObject({ estimate: z.number(), low: z.number(), high: z.number() })
  .nullable()
  .default(null);

const Worth = z.looseObject({
  desk: z.string(),
  journalHash: z.string().nullable().optional(),
  confidence: z.number().default(0.9),
  parts: z.array(
    z.looseObject({
      kind: z.string(),
      name: z.string(),
      verdict: z.string().nullable().default(null),
      return: figure,
      sharpe: figure,
      maxDrawdown: figure,
      trades: figure,
      dailyReturn: interval,
    }),
  ),
});

export type WorthFile = z.infer<typeof Worth>;

export interface OptionalFiles {
  readonly walkForward: WalkForwardView | null;
  readonly passport: PassportFile | null;
  readonly worth: WorthFile | null;
  /** What was found and left out, in words. */
  readonly notes: readonly string[];
}

/** Where else than in the run's directory they lie; null looks there only. */
export interface OptionalPlaces {
  readonly walkForward: string | null;
}

const mendOf = (command: string) => `delete it, or write it again with quorum ${command}`;

/**
 * Walk-forward, passport and worth of a run, each null where it is absent. Throws InputError for a damaged file. What belongs
 * to another run than this one is left out with a note.
 */
export function readOptionalFiles(
  dir: string,
  journalHash: string | null,
  places: OptionalPlaces,
): OptionalFiles {
  const notes: string[] = [];
  const walkDir = places.walkForward ?? placeOf(dir, 'walk-forward', 'walk-forward.json');
  const own = <T extends { readonly journalHash?: string | null | undefined }>(
    file: T | null,
    what: string,
  ) => {
    if (file === null || file.journalHash == null || file.journalHash === journalHash) return file;
    notes.push(`${what} lies in the directory and is of another run; it is left out`);
    return null;
  };
  const passport = join(placeOf(dir, 'passport', 'passport.json'), 'passport.json');
  const worth = join(placeOf(dir, 'worth', 'worth.json'), 'worth.json');
  return {
    walkForward: readWalkForward(walkDir, places.walkForward !== null),
    passport: own(readJson(passport, Passport, mendOf('passport')), 'passport.json'),
    worth: own(readJson(worth, Worth, mendOf('worth')), 'worth.json'),
    notes,
  };
}

/** The directory itself or the folder below it, whichever holds the file. */
const placeOf = (dir: string, folder: string, file: string): string =>
  existsSync(join(dir, file)) ? dir : join(dir, folder);

/** Null where there is none; asked for by name it must be there. */
export function readWalkForward(dir: string, isAskedFor: boolean): WalkForwardView | null {
  const mend = mendOf('walk-forward');
  const path = join(dir, 'walk-forward.json');
  if (isAskedFor && !existsSync(path)) {
    throw Object.assign(new Error(`${path} does not exist`), { code: 'ENOENT', syscall: 'open', path });
  }
  const file = readJson(path, WalkForward, mend);
  if (file === null) return null;
  const table = join(dir, 'equity.csv');
  // a run's own equity has no windows
  const isJoined = textOf(table)?.startsWith('time,window,equity') ?? false;
  const rows = isJoined ? readTable(table, ['time', 'window', 'equity'], mend)! : [];
  return {
    file,
    equity: {
      times: rows.map(([time], i) => numberIn(table, i, 'time', time!, mend)),
      values: rows.map(([, , equity], i) => numberIn(table, i, 'equity', equity!, mend)),
    },
  };
}
