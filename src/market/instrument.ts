import {
  type Brand,
  broken,
  InputError,
  type Instant,
  mulDiv,
  power10,
  type Rounding,
  type Step,
  safe,
} from '#base';

/** `SYMBOL.VENUE`, for example `BTCUSDT.BINANCE-USDM`, `BBCA.IDX`, `KXHIGHCHI-26FEB09-B38.5.KALSHI`. */
export type InstrumentId = Brand<string, 'InstrumentId'>;
export type VenueId = Brand<string, 'VenueId'>;
/** Upper-case currency or coin code: `USDT`, `IDR`, `BTC`. */
export type Currency = Brand<string, 'Currency'>;

export const currency = (code: string): Currency => code as Currency;

/** Rates of fees, funding and margin are whole numbers of 1e-8: 5 bps is 50_000. */
export const RATE_SCALE = 8;
export const RATE_ONE = 100_000_000;

/** Fees in force from `from` on. Positive rates are paid, negative ones are rebates. Units of 1e-8 of notional. */
export interface FeeSchedule {
  readonly from: Instant;
  readonly makerRate: number;
  readonly takerRate: number;
}

/** A maintenance-margin tier. `maxNotional` in minor units of the settlement currency; null is no upper end. */
export interface MarginTier {
  readonly maxNotional: number | null;
  /** Units of 1e-8 of notional. */
  readonly maintenanceRate: number;
  /** Minor units, subtracted from rate * notional so that tiers join. */
  readonly maintenanceAmount: number;
  readonly maxLeverage: number;
}

export type ContractKind = 'spot' | 'equity' | 'linear-perpetual' | 'inverse-perpetual' | 'binary';

/**
 * A tradable thing with its grid. Prices are whole ticks, sizes whole lots, money whole minor units of `settle`.
 * Notional in minor units = ticks * lots * valueNumerator / valueDenominator (linear, spot, equity, binary);
 * for inverse contracts lots * inverseNumerator / (ticks * inverseDenominator).
 */
export interface Instrument {
  readonly id: InstrumentId;
  readonly symbol: string;
  readonly venue: VenueId;
  readonly kind: ContractKind;
  readonly base: Currency;
  readonly quote: Currency;
  /** The currency in which profit and fees are booked. */
  readonly settle: Currency;
  /** What the price follows; instruments with one underlying share risk groups: `BTC`, `BBCA`. */
  readonly underlying: string;
  readonly tick: Step;
  readonly lot: Step;
  /** Units of `base` (linear) or of `quote` (inverse) that one whole contract stands for. */
  readonly contractSize: Step;
  /** Decimal places of one minor unit of `settle`: 8 for USDT, 0 for IDR. */
  readonly minorScale: number;
  readonly minLots: number;
  /** Minor units; 0 is none. Reduce-only orders are exempt. */
  readonly minNotional: number;
  readonly fees: readonly FeeSchedule[];
  readonly marginTiers: readonly MarginTier[];
  readonly maxLeverage: number;
  /** Name of the trading calendar: `24x7`, `NYSE`, `IDX`, `FX`. */
  readonly calendar: string;
  readonly fundingIntervalMs: number | null;
  /** Binary contracts: the price, in ticks, paid when the claim resolves yes. */
  readonly payoutTicks: number | null;
  /** Auto-rejection and price-band rules by name, where the venue has them: `idx`. */
  readonly priceRule: string | null;
  readonly valueNumerator: number;
  readonly valueDenominator: number;
}

export interface InstrumentSpec {
  id: string;
  kind?: ContractKind;
  base?: string;
  quote?: string;
  settle?: string;
  underlying?: string;
  tick?: Step;
  lot?: Step;
  contractSize?: Step;
  minorScale?: number;
  minLots?: number;
  minNotional?: number;
  fees?: readonly FeeSchedule[];
  marginTiers?: readonly MarginTier[];
  maxLeverage?: number;
  calendar?: string;
  fundingIntervalMs?: number | null;
  payoutTicks?: number | null;
  priceRule?: string | null;
}

const FINE: Step = { units: 1, scale: 8 };
const ONE: Step = { units: 1, scale: 0 };

/** Whether a text is `SYMBOL.VENUE`. */
export function isInstrumentId(text: string): text is InstrumentId {
  const dot = text.lastIndexOf('.');
  return dot > 0 && dot < text.length - 1 && /^[A-Za-z0-9._:/@+-]+$/.test(text);
}

