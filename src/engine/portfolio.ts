import type { SimulatedVenueOptions } from '#execution';
import type { Currency, Instrument } from '#market';
import type { BreakerConfig, PlatformGuardConfig } from '#risk';
import type { DeskParts } from './desk.ts';
import type { PortfolioLimits } from './portfolio-limits.ts';
import type { TraceSink } from './trace.ts';

/** What a desk's references to models mean: the id of each, or null where there is none. */
export type ModelsInPlace = Readonly<Record<string, string | null>>;

/** A desk as some models make it. */
export interface DeskWithModels {
  readonly parts: DeskParts;
  /** Hash of its configuration, these models included. */
  readonly hash: string;
}

/** The models of a desk that asks for some, and how it is made with others. */
export interface DeskModels {
  /** What its references meant when the run began. */
  readonly begun: ModelsInPlace;
  /** The same models always give the same desk. Throws where one of them is not to be had. */
  readonly build: (models: ModelsInPlace) => DeskWithModels;
}

/** One desk of a portfolio, built: its parts and what it trades. */
export interface DeskSetup {
  readonly name: string;
  readonly configuration: string;
  readonly parts: DeskParts;
  readonly instruments: readonly Instrument[];
  /** Instruments it looks at and never trades; see {@link DeskParts.watches}. */
  readonly watched?: readonly Instrument[];
  readonly intervalMs: number;
  /** Further intervals that sources read through `view.peer`. */
  readonly otherMs: readonly number[];
  /** Absent: it asks for no models. */
  readonly models?: DeskModels;
}

/** What the engine is made from. Two engines made from equal definitions decide alike. */
export interface PortfolioDefinition {
  readonly name: string;
  readonly base: Currency;
  readonly baseMinorScale: number;
  /** Opening cash in minor units of the base currency. */
  readonly cash: number;
  readonly desks: readonly DeskSetup[];
  /**
   * Interval of the feed's bars that make those of `wantedMs`: that length itself where the feed brings it, else the
   * finest that divides it. Without `wantedMs` the finest of the instrument.
   */
  readonly feedMs: (instrument: Instrument['id'], wantedMs?: number) => number;
  readonly breaker: BreakerConfig | null;
  /**
   * Limits of the portfolio beside those of its desks, which an operator may change while it runs. Absent, as in a study
   * of one desk: none, and nobody keeps the correlations that they would ask for.
   */
  readonly limits?: PortfolioLimits;
  /** The guard above the desk's own limits, which can only refuse or reduce; null for a study of one desk. */
  readonly platform: Partial<PlatformGuardConfig> | null;
  /** Entries allowed from the start; a portfolio that is armed by hand starts stopped. */
  readonly running: boolean;
  /**
   * What a desk does that does not say itself: resume when its shadow window shows an edge (a backtest), or wait for a
   * person's word. Absent: wait.
   */
  readonly autoResume?: boolean;
  /** Fee fraction that overrides every schedule, or null. */
  readonly feeRate: number | null;
  /**
   * Ended orders remembered, exactly that many, for reports that come late; it also shortens the memory for ids of
   * charges and unasked fills (at least that many, at most twice). Left out: as many as the ledger does by itself.
   */
  readonly rememberedOrders?: number;
  /** How shadow trades are filled: the same rules as the paper venue. */
  readonly shadowVenue: Omit<SimulatedVenueOptions, 'instrumentOf' | 'seed'>;
  readonly trace: TraceSink;
}
