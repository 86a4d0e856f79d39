import { InputError, MINUTE, numberToSteps, parseStep } from '#base';
import {
  defineInstrument,
  EDGEX,
  type Instrument,
  type InstrumentId,
  instrumentIdOf,
  type MarginTier,
  RATE_ONE,
} from '#market';
import type { Contract, Metadata } from './shapes.ts';
import type { Domain } from './typed-data.ts';

/** A contract with what its orders are signed with. */
export interface EdgexContract {
  readonly instrument: Instrument;
  readonly contractId: string;
  readonly quoteCoinId: string;
  /** Whole units of the contract's amount for one; the same of the quote coin. */
  readonly resolution: bigint;
  readonly quoteResolution: bigint;
  readonly tradable: boolean;
}

/** What a venue's metadata say today: never hard-coded, never remembered over a start. */
export interface EdgexDirectory {
  readonly byId: ReadonlyMap<InstrumentId, EdgexContract>;
  readonly byContract: ReadonlyMap<string, EdgexContract>;
  readonly domain: Domain;
}

/** Reads metadata. A contract whose numbers cannot be used is left out, by name in `unusable`. */
export function directoryOf(metadata: Metadata): { directory: EdgexDirectory; unusable: readonly string[] } {
  const coins = new Map(metadata.coinList.map((coin) => [coin.coinId, coin]));
  const byId = new Map<InstrumentId, EdgexContract>();
  const byContract = new Map<string, EdgexContract>();
  const unusable: string[] = [];
  for (const contract of metadata.contractList) {
    if (!('contractId' in contract)) {
      unusable.push(contract.contractName);
      continue;
    }
    const base = coins.get(contract.baseCoinId);
    const quote = coins.get(contract.quoteCoinId);
    const instrument =
      base === undefined || quote === undefined
        ? null
        : instrumentOf(contract, base.coinName, quote.coinName, scaleOf(quote.resolution));
    if (instrument === null) {
      unusable.push(contract.contractName);
      continue;
    }
    const entry: EdgexContract = {
      instrument,
      contractId: contract.contractId,
      quoteCoinId: contract.quoteCoinId,
      resolution: BigInt(contract.resolution),
      quoteResolution: BigInt(quote!.resolution),
      tradable: contract.enableTrade && contract.enableOpenPosition !== false,
    };
    byId.set(instrument.id, entry);
    byContract.set(contract.contractId, entry);
  }
  return { directory: { byId, byContract, domain: domainOf(metadata) }, unusable };
}

function domainOf({ global }: Metadata): Domain {
  const chain = global.nativeChainId ?? global.chainId;
  if (chain === null || chain === undefined || !/^\d+$/.test(String(chain)))
    throw new InputError(
      'the metadata of edgeX name no chain',
      'orders cannot be signed; look for a newer version',
    );
  return {
    name: 'EdgeX',
    version: '1',
    chainId: BigInt(chain),
    verifyingContract: global.contractAddress,
  };
}

/** Decimal places of a resolution that is a power of ten; null for any other. */
function scaleOf(resolution: string): number | null {
  const digits = BigInt(resolution).toString();
  return /^10*$/.test(digits) ? digits.length - 1 : null;
}

function instrumentOf(
  contract: Contract,
  base: string,
  quote: string,
  quoteScale: number | null,
): Instrument | null {
  const tick = parseStep(contract.tickSize);
  const lot = parseStep(contract.stepSize);
  const minutes = contract.fundingRateIntervalMin;
  if (tick === null || lot === null || quoteScale === null || quoteScale > 8) return null;
  if (!(minutes > 0) || !Number.isSafeInteger(minutes) || contract.riskTierList.length === 0) return null;
  const marginTiers = tiersOf(contract, quoteScale);
  if (marginTiers === null) return null;
  return defineInstrument({
    id: `${contract.contractName}.${EDGEX}`,
    kind: 'linear-perpetual',
    base,
    quote,
    settle: quote,
    underlying: base,
    tick,
    lot,
    minLots: Math.max(1, numberToSteps(Number(contract.minOrderSize), lot, 'ceil')),
    minorScale: quoteScale,
    fees: [
      {
        from: 0,
        makerRate: rateOf(contract.defaultMakerFeeRate),
        takerRate: rateOf(contract.defaultTakerFeeRate),
      },
    ],
    marginTiers,
    maxLeverage: marginTiers[0]!.maxLeverage,
    calendar: '24x7',
    fundingIntervalMs: minutes * MINUTE,
  });
}

const rateOf = (text: string): number => Math.round(Number(text) * RATE_ONE);

/** The venue's tiers do not join: their maintenance amount is 0. The last one has no upper end. Null: a bound is no number. */
function tiersOf({ riskTierList }: Contract, minorScale: number): MarginTier[] | null {
  if (riskTierList.some((tier) => Number.isNaN(Number(tier.positionValueUpperBound)))) return null;
  return riskTierList.map((tier, i) => {
    const minor = Number(tier.positionValueUpperBound) * 10 ** minorScale;
    return {
      maxNotional:
        i === riskTierList.length - 1 || !Number.isSafeInteger(Math.round(minor)) ? null : Math.round(minor),
      maintenanceRate: rateOf(tier.maintenanceMarginRate),
      maintenanceAmount: 0,
      maxLeverage: Number(tier.maxLeverage),
    };
  });
}

/** The instrument of a contract's name: `BTCUSDC` is `BTCUSDC.EDGEX`. */
export const edgexInstrumentId = (name: string): InstrumentId => instrumentIdOf(`${name}.${EDGEX}`);
