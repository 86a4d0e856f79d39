import { assert, type Instant } from '#base';
import type { InstrumentId } from '#market';
import type { Claim, Signal } from '#signals';
import { DueQueue } from './due-queue.ts';
import { brier, logLoss } from './proper-scores.ts';

/** A source's record over everything it said, the overruled included. Means are NaN without anything to average. */
export interface Scorecard {
  readonly source: string;
  /** Signals that took a side and were settled. */
  readonly n: number;
  readonly hits: number;
  readonly hitRate: number;
  /** Hits and number among the newest `recent` of them. */
  readonly recentHits: number;
  readonly recentN: number;
  /** Settled signals that took no side: a score of 0, a probability of 0.5. */
  readonly neutral: number;
  /** Over settled forecasts. */
  readonly forecasts: number;
  readonly brier: number;
  readonly logLoss: number;
  /** Mean return in the stated direction, per signal that took a side and had a price. */
  readonly meanReturn: number;
  /** Sum of value*return over sum of |value|, value in -1..1 (2p-1 for a forecast). */
  readonly returnPerScore: number;
  /** Not scored: the queue was full, or no price came. */
  readonly unscored: number;
}

export interface ScorecardConfig {
  /** Signals that may wait for their horizon at once, over all sources. */
  readonly pendingMax: number;
  /** Claims that wait for an event instead of a horizon. */
  readonly claimsMax: number;
  /** Newest settled signals kept apart per source. */
  readonly recent: number;
  /** |return| at or below this is a miss for either side (btc-engine.md 2: 5 bps; 0 by default). */
  readonly deadZone: number;
}

export const SCORECARDS: ScorecardConfig = { pendingMax: 8_192, claimsMax: 1_024, recent: 50, deadZone: 0 };

/** Told of every settled signal: what was stated (score, or probability) and what happened (1 or 0). */
export type Settled = (source: string, stated: number, happened: 0 | 1) => void;

interface Tally {
  n: number;
  hits: number;
  neutral: number;
  forecasts: number;
  brier: number;
  logLoss: number;
  priced: number;
  directed: number;
  product: number;
  weight: number;
  unscored: number;
  recent: Uint8Array;
}

interface OpenClaim {
  source: number;
  instrument: InstrumentId;
  claim: Claim;
  at: Instant;
  probability: number;
}

/**
 * Scores every signal at its own horizon, whether it was followed or overruled. Scores and `up-at-horizon`
 * forecasts settle on the price at the first {@link settle} on or after their due time; `target-before-stop` and
 * `resolves-yes` wait for {@link resolve}. Proposals claim nothing and are not scored.
 */
export class Scorecards {
  static readonly configuration = ['config'];
  private readonly config: ScorecardConfig;
  private readonly queue: DueQueue;
  private readonly sources: string[] = [];
  private readonly instruments: InstrumentId[] = [];
  private sourceNumbers = new Map<string, number>();
  private instrumentNumbers = new Map<string, number>();
  private readonly tallies: Tally[] = [];
  private claims: OpenClaim[] = [];

  constructor(config: Partial<ScorecardConfig> = {}) {
    this.config = { ...SCORECARDS, ...config };
    this.queue = new DueQueue(this.config.pendingMax);
  }

  /** A source spoke at `at` while the instrument stood at `price`. */
  observe(signal: Signal, instrument: InstrumentId, at: Instant, price: number): void {
    if (signal.kind === 'proposal') return;
    const source = this.numberOf(signal.source);
    const tally = this.tallies[source]!;
    const stated = signal.kind === 'score' ? signal.value : signal.probability;
    if (!Number.isFinite(stated) || !Number.isFinite(signal.horizonMs)) {
      tally.unscored += 1;
      return;
    }
    if (signal.kind === 'forecast' && signal.claim !== 'up-at-horizon') {
      if (this.claims.length >= this.config.claimsMax) tally.unscored += 1;
      else this.claims.push({ source, instrument, claim: signal.claim, at, probability: stated });
      return;
    }
    if (!(price > 0)) {
      tally.unscored += 1;
      return;
    }
    const place = this.instrumentOf(instrument);
    const taken = this.queue.push(
      at + signal.horizonMs,
      price,
      stated,
      source,
      place,
      signal.kind === 'forecast',
    );
    if (!taken) tally.unscored += 1;
  }

