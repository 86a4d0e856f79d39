import { join } from 'node:path';
import type { RunRegistry } from '#adapters';
import { DAY, formatInstant, formatInterval, InputError } from '#base';
import {
  CALENDAR_YEAR,
  COST_FACTORS,
  type CostPlay,
  capacityOf,
  type Deciding,
  dailyReturns,
  decidingKey,
  type FamilyMember,
  familyEvidence,
  familyOf,
  gainsUpTo,
  isWholeRun,
  lastDayUpTo,
  monthsOf,
  type Passport,
  performanceOf,
  type RegisteredTrial,
  regimesOf,
  sharpeOf,
  type TrialRecord,
  tradingYear,
  trialNeighbours,
  volatilityTerciles,
  type WalkForwardOnRecord,
} from '#research';
import { readAnswers } from '../setup/answers-file.ts';
import { deskHash } from '../setup/load-desk.ts';
import { dayLookup } from '../setup/registry/day-lookup.ts';
import { UNREGISTERED } from '../setup/registry/open-registry.ts';
import { dayOf, tapeDays } from '../setup/registry/tape-days.ts';
import { deskFile } from '../setup/registry/trial-writer.ts';
import { writeWholeFile } from '../whole-file.ts';
import { openRun } from '../worth/worth-run.ts';
import { marketDays, meanVolatility } from './market-days.ts';
import { type CostedPlay, playAtCosts } from './play-at-costs.ts';

export const PASSPORT_FILE = 'passport.json';

export interface PassportRequest {
  /** A finished backtest's directory. */
  readonly dir: string;
  readonly registry: RunRegistry;
  /** Hears how much of all is done; false stops it. */
  readonly onProgress: (done: number, total: number) => boolean;
}

/**
 * The passport of a finished run: it is played again at several costs, and everything that was tried before it is counted in
 * the registry. The same registry and run give the same passport. Null when it was stopped. Throws {@link InputError} for a
 * directory that is no whole run of this version, and for a run that cannot be played again as it was.
 */
export async function makePassport(request: PassportRequest): Promise<Passport | null> {
  const { dir, registry, onProgress } = request;
  const { run, journalHash, summary } = await openRun(dir);
  const answers = run.answers === null ? null : readAnswers(run.answers);
  const steps = run.tape.length;
  const plays = new Map<number, CostedPlay>();
  for (const [i, factor] of COST_FACTORS.entries()) {
    const played = await playAtCosts(run, answers, factor, factor === 1, (position) =>
      onProgress(i * steps + position, COST_FACTORS.length * steps),
    );
    if (played === null) return null;
    plays.set(factor, played);
  }
  const own = plays.get(1)!;
  if (own.commandsHash !== summary.commandsHash) {
    throw new InputError(
      `${dir} cannot be played again as it was: the commands differ from those in summary.json`,
      'a run that was interrupted, or whose answers have changed, gets no passport; run the backtest again',
    );
  }
  const { configuration, desk, tape } = run;
  // counted after the plays, which take a while: others may put runs on record meanwhile
  const { trials, head } = registry.trials();
  const returns = dailyReturns(own.daily.start, own.daily.closes);
  const days = tapeDays(tape);
  const year = tradingYear(days);
  const hash = deskHash(desk);
  const known = recordOf(
    trials,
    { ...configuration, deskHash: hash, answersHash: answers?.hash ?? null },
    returns,
  );
  const told = [
    ...(desk.parts.stamps ?? []),
    ...(summary.stamps ?? []),
    // the record cannot be edited, a summary can
    ...(known?.stamps ?? []),
    ...(known === null ? [UNREGISTERED] : []),
  ];
  const stamps = [...new Set(told)];
  const traits = { name: desk.definition.name, source: desk.sourceHash, file: deskFile(desk) };
  const family = familyOf(trials, { desk: traits, days: { first: days[0]!, last: days.at(-1)! } });
  const member = (trial: RegisteredTrial): FamilyMember => ({
    hash: trial.hash,
    returns: trial.returns,
    days: daysOf(trial),
    isCandidate: trial.kind !== 'worth',
  });
  const daysOf = dayLookup(registry);
  const self: FamilyMember = { hash: known?.hash ?? 'this run', returns, days, isCandidate: true };
  const market = marketDays(tape);
  const lived = { returns, days, trades: own.trades, volatility: meanVolatility(market, days) };
  const costs = COST_FACTORS.map((factor) => costPlay(factor, plays.get(factor)!, year));
  return {
    schemaVersion: 1,
    desk: desk.definition.name,
    deskHash: hash,
    parameters: desk.parameters,
    instruments: [...new Set(run.shapes.map(({ instrument }) => instrument))].sort(),
    interval: formatInterval(own.intervalMs),
    currency: own.currency,
    tapeHash: configuration.tapeHash,
    codeHash: configuration.codeHash,
    journalHash,
    trialHash: self.hash,
    registry: { entries: head.entries, head: head.chain },
    from: formatInstant(days[0]! * DAY).slice(0, 10),
    to: formatInstant(days.at(-1)! * DAY).slice(0, 10),
    days: days.length,
    stamps,
    run: figuresOf(own, year),
    family: {
      names: family.names,
      kinds: countKinds(family.trials),
      elsewhere: family.elsewhere,
      otherDesks: family.others,
    },
    evidence: familyEvidence(self, family.trials.map(member)),
    walkForward: walkForwardOf(family.trials),
    neighbourhood: trialNeighbours(self.hash, comparable(family.trials, known, year)),
    costs,
    gainsUpTo: gainsUpTo(costs),
    capacity: capacityOf({
      cash: own.cash,
      profit: own.equityEnd - own.cash,
      fills: own.fills.map(({ instrument, time, quantity, notional }) => {
        const ownDays = market.get(instrument);
        const day = ownDays === undefined ? undefined : lastDayUpTo(ownDays, dayOf(time));
        return {
          notional,
          quantity,
          dayVolume: day?.volume ?? null,
          dayVolatility: day?.volatility ?? null,
        };
      }),
    }),
    months: monthsOf(lived),
    volatility: volatilityTerciles(lived),
    regimes: desk.parts.regime === undefined ? [] : regimesOf(lived),
  };
}

