import { assert, formatInstant, formatInterval, HOUR, MINUTE } from '#base';
import type { AccountSummary, Exposure } from '../account.ts';
import { columnarExits } from '../columnar.ts';
import type { Exit } from '../exit.ts';

/** The last instant that has a date. */
const LAST_INSTANT = 8.64e15;

/** Longest holding time in ms by entry regime; `otherwise` for a regime without one or none at all. */
export interface TimeExitConfig {
  readonly longestMs: Readonly<Record<string, number>>;
  readonly otherwiseMs: number;
}

/** sigma.md 10. An unknown regime is held shortest. */
export const SIGMA_TIMES: TimeExitConfig = {
  longestMs: { TREND_UP: 4 * HOUR, TREND_DOWN: 4 * HOUR, RANGE: 2 * HOUR, CHOP: HOUR, VOLATILE: HOUR },
  otherwiseMs: HOUR,
};

/** Closes a position that has been held for as long as its entry regime allows. */
export function timeExit(changes: Partial<TimeExitConfig> = {}): Exit {
  const config = { ...SIGMA_TIMES, ...changes };
  const exit = 'time';
  const made: Exit = {
    name: exit,
    features: {},
    restsAtVenue: false,
    check: ({ at, position }) => {
      const { entryRegime, openedAt } = position;
      const longest =
        (entryRegime === null ? undefined : config.longestMs[entryRegime]) ?? config.otherwiseMs;
      if (at - openedAt < longest) return null;
      const held = formatInterval(Math.round((at - openedAt) / MINUTE) * MINUTE);
      return { exit, reason: `held for ${held} in ${entryRegime ?? 'no'} regime` };
    },
    ahead: ({ at, position }) => {
      const { entryRegime, openedAt } = position;
      const longest =
        (entryRegime === null ? undefined : config.longestMs[entryRegime]) ?? config.otherwiseMs;
      const level = openedAt + longest;
      // beyond all dates: never
      if (!(level <= LAST_INSTANT)) return null;
      return {
        on: 'time',
        level,
        now: at,
        from: openedAt,
        armed: true,
        text: `held until ${formatInstant(level)}`,
      };
    },
  };
  return columnarExits.describe(made, { kind: exit, longestMs: config.otherwiseMs });
}

/** Entry regime -> regimes that end the idea. */
export type RegimeTurns = Readonly<Record<string, readonly string[]>>;

/** sigma.md 10: a trend that turned to chop or round. */
export const SIGMA_TURNS: RegimeTurns = {
  TREND_UP: ['CHOP', 'TREND_DOWN'],
  TREND_DOWN: ['CHOP', 'TREND_UP'],
};

/** Closes when the regime has become one that ends the idea the position was opened on. */
export function regimeChangeExit(turns: RegimeTurns = SIGMA_TURNS): Exit {
  const exit = 'regime-change';
  return {
    name: exit,
    features: {},
    restsAtVenue: false,
    check: ({ position, regime }) => {
      const { entryRegime } = position;
      if (entryRegime === null || regime === null || !turns[entryRegime]?.includes(regime)) return null;
      return { exit, reason: `regime went from ${entryRegime} to ${regime}` };
    },
    ahead: ({ position }) => {
      const ends = position.entryRegime === null ? undefined : turns[position.entryRegime];
      if (ends === undefined || ends.length === 0) return null;
      const text = `regime becomes ${ends.join(' or ')}`;
      return { on: 'state', level: null, now: null, from: null, armed: true, text };
    },
  };
}

export interface RebalanceConfig {
  readonly positionsMin: number;
  /** Gross margin over equity below which one-sidedness does not matter. */
  readonly grossMarginMin: number;
  /** |long - short| / (long + short) margin above which the heavy side gives one position up. */
  readonly imbalanceMax: number;
  readonly pauseMs: number;
}

export const SIGMA_REBALANCE: RebalanceConfig = {
  positionsMin: 3,
  grossMarginMin: 0.3,
  imbalanceMax: 0.5,
  pauseMs: 5 * MINUTE,
};

