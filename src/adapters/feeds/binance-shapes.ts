import { assert, parseStep } from '#base';
import { defineInstrument, type Instrument, KNOWN_INSTRUMENTS, perpetualSpec } from '#market';

// The shapes that are relied on; everything else in an answer is left alone.

export function isTime(body: unknown): body is { serverTime: number } {
  return Number.isSafeInteger((body as { serverTime?: unknown })?.serverTime);
}

export function isDecimal(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && Number.isFinite(Number(value));
}

export function isKlines(body: unknown): body is (string | number)[][] {
  return (
    Array.isArray(body) &&
    body.every(
      (row) =>
        Array.isArray(row) &&
        Number.isSafeInteger(row[0]) &&
        row.slice(1, 6).every(isDecimal) &&
        Number.isSafeInteger(row[6]),
    )
  );
}

export interface FundingRow {
  symbol: string;
  fundingTime: number;
  fundingRate: string;
  markPrice?: string;
}

export function isFunding(body: unknown): body is FundingRow[] {
  return (
    Array.isArray(body) &&
    body.every(
      (row) =>
        isDecimal(row?.fundingRate) &&
        Number.isSafeInteger(row?.fundingTime) &&
        typeof row?.symbol === 'string',
    )
  );
}

export interface Premium {
  markPrice: string;
  indexPrice: string;
  lastFundingRate: string;
  nextFundingTime: number;
  time: number;
}

export function isPremium(body: unknown): body is Premium {
  const p = body as Premium | null;
  return isDecimal(p?.markPrice) && isDecimal(p?.indexPrice) && Number.isSafeInteger(p?.time);
}

export interface SymbolInfo {
  symbol: string;
  contractType: string;
  status: string;
  baseAsset: string;
  quoteAsset: string;
  marginAsset?: string;
  filters: { filterType: string; [key: string]: unknown }[];
}

export interface ExchangeInfo {
  symbols: SymbolInfo[];
  rateLimits?: { rateLimitType: string; interval: string; intervalNum: number; limit: number }[];
}

export function isExchangeInfo(body: unknown): body is ExchangeInfo {
  const symbols = (body as ExchangeInfo | null)?.symbols;
  return (
    Array.isArray(symbols) && symbols.every((s) => typeof s?.symbol === 'string' && Array.isArray(s?.filters))
  );
}

/** An instrument from exchangeInfo, on the venue's tick and step (never on its display precision); null when it has none. */
export function instrumentOfSymbol(info: SymbolInfo): Instrument | null {
  const filter = (type: string) => info.filters.find((f) => f.filterType === type);
  const tick = parseStep(String(filter('PRICE_FILTER')?.tickSize ?? ''));
  const lot = parseStep(String(filter('LOT_SIZE')?.stepSize ?? ''));
  if (tick === null || lot === null) return null;
  const spec = perpetualSpec(info.baseAsset, info.quoteAsset);
  const id = `${info.symbol}.BINANCE-USDM`;
  const known = KNOWN_INSTRUMENTS.get(id);
  const minQty = Number(filter('LOT_SIZE')?.minQty ?? 0);
  const minNotional = Number(filter('MIN_NOTIONAL')?.notional ?? 0);
  assert(Number.isFinite(minQty) && Number.isFinite(minNotional), `${id}: minimum is no number`);
  return defineInstrument({
    ...spec,
    id,
    settle: info.marginAsset ?? info.quoteAsset,
    tick,
    lot,
    minLots: Math.max(1, Math.ceil((minQty * 10 ** lot.scale) / lot.units - 1e-6)),
    minNotional: Math.round(minNotional * 1e8),
    ...(known === undefined
      ? {}
      : { marginTiers: known.marginTiers, maxLeverage: known.maxLeverage, fees: known.fees }),
  });
}