/** Writes a passport beside the run's files. */
export function writePassport(dir: string, passport: Passport): void {
  writeWholeFile(join(dir, PASSPORT_FILE), [passportText(passport)]);
}

export const passportText = (passport: Passport): string => `${JSON.stringify(passport, null, 2)}\n`;

/** The run as it is on record: what decided it, and what it came to on every day. */
function recordOf(
  trials: readonly RegisteredTrial[],
  run: Deciding,
  returns: Float64Array,
): RegisteredTrial | null {
  const key = decidingKey(run);
  const found = trials.find(
    (trial) =>
      isWholeRun(trial) &&
      trial.returns.length === returns.length &&
      trial.returns.every((value, i) => value === returns[i]) &&
      decidingKey(trial) === key,
  );
  return found ?? null;
}

function sameSetting(trial: TrialRecord, other: TrialRecord): boolean {
  return (
    trial.tapeHash === other.tapeHash &&
    trial.desk.name === other.desk.name &&
    trial.desk.source === other.desk.source &&
    trial.removed === null &&
    trial.cash === other.cash &&
    trial.feeBps === other.feeBps &&
    trial.slippageBps === other.slippageBps &&
    trial.seed === other.seed &&
    trial.answersHash === other.answersHash &&
    trial.codeHash === other.codeHash
  );
}

/** Trials that differ from the run in parameters only. */
function comparable(trials: readonly RegisteredTrial[], own: RegisteredTrial | null, year: number) {
  if (own === null) return [];
  const scale = Math.sqrt(year / CALENDAR_YEAR);
  return trials
    .filter((trial) => sameSetting(trial, own))
    .map(({ hash, study, parameters, figures }) => ({
      hash,
      study,
      parameters,
      sharpe: figures.sharpe == null ? null : figures.sharpe * scale,
      return: figures.return ?? null,
    }));
}

function walkForwardOf(trials: readonly RegisteredTrial[]): WalkForwardOnRecord | null {
  const all = trials.filter(({ figures }) => figures.windows !== undefined);
  const worst = [...all].sort(
    (a, b) =>
      (a.figures.efficiency ?? Number.NEGATIVE_INFINITY) -
        (b.figures.efficiency ?? Number.NEGATIVE_INFINITY) || a.position - b.position,
  )[0];
  if (worst === undefined) return null;
  const { windows = null, efficiency = null } = worst.figures;
  return { hash: worst.hash, windows, efficiency, onRecord: all.length };
}

function countKinds(trials: readonly RegisteredTrial[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of trials) counts[kind] = (counts[kind] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function costPlay(
  factor: number,
  { cash, daily, equityEnd, fees, maxDrawdown, trades }: CostedPlay,
  year: number,
): CostPlay {
  const returns = dailyReturns(daily.start, daily.closes);
  return {
    factor,
    return: equityEnd / cash - 1,
    sharpe: returns.length < 3 ? null : sharpeOf(returns, year),
    maxDrawdown,
    trades: trades.length,
    fees: fees / cash,
  };
}

function figuresOf(play: CostedPlay, periodsPerYear: number): Passport['run'] {
  const { cash, daily, equityEnd, maxDrawdown, trades } = play;
  const equity = [daily.start, ...daily.closes];
  const performance = performanceOf({ equity, periodsPerYear, trades });
  return {
    cash,
    profit: equityEnd - cash,
    return: equityEnd / cash - 1,
    sharpe: daily.closes.length < 3 ? null : performance.sharpe,
    periodsPerYear,
    maxDrawdown,
    trades: trades.length,
    winRate: performance.winRate,
    profitFactor: performance.profitFactor,
    expectancy: performance.expectancy,
    hasNoLoss: trades.length > 0 && trades.every(({ net }) => net >= 0) && trades.some(({ net }) => net > 0),
  };
}