/** The worst position of the heavy side when a portfolio is too one-sided, else null. Ties go by book name. */
export function rebalanceVictim(account: AccountSummary, config: RebalanceConfig): Exposure | null {
  const { exposures, equity } = account;
  if (exposures.length < config.positionsMin) return null;
  let long = 0;
  let short = 0;
  for (const { direction, margin } of exposures) {
    if (direction === 1) long += margin;
    else short += margin;
  }
  const gross = long + short;
  if (!(gross >= config.grossMarginMin * equity && Math.abs(long - short) / gross > config.imbalanceMax))
    return null;
  const heavy = long > short ? 1 : -1;
  let worst: Exposure | null = null;
  for (const e of exposures) {
    if (e.direction !== heavy) continue;
    if (
      worst === null ||
      e.unrealised < worst.unrealised ||
      (e.unrealised === worst.unrealised && e.book < worst.book)
    ) {
      worst = e;
    }
  }
  return worst;
}

/**
 * Closes the worst position of the heavy side, at most one per pause. The time of the last one lies in the
 * portfolio's memory of this exit, so it is in the snapshot and shared by all positions and desks of the lane.
 */
export function rebalanceExit(changes: Partial<RebalanceConfig> = {}): Exit {
  const config = { ...SIGMA_REBALANCE, ...changes };
  const exit = 'rebalance';
  return {
    name: exit,
    features: {},
    restsAtVenue: false,
    memory: { of: 'portfolio', make: () => ({ lastAt: Number.NEGATIVE_INFINITY }) },
    check: (context, _values, memory) => {
      const { at, position } = context;
      assert(memory !== undefined, 'the rebalance exit needs its memory: pass ExitMemories.of(exit, book)');
      if (context.openPositions < config.positionsMin || at - memory.lastAt! < config.pauseMs) return null;
      if (rebalanceVictim(context.account, config)?.book !== position.book) return null;
      memory.lastAt = at;
      const side = position.direction === 1 ? 'long' : 'short';
      return { exit, reason: `portfolio is too ${side}; this is its worst ${side} position` };
    },
    ahead: ({ account, position }) => {
      const { positionsMin, grossMarginMin, imbalanceMax } = config;
      let long = 0;
      let short = 0;
      for (const { direction, margin } of account.exposures) {
        if (direction === 1) long += margin;
        else short += margin;
      }
      const gross = long + short;
      if (position.direction === 1 ? long <= short : short <= long) return null;
      const enough = account.exposures.length >= positionsMin && gross >= grossMarginMin * account.equity;
      const now = Math.abs(long - short) / gross;
      const text = `one-sidedness above ${imbalanceMax}, for the worst position of the heavy side`;
      return { on: 'state', level: imbalanceMax, now, from: 0, armed: enough, text };
    },
  };
}

export interface ThesisConfig {
  /** Feature expression of the oscillator, 0..100. */
  readonly feature: string;
  readonly low: number;
  readonly high: number;
}

export const SIGMA_THESIS: ThesisConfig = { feature: 'rsi:14', low: 30, high: 70 };

/** A long that was bought as oversold is over once it is overbought; mirrored for shorts. */
export function thesisExit(changes: Partial<ThesisConfig> = {}): Exit {
  const config = { ...SIGMA_THESIS, ...changes };
  const exit = 'thesis';
  return {
    name: exit,
    features: { rsi: config.feature },
    restsAtVenue: false,
    check: ({ position }, values) => {
      const then = position.atEntry.rsi;
      const now = values.rsi;
      if (then === undefined || now === undefined) return null;
      const played =
        position.direction === 1
          ? then <= config.low && now >= config.high
          : then >= config.high && now <= config.low;
      return played ? { exit, reason: `oscillator went from ${then} to ${now}` } : null;
    },
    ahead: ({ position }, values) => {
      const then = position.atEntry.rsi;
      const now = values.rsi;
      if (then === undefined || now === undefined) return null;
      const long = position.direction === 1;
      if (long ? !(then <= config.low) : !(then >= config.high)) return null;
      const level = long ? config.high : config.low;
      return {
        on: 'indicator',
        level,
        now,
        from: then,
        armed: true,
        text: `${config.feature} reaches ${level}`,
      };
    },
  };
}