/** Splits `SYMBOL.VENUE` at the last dot. Throws {@link InputError} on anything else. */
export function parseInstrumentId(text: string): { id: InstrumentId; symbol: string; venue: VenueId } {
  if (!isInstrumentId(text)) {
    throw new InputError(
      `"${text}" is not an instrument id`,
      'write SYMBOL.VENUE, for example BTCUSDT.BINANCE-USDM',
    );
  }
  const dot = text.lastIndexOf('.');
  return { id: text, symbol: text.slice(0, dot), venue: text.slice(dot + 1) as VenueId };
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/**
 * Completes a specification. What nobody states gets a fine grid (tick and lot 1e-8), no minimum, no fee, spot,
 * USD with minor unit 1e-8, open around the clock.
 */
export function defineInstrument(spec: InstrumentSpec): Instrument {
  const { id, symbol, venue } = parseInstrumentId(spec.id);
  const kind = spec.kind ?? 'spot';
  const tick = spec.tick ?? FINE;
  const lot = spec.lot ?? FINE;
  const contractSize = spec.contractSize ?? ONE;
  const minorScale = spec.minorScale ?? 8;
  const quote = currency(spec.quote ?? 'USD');
  const base = currency(spec.base ?? symbol);
  const settle = currency(spec.settle ?? (kind === 'inverse-perpetual' ? base : quote));
  const fees = [...(spec.fees ?? [{ from: 0, makerRate: 0, takerRate: 0 }])].sort((a, b) => a.from - b.from);
  if (!(fees.length > 0)) broken(`${id}: an instrument needs a fee schedule`);
  // value of tick * lot in minor units, as a reduced fraction; inverse contracts have no tick in it
  const inverse = kind === 'inverse-perpetual';
  let numerator = BigInt(lot.units) * BigInt(contractSize.units);
  let scale = lot.scale + contractSize.scale;
  if (!inverse) {
    numerator *= BigInt(tick.units);
    scale += tick.scale;
  } else {
    // coins = usd / price ; price = ticks * tick.units / 10^tick.scale
    numerator *= BigInt(power10(tick.scale));
  }
  let denominator = 10n ** BigInt(scale) * (inverse ? BigInt(tick.units) : 1n);
  numerator *= BigInt(power10(minorScale));
  const divisor = bigGcd(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  const valueNumerator = safe(Number(numerator));
  const valueDenominator = safe(Number(denominator));
  if (!(gcd(valueNumerator, valueDenominator) === 1)) broken(`${id}: value fraction not reduced`);
  return Object.freeze({
    id,
    symbol,
    venue,
    kind,
    base,
    quote,
    settle,
    underlying: spec.underlying ?? (kind === 'spot' || kind === 'equity' ? symbol : base),
    tick,
    lot,
    contractSize,
    minorScale,
    minLots: spec.minLots ?? 1,
    minNotional: spec.minNotional ?? 0,
    fees,
    marginTiers: spec.marginTiers ?? [],
    maxLeverage: spec.maxLeverage ?? 1,
    calendar: spec.calendar ?? '24x7',
    fundingIntervalMs: spec.fundingIntervalMs ?? null,
    payoutTicks: spec.payoutTicks ?? null,
    priceRule: spec.priceRule ?? null,
    valueNumerator,
    valueDenominator,
  });
}

function bigGcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** More ticks than any price has: far beyond them a position's worth would not fit whole minor units. */
const TICKS_MOST = 1e14;

/** The highest price of an instrument that is believed. What is held of it may bound it further: {@link canReckon}. */
export function priceMax({ tick, kind, valueDenominator }: Instrument): number {
  const inverse = kind === 'inverse-perpetual';
  const ticks = inverse ? Math.min(TICKS_MOST, Number.MAX_SAFE_INTEGER / valueDenominator) : TICKS_MOST;
  return (ticks * tick.units) / power10(tick.scale);
}

/** Value of `lots` at a float price, in minor units of `settle` as a float. */
export function valueAt(instrument: Instrument, lots: number, price: number): number {
  const { valueNumerator, valueDenominator, tick } = instrument;
  const ticks = (price * 10 ** tick.scale) / tick.units;
  const perLot = valueNumerator / valueDenominator;
  return instrument.kind === 'inverse-perpetual' ? (lots * perLot) / ticks : lots * perLot * ticks;
}

/** Half of what a whole number holds: what is added to a worth (cost, fees, other positions) must fit beside it. */
export const WORTH_MOST = Number.MAX_SAFE_INTEGER / 2;

/** Whether the worth of so many lots (0 or more) at a price can be reckoned in whole minor units. */
export function canReckon(instrument: Instrument, lots: number, price: number): boolean {
  return (
    lots * instrument.valueNumerator <= Number.MAX_SAFE_INTEGER &&
    valueAt(instrument, lots, price) <= WORTH_MOST
  );
}

/** Whether orders and holdings mean the same in both definitions. */
export const sameGrid = (a: Instrument, b: Instrument): boolean =>
  a.kind === b.kind &&
  a.settle === b.settle &&
  a.minorScale === b.minorScale &&
  sameStep(a.tick, b.tick) &&
  sameStep(a.lot, b.lot) &&
  sameStep(a.contractSize, b.contractSize);

const sameStep = (a: Step, b: Step): boolean => a.units === b.units && a.scale === b.scale;

/** No company splits by more than this in either direction; beyond it the figure is broken. */
const SPLIT_MOST = 1e6;

/** Whether `ratio` new units for one old is believed. */
export const isSplitRatio = (ratio: number): boolean => ratio >= 1 / SPLIT_MOST && ratio <= SPLIT_MOST;

/** Notional in minor units of `settle` for `lots` (any sign) at `ticks` > 0. */
export function notional(instrument: Instrument, ticks: number, lots: number, rounding: Rounding): number {
  if (instrument.kind === 'inverse-perpetual') {
    return mulDiv(lots, instrument.valueNumerator, safe(ticks * instrument.valueDenominator), rounding);
  }
  const scaled = lots * instrument.valueNumerator;
  return mulDiv(ticks, safe(scaled), instrument.valueDenominator, rounding);
}

/** The fee schedule in force at `at`: the newest that began no later, else the first. */
export function feesAt(instrument: Instrument, at: Instant): FeeSchedule {
  const fees = instrument.fees;
  let found = fees[0]!;
  for (let i = 1; i < fees.length && fees[i]!.from <= at; i++) found = fees[i]!;
  return found;
}