  /** Settles what is due by `at`. `priceOf` gives an instrument's newest price, NaN when there is none. */
  settle(at: Instant, priceOf: (instrument: InstrumentId) => number, settled?: Settled): void {
    while (this.queue.nextDue <= at) {
      const claim = this.queue.pop();
      const tally = this.tallies[claim.source]!;
      const move = priceOf(this.instruments[claim.instrument]!) / claim.price - 1;
      if (!Number.isFinite(move)) {
        tally.unscored += 1;
        continue;
      }
      const happened = move > this.config.deadZone ? 1 : 0;
      const value = claim.probability ? 2 * claim.value - 1 : claim.value;
      const fell = move < -this.config.deadZone;
      this.side(tally, value, value > 0 ? happened === 1 : fell);
      if (value !== 0) {
        tally.priced += 1;
        tally.directed += Math.sign(value) * move;
        tally.product += value * move;
        tally.weight += Math.abs(value);
      }
      if (claim.probability) this.forecast(tally, claim.value, happened);
      settled?.(this.sources[claim.source]!, claim.value, happened);
    }
  }

  /**
   * Something happened that claims waited for. Settles the open ones on `instrument` of this kind; `openedAt`
   * narrows them to those stated then.
   */
  resolve(
    instrument: InstrumentId,
    claim: Exclude<Claim, 'up-at-horizon'>,
    happened: 0 | 1,
    openedAt: Instant | null = null,
    settled?: Settled,
  ): void {
    const rest: OpenClaim[] = [];
    for (const open of this.claims) {
      const meant =
        open.instrument === instrument && open.claim === claim && (openedAt === null || open.at === openedAt);
      if (!meant) {
        rest.push(open);
        continue;
      }
      const tally = this.tallies[open.source]!;
      this.side(tally, open.probability - 0.5, (happened === 1) === open.probability > 0.5);
      this.forecast(tally, open.probability, happened);
      settled?.(this.sources[open.source]!, open.probability, happened);
    }
    this.claims = rest;
  }

  /** Claims that will not be settled any more: stated before `before`. They count as not scored. */
  dropClaims(before: Instant): void {
    this.claims = this.claims.filter((open) => {
      if (open.at >= before) return true;
      this.tallies[open.source]!.unscored += 1;
      return false;
    });
  }

  /** Signals and claims that wait. */
  get pending(): number {
    return this.queue.length + this.claims.length;
  }

  /** A source's card; null for one that never spoke. */
  card(source: string): Scorecard | null {
    const number = this.sourceNumbers.get(source);
    if (number === undefined) return null;
    const t = this.tallies[number]!;
    const recentN = Math.min(t.n, t.recent.length);
    return {
      source,
      n: t.n,
      hits: t.hits,
      hitRate: t.hits / t.n,
      recentHits: t.recent.reduce((sum, hit) => sum + hit, 0),
      recentN,
      neutral: t.neutral,
      forecasts: t.forecasts,
      brier: t.brier / t.forecasts,
      logLoss: t.logLoss / t.forecasts,
      meanReturn: t.directed / t.priced,
      returnPerScore: t.product / t.weight,
      unscored: t.unscored,
    };
  }

  /** All cards, by source name. */
  cards(): readonly Scorecard[] {
    return [...this.sources].sort().map((source) => this.card(source)!);
  }

  private side(tally: Tally, value: number, hit: boolean): void {
    if (value === 0) {
      tally.neutral += 1;
      return;
    }
    tally.recent[tally.n % tally.recent.length] = hit ? 1 : 0;
    tally.n += 1;
    if (hit) tally.hits += 1;
  }

  private forecast(tally: Tally, probability: number, happened: 0 | 1): void {
    tally.forecasts += 1;
    tally.brier += brier(probability, happened);
    tally.logLoss += logLoss(probability, happened);
  }

  private numberOf(source: string): number {
    let number = this.sourceNumbers.get(source);
    if (number === undefined) {
      number = this.sources.length;
      assert(number < 10_000, 'more than 10,000 sources were scored');
      this.sources.push(source);
      this.sourceNumbers.set(source, number);
      this.tallies.push({
        n: 0,
        hits: 0,
        neutral: 0,
        forecasts: 0,
        brier: 0,
        logLoss: 0,
        priced: 0,
        directed: 0,
        product: 0,
        weight: 0,
        unscored: 0,
        recent: new Uint8Array(this.config.recent),
      });
    }
    return number;
  }

  private instrumentOf(instrument: InstrumentId): number {
    let number = this.instrumentNumbers.get(instrument);
    if (number === undefined) {
      number = this.instruments.length;
      this.instruments.push(instrument);
      this.instrumentNumbers.set(instrument, number);
    }
    return number;
  }
}
