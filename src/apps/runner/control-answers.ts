import type { EdgeState, PortfolioLimits } from '#engine';
import type { BreakerCause, BreakerConfig, BreakerMeasures, BreakerMove, KillTrigger } from '#risk';
import type { ModelReport, ParityReport } from '#signals';
import type { IngestFigures } from '../ingest/ingest-figures.ts';
import type { TraceFigures } from '../traces/traces.ts';
import type { HistogramAnswer } from './histogram.ts';
import type { Status } from './status.ts';

// What a running portfolio answers on its control line, by what was asked. Money and quantities are decimal strings in the
// base currency, times epoch ms, shares fractions. A number that is not known is null.

/** One limit and how much of it is used now. A limit that measures several things (assets, groups) has a line for each. */
export interface LimitGauge {
  readonly name: string;
  /** Whose limit it is; null: the portfolio's, above those of its desks. */
  readonly desk: string | null;
  readonly layer: 'limit' | 'safety' | 'portfolio' | 'platform';
  /** What is measured: an underlying, a group, a position; null: the account. */
  readonly of: string | null;
  readonly used: number | null;
  readonly max: number | null;
  /** used / max; null for a limit without numbers. */
  readonly share: number | null;
  readonly unit: string | null;
}

export interface ExposureAnswer {
  readonly book: string;
  readonly desk: string;
  readonly instrument: string;
  readonly underlying: string;
  readonly side: 'long' | 'short';
  readonly quantity: string;
  readonly notional: string;
  readonly margin: string;
  /** Loss if the stop is hit from here; the whole margin without a stop. */
  readonly riskToStop: string;
  readonly unrealised: string;
  /** Notional over equity. */
  readonly share: number | null;
}

/** Positions that follow one thing, added up. */
export interface ExposureSum {
  readonly of: string;
  readonly long: string;
  readonly short: string;
  readonly net: string;
  readonly gross: string;
  readonly margin: string;
  /** Gross over equity. */
  readonly share: number | null;
}

export interface BreakerAnswer {
  readonly state: string;
  readonly since: number;
  readonly overridden: boolean;
  readonly closesAll: boolean;
  readonly sizeMultiplier: number;
  /** When it goes down a level if nothing happens; null: never by itself. */
  readonly nextDueAt: number | null;
  readonly causes: readonly BreakerCause[];
  readonly thresholds: BreakerConfig;
  readonly measures: BreakerMeasures;
  /** Oldest first, at most 256. */
  readonly history: readonly BreakerMove[];
}

export interface RiskAnswer {
  readonly at: number;
  readonly currency: string;
  readonly running: boolean;
  readonly desksStopped: readonly string[];
  readonly equity: string;
  readonly free: string;
  readonly margin: string;
  readonly gross: string;
  readonly net: string;
  readonly limits: readonly LimitGauge[];
  readonly portfolioLimits: {
    readonly configured: PortfolioLimits;
    /** What an operator has put in their place. */
    readonly changed: PortfolioLimits;
    readonly inForce: PortfolioLimits;
  };
  readonly exposures: readonly ExposureAnswer[];
  /** What working orders may still add. */
  readonly ordered: readonly ExposureAnswer[];
  readonly byInstrument: readonly ExposureSum[];
  readonly byUnderlying: readonly ExposureSum[];
  /** sqrt(w'Rw) of the signed risks to the stops over equity, of what is held and ordered: what the limit sees. */
  readonly heat: number | null;
  readonly valueAtRisk: {
    readonly amount: string | null;
    /** Of equity. */
    readonly share: number | null;
    readonly confidence: number;
    readonly spanMs: number;
    readonly formula: string;
    /** Held, but with too few returns to know its deviation: the amount is null then. */
    readonly unknown: readonly string[];
  };
  readonly correlation: {
    readonly instruments: readonly string[];
    /** `matrix[i][j]` of `instruments[i]` and `instruments[j]`; the stated prior until enough common returns exist. */
    readonly matrix: readonly (readonly (number | null)[])[];
    /** Standard deviation of one period's return; null while too few are known. */
    readonly deviations: readonly (number | null)[];
    readonly periodMs: number;
  };
  readonly breaker: BreakerAnswer | null;
  readonly drawdown: { readonly now: number; readonly max: number; readonly peak: string };
  /** Since 00:00 UTC; `loss` is never negative. */
  readonly day: { readonly start: string; readonly change: number; readonly loss: number };
}

