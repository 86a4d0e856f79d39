import { HOUR, mulDiv, parseDecimal, parseStep, type Step } from '#base';
import {
  defineInstrument,
  type FeeSchedule,
  type Instrument,
  type InstrumentId,
  type InstrumentSpec,
  type MarginTier,
  parseInstrumentId,
  RATE_ONE,
} from './instrument.ts';

/**
 * Contract data of the instruments most often used, as of 2025: grids, fees of the lowest tier and maintenance tiers as
 * the venue publishes them. They change; a live start refreshes them from the venue (`instrument-changed`).
 */

export const BINANCE_USDM = 'BINANCE-USDM';
export const EDGEX = 'EDGEX';
const USDT_SCALE = 8;

/** Lowest tier of Binance USD-M: maker 2 bps, taker 5 bps. */
export const BINANCE_USDM_FEES: readonly FeeSchedule[] = [{ from: 0, makerRate: 20_000, takerRate: 50_000 }];

/** edgeX as documented: maker 1.2 bps, taker 3.8 bps. */
export const EDGEX_FEES: readonly FeeSchedule[] = [{ from: 0, makerRate: 12_000, takerRate: 38_000 }];

/** Upper notional in USDT (null: none), maintenance percent, largest leverage. */
type TierRow = readonly [maxNotional: number | null, maintenancePercent: number, maxLeverage: number];

/**
 * Tiers with the maintenance amounts that make them join: amount(k) = amount(k-1) + max(k-1) * (rate(k) - rate(k-1)).
 * Minor units end near 90 million USDT, so the last tier covers everything above.
 */
export function marginTiers(rows: readonly TierRow[], minorScale: number): MarginTier[] {
  const tiers: MarginTier[] = [];
  let amount = 0;
  let before: { max: number; rate: number } | null = null;
  for (const [max, percent, maxLeverage] of rows) {
    const maintenanceRate = Math.round((percent / 100) * RATE_ONE);
    if (before !== null) amount += mulDiv(before.max, maintenanceRate - before.rate, RATE_ONE, 'half-away');
    const maxNotional = max === null ? null : max * 10 ** minorScale;
    tiers.push({ maxNotional, maintenanceRate, maintenanceAmount: amount, maxLeverage });
    before = { max: maxNotional ?? 0, rate: maintenanceRate };
  }
  return tiers;
}

const MAJOR: readonly TierRow[] = [
  [50_000, 0.4, 125],
  [600_000, 0.5, 100],
  [3_000_000, 0.65, 75],
  [12_000_000, 1, 50],
  [70_000_000, 2, 25],
  [null, 2.5, 20],
];
const LARGE: readonly TierRow[] = [
  [10_000, 0.5, 75],
  [100_000, 0.65, 50],
  [500_000, 1, 40],
  [1_000_000, 2, 25],
  [5_000_000, 5, 10],
  [10_000_000, 10, 5],
  [20_000_000, 12.5, 4],
  [null, 25, 2],
];

interface Row {
  readonly base: string;
  readonly tick: string;
  readonly lot: string;
  /** USDT. */
  readonly minNotional: number;
  readonly tiers: readonly TierRow[];
}

const PERPETUALS: readonly Row[] = [
  { base: 'BTC', tick: '0.1', lot: '0.001', minNotional: 100, tiers: MAJOR },
  { base: 'ETH', tick: '0.01', lot: '0.001', minNotional: 20, tiers: MAJOR },
  { base: 'SOL', tick: '0.01', lot: '0.01', minNotional: 5, tiers: LARGE },
  { base: 'XRP', tick: '0.0001', lot: '0.1', minNotional: 5, tiers: LARGE },
  { base: 'BNB', tick: '0.01', lot: '0.01', minNotional: 5, tiers: LARGE },
  { base: 'ADA', tick: '0.0001', lot: '1', minNotional: 5, tiers: LARGE },
  { base: 'DOGE', tick: '0.00001', lot: '1', minNotional: 5, tiers: LARGE },
  { base: 'LTC', tick: '0.01', lot: '0.001', minNotional: 20, tiers: LARGE },
];

function perpetual(row: Row): Instrument {
  return defineInstrument({
    ...perpetualSpec(row.base, 'USDT'),
    tick: parseStep(row.tick)!,
    lot: parseStep(row.lot)!,
    minNotional: parseDecimal(String(row.minNotional), USDT_SCALE)!,
    marginTiers: marginTiers(row.tiers, USDT_SCALE),
    maxLeverage: row.tiers[0]![2],
  });
}

/** What every Binance USD-M perpetual shares; grid, minimum and tiers are left open. */
export function perpetualSpec(base: string, quote: string): InstrumentSpec {
  return {
    id: `${base}${quote}.${BINANCE_USDM}`,
    kind: 'linear-perpetual',
    base,
    quote,
    settle: quote,
    underlying: base,
    minorScale: USDT_SCALE,
    fees: BINANCE_USDM_FEES,
    calendar: '24x7',
    fundingIntervalMs: 8 * HOUR,
    maxLeverage: 20,
  };
}

