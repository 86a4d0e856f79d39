import { DAY, floorTo, HOUR, InputError, type Instant } from '#base';
import type { Liquidity, Side } from '#ledger';
import { type Instrument, type InstrumentId, isOpen, nextClose, sessionDay } from '#market';
import type { FaultModel } from './fault-model.ts';

/**
 * What a taker loses against the price seen. Rates are units of 1e-8.
 * `impact` is halfSpread + k * sigma * sqrt(q / V) (Torre 1997), sigma and mean volume V over the last `windowBars`
 * bars; with fewer than two returns known only the half spread is taken.
 */
export type Slippage =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly rate: number }
  | {
      readonly kind: 'impact';
      readonly halfSpreadRate: number;
      readonly k: number;
      readonly windowBars: number;
    };

/** Prices outside of which nothing trades, in ticks, both ends included. */
export interface PriceBand {
  readonly lowTicks: number;
  readonly highTicks: number;
}

/** What a venue's own fee formula may look at. */
export interface FeeQuestion {
  readonly instrument: Instrument;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  readonly liquidity: Liquidity;
  readonly at: Instant;
  /** Of the same order, before this fill: for venues that round once per order. */
  readonly lotsBefore: number;
  readonly feeBefore: number;
}

/** Seeded disturbance of fills, for robustness studies. Drawn per order, so other orders do not change it. */
export interface ExecutionNoise {
  /** Slippage is multiplied by a uniform draw from this range. */
  readonly slippageFrom: number;
  readonly slippageTo: number;
  /** Latency is multiplied by exp(sigma * normal). */
  readonly latencySigma: number;
  /** Chance that a resting limit is passed over in a bar that reached it. */
  readonly skippedFills: number;
}

export interface SimulatedVenueOptions {
  readonly instrumentOf: (id: InstrumentId) => Instrument;
  readonly seed: number | string;
  /** From the loop to the venue. On bars a latency below one interval does not move a fill. */
  readonly latencyMs: number;
  readonly slippage: Slippage;
  /** 0.1 = at most 10 % of a bar's volume over all orders; null is no cap. */
  readonly participation: number | null;
  /** When a resting limit fills: price strictly through it, at a touch, or when the queue ahead has traded. */
  readonly limitFill: 'through' | 'touch' | 'queue';
  /** Order of a bar's extremes: the adverse one of each book first, or one path for all. */
  readonly intrabar: 'adverse-first' | 'ohlc' | 'olhc';
  readonly feeOverride: { readonly makerRate: number; readonly takerRate: number } | null;
  readonly funding: boolean;
  readonly liquidation: boolean;
  /** Wraps the venue in hostility; see {@link simulatedVenue}. */
  readonly faults?: FaultModel;
  /** Auto-rejection limits; `previousClose` is the last close of an earlier UTC day, null when unknown. */
  readonly priceBand?: (
    instrument: Instrument,
    at: Instant,
    previousClose: number | null,
  ) => PriceBand | null;
  /**
   * When the session that holds `at` ends, or the next one when none is open; default: the
   * instrument's calendar, 00:00 UTC where it never closes.
   */
  readonly sessionEnd?: (instrument: Instrument, at: Instant) => Instant;
  /** A venue's own fee in minor units (positive paid), or null for the instrument's schedule. */
  readonly feeRule?: (question: FeeQuestion) => number | null;
  /** Units of 1e-8 of the notional closed by a liquidation; null or absent: the taker rate. */
  readonly liquidationFeeRate?: number | null;
  readonly noise?: ExecutionNoise | null;
  /** `limitFill: 'queue'` on bars: the queue ahead as a share of the last bar's volume. Default 0.1. */
  readonly queueShare?: number;
  /**
   * Studies only: reasons of protective orders (`stop-loss`, `take-profit`) that are accepted, rest and end as ever but
   * are never reached by the market, so that a run without them differs in nothing else. Default: none.
   */
  readonly deafTo?: readonly string[];
  /** Finished orders kept at least, to answer queries and repeated submissions. Default 4096. */
  readonly rememberedOrders?: number;
}