/** `stated` and `happened` are means of the claims whose stated value lies in [from, to). A score's values are -1..1. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly stated: number;
  /** Share of them after which the price was higher. */
  readonly happened: number;
}

/** A source's scorecard: everything it said, the overruled included, settled at its own horizon. */
export interface SourceAnswer {
  readonly source: string;
  readonly emits: 'score' | 'forecast' | 'proposal' | null;
  /** Signals that took a side and were settled. */
  readonly n: number;
  readonly hits: number;
  readonly hitRate: number | null;
  readonly recentHitRate: number | null;
  readonly recentN: number;
  readonly neutral: number;
  readonly forecasts: number;
  readonly brier: number | null;
  readonly logLoss: number | null;
  readonly meanReturn: number | null;
  readonly returnPerScore: number | null;
  readonly unscored: number;
  /** What the desk's pooling is given for it; 1 where the desk states none. */
  readonly weight: number;
  /** Empty: weights do not change while a portfolio runs. */
  readonly weightHistory: readonly { readonly at: number; readonly weight: number }[];
  readonly reliability: readonly ReliabilityBin[];
}

export interface GateAnswer {
  readonly gate: string;
  /** `rule`: the pooling or quorum rule, which objects as well. */
  readonly kind: 'gate' | 'veto' | 'rule';
  /** Entries the desk's pooling wanted. */
  readonly considered: number;
  readonly objected: number;
  /** Of the entries it objected to: return in their direction at their sources' longest horizon, before costs. */
  readonly wouldHave: {
    readonly n: number;
    readonly hitRate: number | null;
    readonly meanReturn: number | null;
  };
}

export interface DeskLearningAnswer {
  readonly desk: string;
  readonly stopped: boolean;
  readonly pooling: string;
  readonly sources: readonly SourceAnswer[];
  readonly gates: readonly GateAnswer[];
  readonly ideas: {
    readonly considered: number;
    readonly passed: number;
    /** The entries that passed, by the same measure as a gate's `wouldHave`. */
    readonly outcome: GateAnswer['wouldHave'];
  };
  readonly edge: EdgeState;
  readonly allocation: {
    readonly margin: string;
    readonly notional: string;
    readonly unrealised: string;
    /** Margin over the portfolio's equity. */
    readonly share: number | null;
    readonly positions: number;
  };
}

export interface LearningAnswer {
  readonly at: number;
  readonly desks: readonly DeskLearningAnswer[];
}

export interface ExitAnswer {
  readonly exit: string;
  readonly on: 'price' | 'time' | 'indicator' | 'state';
  readonly level: number | null;
  readonly now: number | null;
  /** To the level: a fraction of the price, ms, or units of the indicator; never negative. */
  readonly distance: number | null;
  /** How much of the way to the level is done, 0..1, from the entry or the best price: what the list is sorted by. */
  readonly progress: number | null;
  readonly armed: boolean;
  /** The order at the venue that does it; null: the desk watches. */
  readonly order: string | null;
  readonly text: string;
}

export interface PositionExitsAnswer {
  readonly book: string;
  readonly desk: string;
  readonly instrument: string;
  readonly side: 'long' | 'short';
  readonly quantity: string;
  readonly entryPrice: number;
  readonly price: number | null;
  readonly openedAt: number;
  readonly leaving: { readonly reason: string; readonly manual: boolean } | null;
  /** Nearest first; those without a level last. */
  readonly exits: readonly ExitAnswer[];
}

