import { DAY, InputError, parseInterval } from '#base';
import { type DeskDefinition, type DeskParts, defineDesk, type RegimePart } from '#engine';
import { entryThreshold, maxVolatility, sigmaOrchestrator, thinVolume, trendOrStretch } from '#ensemble';
import { RegimeDetector } from '#features';
import {
  portfolioLimits,
  SIGMA_BREAKER,
  SIGMA_SECTORS,
  SIGMA_SIZER,
  safetyLayers,
  sigmaExits,
  sigmaSizer,
} from '#risk';
import { sigmaFeaturesFor, sigmaV1, sigmaV2 } from '#signals';
import { type SigmaParameters, sigmaParameters } from './sigma-parameters.ts';

const PAIRS = ['BTC', 'ETH', 'SOL', 'XRP', 'BNB', 'ADA', 'DOGE', 'LTC'];
export const SIGMA_INSTRUMENTS = PAIRS.map((coin) => `${coin}USDT.BINANCE-USDM`);

/** Sigma's regime detector as a part: named states for sizers, exits and traces. */
export function sigmaRegime(barsPerYear: number): RegimePart {
  const { gkAnnual, ema9, ema20, ema50 } = sigmaFeaturesFor(barsPerYear);
  return {
    features: { gk: gkAnnual, adx: 'adx:14', ema9, ema20, ema50 },
    create: () => new SigmaRegime(),
  };
}

class SigmaRegime {
  name: string | null = null;
  private readonly detector = new RegimeDetector();

  update(values: Readonly<Record<string, number>>): void {
    this.name = this.detector.advance(values.gk!, values.adx!, values.ema9!, values.ema20!, values.ema50!);
  }
}

function build(p: SigmaParameters): DeskParts {
  const intervalMs = parseInterval(p.interval);
  if (intervalMs === null)
    throw new InputError(`"${p.interval}" is not an interval`, 'write 5m, 15m, 1h or 1d');
  const barsPerYear = (365 * DAY) / intervalMs;
  const features = sigmaFeaturesFor(barsPerYear);
  return {
    interval: p.interval,
    instruments: SIGMA_INSTRUMENTS,
    // EMA(200) and a VWAP that begins with the day: `quorum bias` finds what they need to forget where the bars began
    warmUpBars: 400,
    regime: sigmaRegime(barsPerYear),
    sources: [
      sigmaV1({ entry: p.v1Entry, confidencePerScore: p.v1ConfidenceScale, barsPerYear }),
      sigmaV2({ barsPerYear }),
    ],
    pooling: sigmaOrchestrator(),
    gates: [
      thinVolume(p.volumeShareMin),
      maxVolatility(p.volatilityMax, barsPerYear),
      trendOrStretch(p.adxMin, p.stretchMin),
      entryThreshold(p.entryConfidence),
    ],
    sizer: sigmaSizer({
      leverage: p.leverage,
      riskMax: p.riskMax,
      explorationRisk: p.explorationRisk,
      tradesMin: p.tradesMin,
      kellyFraction: p.kellyFraction,
      ignoreExpectancy: p.ignoreExpectancy,
      volatility: { ...SIGMA_SIZER.volatility!, feature: features.gkAnnual },
      stop: {
        atr: 'atr:14',
        atrMultiple: p.stopAtrMultiple,
        costMultiple: p.stopCostMultiple,
        targetMultiple: p.targetMultiple,
      },
    }),
    limits: portfolioLimits({
      riskMax: p.riskMax,
      assetMax: p.assetMax,
      groupMax: p.groupMax,
      groupRho: p.groupRho,
      heatMax: p.heatMax,
      sector: { ...SIGMA_SECTORS, max: p.sectorMax },
    }),
    safetyLayers: safetyLayers({ leverageMax: p.leverageMax, riskMax: p.riskMax, dayLossMax: p.dayLossMax }),
    exits: sigmaExits(),
    opposite: 'ignore',
    shorts: true,
    entriesPerSlice: p.entriesPerSlice,
    shadow: p.autoResume === null ? {} : { autoResume: p.autoResume },
    ...(p.reviewMs > 0 ? { review: { topic: 'plan-review', timeoutMs: p.reviewMs } } : {}),
    ...(p.breaker ? { breaker: SIGMA_BREAKER } : {}),
    ...(p.monitor ? { monitor: {} } : {}),
    stamps: p.ignoreExpectancy ? ['expectancy ignored'] : [],
    simulation: {
      cash: 10_000,
      feeBps: null,
      slippageBps: p.slippageBps,
      participation: 0.1,
      latencyMs: 250,
    },
  };
}

/** Sigma: risk-first crypto perpetuals on 5-minute candles; two signal layers, one new position per candle. */
export const sigma: DeskDefinition<SigmaParameters> = defineDesk({
  name: 'sigma',
  summary:
    'risk-first crypto perpetuals: 16 indicators, two signal layers, regimes, Kelly from closed trades',
  parameters: sigmaParameters,
  build,
});