/** A quote, print or mark older than this does not count as present. */
export const FRESH_MS = 60_000;

/** Completes options: 250 ms latency, no slippage, no cap, strict limits, adverse first, funding and liquidation on. */
export function venueOptions(
  given: Partial<SimulatedVenueOptions> & Pick<SimulatedVenueOptions, 'instrumentOf'>,
): SimulatedVenueOptions {
  const options: SimulatedVenueOptions = {
    seed: 0,
    latencyMs: 250,
    slippage: { kind: 'none' },
    participation: null,
    limitFill: 'through',
    intrabar: 'adverse-first',
    feeOverride: null,
    funding: true,
    liquidation: true,
    ...given,
  };
  checkOptions(options);
  return options;
}

/** Throws {@link InputError} for options no venue can work with. */
export function checkOptions(options: SimulatedVenueOptions): void {
  const { latencyMs, participation, slippage, noise } = options;
  if (!Number.isSafeInteger(latencyMs) || latencyMs < 0) {
    throw new InputError(`latencyMs ${latencyMs} is not a latency`, 'give whole milliseconds, 0 or more');
  }
  if (participation !== null && !(participation > 0 && participation <= 1)) {
    throw new InputError(`participation ${participation} is not a share`, 'give a number in (0, 1] or null');
  }
  if (slippage.kind === 'fixed' && !(slippage.rate >= 0 && slippage.rate < 1e8)) {
    throw new InputError(
      `slippage rate ${slippage.rate} is out of range`,
      'give units of 1e-8: 2 bps is 20000',
    );
  }
  if (slippage.kind === 'impact') {
    const { halfSpreadRate, k, windowBars } = slippage;
    const bad = !(halfSpreadRate >= 0 && halfSpreadRate < 1e8) || !(k >= 0) || !Number.isFinite(k);
    if (bad || !Number.isSafeInteger(windowBars) || windowBars < 3) {
      throw new InputError(
        'impact slippage has a value out of range',
        'give halfSpreadRate in units of 1e-8, k >= 0 and windowBars of at least 3',
      );
    }
  }
  if (
    noise &&
    !(noise.slippageFrom >= 0 && noise.slippageTo >= noise.slippageFrom && noise.latencySigma >= 0)
  ) {
    throw new InputError('execution noise has a value out of range', 'give 0 <= slippageFrom <= slippageTo');
  }
}

/** The last close of the trade date that is open at `at`, or of the next one. */
function sessionEndOf(calendar: string, at: Instant): Instant {
  const first = nextClose(calendar, at);
  if (first === null) return floorTo(at, DAY) + DAY;
  const day = sessionDay(calendar, at);
  if (calendar === 'FX' && isOpen(calendar, at)) {
    // one session a week, but the trade date ends at 17:00 New York
    for (let hour = floorTo(at, HOUR) + HOUR; hour < first; hour += HOUR) {
      if (sessionDay(calendar, hour) !== day) return hour;
    }
    return first;
  }
  let end = first;
  for (;;) {
    const later = nextClose(calendar, end);
    if (later === null || sessionDay(calendar, later - 1) !== sessionDay(calendar, end - 1)) return end;
    end = later;
  }
}

/**
 * When a DAY order taken at `at` ends: with its session, or with the bar that holds the session's end where bars of
 * `intervalMs` are all there is.
 */
export function dayEnd(
  options: SimulatedVenueOptions,
  instrument: Instrument,
  at: Instant,
  intervalMs: number,
): Instant {
  const end = options.sessionEnd?.(instrument, at) ?? sessionEndOf(instrument.calendar, at);
  return Number.isFinite(intervalMs) ? Math.ceil(end / intervalMs) * intervalMs : end;
}