/** An order that may still fill. Prices are decimal strings on the instrument's grid. */
export interface WorkingOrderAnswer {
  readonly clientId: string;
  readonly book: string;
  readonly desk: string;
  readonly instrument: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly status: string;
  readonly quantity: string;
  readonly filled: string;
  readonly price: string | null;
  readonly trigger: string | null;
  readonly reduceOnly: boolean;
  /** What it is for: entry, stop-loss, take-profit, exit:... */
  readonly reason: string;
  readonly submittedAt: number;
  readonly cancelRequestedAt: number | null;
}

export interface ExitsAnswer {
  readonly at: number;
  readonly orders: readonly WorkingOrderAnswer[];
  readonly positions: readonly PositionExitsAnswer[];
}

export interface Heartbeat {
  readonly pid: number;
  /** Wall time of the last step or idle beat, ms. */
  readonly stepAt: number;
  /** The loop's own time. */
  readonly at: number;
  readonly feed: string;
}

/**
 * Counters and histograms. Counts of `life` are over the whole journal and survive restarts; those of `process` began
 * with the process.
 */
export interface MetricsAnswer {
  /** Of an ingestion beside the loop; null without one, and before it has told any. */
  readonly ingest: IngestFigures | null;
  /** Of the loop's own traces; null where none are collected. */
  readonly traces: TraceFigures | null;
  readonly at: number;
  readonly pid: number;
  readonly startedAt: number;
  readonly portfolio: string;
  readonly mode: string;
  readonly currency: string;
  readonly codeHash: string;
  readonly running: boolean;
  readonly desksStopped: readonly string[];
  readonly stages: {
    readonly event: HistogramAnswer;
    readonly decide: HistogramAnswer;
    readonly commit: HistogramAnswer;
    readonly turn: HistogramAnswer;
  };
  readonly life: {
    readonly bars: number;
    readonly slices: number;
    readonly orders: number;
    readonly fills: number;
    readonly trades: number;
    readonly shadowTrades: number;
    readonly reviews: number;
    readonly questions: number;
    readonly entriesConsidered: number;
    readonly decisions: readonly {
      readonly desk: string;
      readonly outcome: string;
      readonly count: number;
    }[];
    /** Who objected to what was not entered. */
    readonly objections: readonly { readonly outcome: string; readonly by: string; readonly count: number }[];
    readonly ordersEnded: Readonly<Record<string, number>>;
    readonly ordersRejected: Readonly<Record<string, number>>;
    readonly exits: Readonly<Record<string, number>>;
    readonly signals: Readonly<Record<string, number>>;
    readonly reductions: Readonly<Record<string, number>>;
    readonly breakerStates: Readonly<Record<string, number>>;
    /** Market fills with an expected price; the sum is of slippage against us in basis points. */
    readonly slippage: { readonly fills: number; readonly sumBps: number };
  };
  readonly now: {
    readonly equity: number;
    readonly cash: number;
    readonly realised: number;
    readonly unrealised: number;
    readonly fees: number;
    readonly funding: number;
    readonly dayChange: number;
    readonly drawdown: number;
    readonly maxDrawdown: number;
    readonly positions: number;
    readonly workingOrders: number;
    readonly reviewsOpen: number;
    /** Null: the portfolio has no breaker. `level`: 0 CLOSED to 4 SHUTDOWN. */
    readonly breaker: { readonly state: string; readonly level: number } | null;
  };
  readonly feed: {
    readonly status: string;
    /** Wall time since the last market event, ms; null before the first. */
    readonly ageMs: number | null;
    readonly tape: Status['tape'];
  };
  readonly journal: { readonly entries: number; readonly bytes: number };
  readonly projections: {
    readonly behind: boolean;
    readonly queued: number;
    /** Journal entries not projected yet; null while the database has not been reached. */
    readonly lag: number | null;
    readonly failures: number;
    readonly error: string | null;
  } | null;
  readonly process: {
    /** Market events that wait for their turn. */
    readonly feedQueue: number;
    readonly stepAt: number;
    readonly lastTurnMs: number;
    readonly eventLoopLag: {
      readonly unit: 'ms';
      readonly mean: number;
      readonly p50: number;
      readonly p99: number;
      readonly max: number;
    };
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly heapTotalBytes: number;
    readonly uptimeS: number;
  };
}