/** The Binance USD-M majors, by id. */
export const KNOWN_INSTRUMENTS: ReadonlyMap<string, Instrument> = new Map(
  PERPETUALS.map(perpetual).map((instrument) => [instrument.id, instrument]),
);

const CENT: Step = { units: 1, scale: 2 };
const RUPIAH: Step = { units: 1, scale: 0 };
const BOARD_LOT: Step = { units: 100, scale: 0 };
const US_VENUES = new Set(['NYSE', 'NASDAQ', 'ARCA', 'US', 'ALPACA', 'SAMPLE']);
const FX_VENUES = new Set(['FX', 'OANDA', 'FXCM']);
const QUOTES = ['USDT', 'USDC', 'BUSD', 'USD', 'EUR', 'GBP', 'JPY', 'IDR', 'BTC'];

function splitSymbol(symbol: string): { base: string; quote: string } | null {
  const plain = symbol.replace(/[/_-]/g, '').replace(/PERP$/, '');
  for (const quote of QUOTES) {
    if (plain.length > quote.length && plain.endsWith(quote))
      return { base: plain.slice(0, -quote.length), quote };
  }
  return null;
}

/** What is known of an instrument by its venue alone; null when the venue says nothing. */
function byVenue(id: string, symbol: string, venue: string): InstrumentSpec | null {
  const pair = splitSymbol(symbol);
  if (venue === BINANCE_USDM && pair !== null) return { ...perpetualSpec(pair.base, pair.quote), id };
  if (venue === EDGEX && pair !== null) {
    // grid, minimum and tiers are nowhere written down: a live start takes them, and the fees, from the venue's metadata
    return {
      ...perpetualSpec(pair.base, pair.quote),
      id,
      minorScale: 6,
      fees: EDGEX_FEES,
      fundingIntervalMs: 4 * HOUR,
    };
  }
  if (venue === 'SYNTHETIC' && pair !== null) {
    // made-up prices on the grid and at the costs of the real contract
    const {
      tick,
      lot,
      minNotional,
      marginTiers: tiers,
      maxLeverage,
    } = instrumentFor(`${symbol}.${BINANCE_USDM}`);
    return {
      ...perpetualSpec(pair.base, pair.quote),
      id,
      tick,
      lot,
      minNotional,
      marginTiers: tiers,
      maxLeverage,
    };
  }
  if (venue === 'IDX') {
    // Rupiah are whole; steps of the price band come from the rule `idx`; all-in costs 0.15 % buying, 0.25 % selling: the mean
    return {
      id,
      kind: 'equity',
      quote: 'IDR',
      tick: RUPIAH,
      lot: BOARD_LOT,
      minorScale: 0,
      fees: [{ from: 0, makerRate: 200_000, takerRate: 200_000 }],
      calendar: 'IDX',
      priceRule: 'idx',
    };
  }
  if (US_VENUES.has(venue))
    return { id, kind: 'equity', quote: 'USD', tick: CENT, calendar: 'NYSE', maxLeverage: 2 };
  if (FX_VENUES.has(venue)) return { id, ...pair, calendar: 'FX', maxLeverage: 30 };
  return pair === null ? null : { id, ...pair, underlying: pair.base };
}

/**
 * The definition of an instrument: the known one; else what its venue settles; else a fine grid (1e-8), no minimum and
 * no fee. Throws InputError on a malformed id.
 */
export function instrumentFor(id: string): Instrument {
  const found = KNOWN_INSTRUMENTS.get(id);
  if (found !== undefined) return found;
  const { symbol, venue } = parseInstrumentId(id);
  return defineInstrument(byVenue(id, symbol, venue) ?? { id });
}

const VENUE_TEXT = /\.[A-Z][A-Z0-9-]*$/;

/**
 * The instrument id of a name found in a file or given by a person. `SYMBOL.VENUE` stays as it is, `BBCA.JK` is
 * `BBCA.IDX`; a bare symbol of a known Binance perpetual (`BTCUSDT`) gets that venue, every other becomes `SYMBOL.LOCAL`.
 */
export function instrumentIdOf(name: string): InstrumentId {
  const text = name.trim();
  if (/\.JK$/i.test(text)) return parseInstrumentId(`${text.slice(0, -3).toUpperCase()}.IDX`).id;
  if (VENUE_TEXT.test(text)) return parseInstrumentId(text).id;
  const perpetualId = `${text}.${BINANCE_USDM}`;
  if (KNOWN_INSTRUMENTS.has(perpetualId)) return perpetualId as InstrumentId;
  return parseInstrumentId(`${text.replaceAll('.', '-')}.LOCAL`).id;
}
