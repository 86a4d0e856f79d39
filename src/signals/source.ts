import type { Instant } from '#base';
import type { FeatureFrame, FundingState } from '#features';
import type { Instrument, InstrumentId } from '#market';
import type { ModelReport } from './models/model-report.ts';
import type { Signal } from './signal.ts';

/**
 * Local name -> feature expression: `request` or `request/output`, for example
 * `{ fast: 'sma:10', hist: 'macd:12:26:9/hist' }`. The engine fills an object of the same shape with numbers
 * (NaN while not defined) before each call.
 */
export type FeatureNeeds = Readonly<Record<string, string>>;
export type FeatureValues<F extends FeatureNeeds> = { readonly [K in keyof F]: number };

/** Rows of the same features, one array each. */
export type FeatureColumns<F extends FeatureNeeds> = { readonly [K in keyof F]: Float64Array };

/** What a source may look at: market data up to now. No positions, no money. */
export interface View {
  readonly at: Instant;
  readonly instrument: Instrument;
  readonly intervalMs: number;
  /** Bars seen of this series, this one included. */
  readonly count: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  /** This series' history and features. */
  readonly frame: FeatureFrame;
  /** The frame of another subscribed series, null when the desk does not subscribe to it. */
  peer(instrument: InstrumentId, intervalMs?: number): FeatureFrame | null;
  /** Funding of this instrument, or of another that the desk has; null while no rate has fallen due. */
  funding(instrument?: InstrumentId): FundingState | null;
  /** Newest observation on a subject published no later than `at`. */
  observation(subject: string): { readonly value: number | string; readonly publishedAt: Instant } | null;
}

/** A local source answers at once. `state` is plain data, one per instrument, kept in snapshots. */
export interface LocalSource<F extends FeatureNeeds = FeatureNeeds, S = unknown> {
  readonly kind: 'local';
  readonly name: string;
  /** The kind of signal it gives, so that a composition can be checked before the first bar. */
  readonly emits?: Signal['kind'];
  readonly features: F;
  readonly state: () => S;
  readonly signal: (view: View, values: FeatureValues<F>, state: S) => Signal | null;
  /**
   * For a source that looks at its values and its state alone: the first row from `from` on, before `to`, at which
   * `signal` would speak or change the state; `to` when it would not. Lets a backtest pass over such bars.
   */
  readonly speaksAt?: (columns: FeatureColumns<F>, from: number, to: number, state: Readonly<S>) => number;
  /** For a source that rests on a learned model: how that stands, for people who watch it. */
  readonly report?: (state: Readonly<S>) => ModelReport;
}

/** What leaves as a question; `prompt` is plain data for the adapter that answers. */
export interface Question {
  readonly topic: string;
  readonly prompt: unknown;
}

/**
 * A remote source asks outside and reads the answer inside; both are pure. A malformed answer is a refusal
 * (null), no answer by the deadline is silence.
 */
export interface RemoteSource<F extends FeatureNeeds = FeatureNeeds, S = unknown> {
  readonly kind: 'remote';
  readonly name: string;
  /** The kind of signal it gives, so that a composition can be checked before the first bar. */
  readonly emits?: Signal['kind'];
  readonly features: F;
  readonly timeoutMs: number;
  readonly state: () => S;
  readonly ask: (view: View, values: FeatureValues<F>, state: S) => Question | null;
  readonly read: (view: View, answer: unknown, state: S) => Signal | null;
}

export type Source = LocalSource<never, never> | RemoteSource<never, never>;

/** Defines a local source with inferred feature names. */
export function source<const F extends FeatureNeeds, S = null>(definition: {
  name: string;
  emits?: Signal['kind'];
  features: F;
  state?: () => S;
  signal: (view: View, values: FeatureValues<F>, state: S) => Signal | null;
  speaksAt?: (columns: FeatureColumns<F>, from: number, to: number, state: Readonly<S>) => number;
  report?: (state: Readonly<S>) => ModelReport;
}): Source {
  return { kind: 'local', state: () => null, ...definition } as unknown as Source;
}

/** Defines a remote source with inferred feature names. */
export function remoteSource<const F extends FeatureNeeds, S = null>(definition: {
  name: string;
  emits?: Signal['kind'];
  features: F;
  timeoutMs: number;
  state?: () => S;
  ask: (view: View, values: FeatureValues<F>, state: S) => Question | null;
  read: (view: View, answer: unknown, state: S) => Signal | null;
}): Source {
  return { kind: 'remote', state: () => null, ...definition } as unknown as Source;
}