/** One switch that stops a desk, or a group of desks, until a person resets it. */
export interface KillSwitchAnswer {
  readonly name: string;
  readonly kind: 'desk' | 'group';
  /** Desks that it stops. */
  readonly desks: readonly string[];
  /** What tripped it; null while it has not tripped, as all that follows. */
  readonly trigger: KillTrigger | null;
  readonly since: number | null;
  readonly text: string | null;
  readonly measured: number | null;
  readonly needed: number | null;
  readonly resetAt: number | null;
}

/** What one part of a desk said last. */
export interface VerdictAnswer {
  readonly by: string;
  readonly kind: 'source' | 'gate' | 'rule';
  readonly verdict: 'passes' | 'objects' | 'silent' | 'not-asked';
  /** Of a source: its score or probability. */
  readonly value: number | null;
  readonly reason: string | null;
  readonly measured: number | null;
  readonly needed: number | null;
  readonly relation: string | null;
}

export interface ModelAnswer extends Omit<ModelReport, 'parity'> {
  readonly ageMs: number | null;
  /** Null: it is compared with nothing. Figures are null while no bar was compared. */
  readonly parity: Pick<ParityReport, 'bars' | 'meanBp' | 'maxBp'> | null;
}

/** How one desk stands in one instrument. */
export interface BookAnswer {
  readonly book: string;
  readonly desk: string;
  /** What the desk was loaded from; siblings have the same. */
  readonly family: string;
  readonly instrument: string;
  readonly underlying: string;
  readonly intervalMs: number;
  /** An operator has stopped the entries of this desk alone. */
  readonly stopped: boolean;
  readonly bars: number;
  readonly warmUpBars: number;
  /** When its newest bar ended. */
  readonly lastBarAt: number | null;
  readonly stamps: readonly string[];
  readonly position: {
    readonly side: 'long' | 'short';
    readonly quantity: string;
    readonly entryPrice: number;
    readonly price: number | null;
    readonly unrealised: string;
  } | null;
  /** Since 00:00 UTC and since the beginning, open position included. */
  readonly today: string;
  readonly made: string;
  readonly trades: { readonly won: number; readonly lost: number; readonly even: number };
  /** Sums of the trades that won and of those that lost, both positive, base currency. */
  readonly profit: number;
  readonly loss: number;
  /** Fall of what was made from its highest, over the opening cash and that height: now, the largest, and the band. */
  readonly drawdown: number;
  readonly drawdownMax: number;
  readonly drawdownLimit: number | null;
  /** Null before the first. */
  readonly decision: {
    readonly at: number;
    readonly action: string;
    readonly wanted: string | null;
    readonly confidence: number;
    readonly verdicts: readonly VerdictAnswer[];
  } | null;
  /** Null: the desk rests on no model. */
  readonly model: ModelAnswer | null;
}

export interface DesksAnswer {
  /** What ages are counted to: the clock of a live feed, the loop's own time on a tape. */
  readonly at: number;
  readonly currency: string;
  readonly running: boolean;
  /** Groups first. */
  readonly killSwitches: readonly KillSwitchAnswer[];
  readonly books: readonly BookAnswer[];
}

export interface DriftAnswer {
  readonly at: number;
  readonly desk: string;
  readonly items: readonly {
    readonly instrument: string;
    readonly intervalMs: number;
    readonly model: ModelAnswer | null;
    readonly parity: ParityReport | null;
  }[];
}

/** What lies under the name of what was asked in an answer `{"ok":true, [ask]: ...}`. */
export interface AnswersByAsk {
  readonly status: Status;
  readonly risk: RiskAnswer;
  readonly learning: LearningAnswer;
  readonly exits: ExitsAnswer;
  readonly metrics: MetricsAnswer;
  readonly desks: DesksAnswer;
  readonly heartbeat: Heartbeat;
}
