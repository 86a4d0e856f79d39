import { MINUTE } from '#base';
import { sigma, sigmaParameters } from '#desks';
import { type DeskParts, type DeskSetup, NO_RESOURCES, NO_TRACE, type PortfolioDefinition } from '#engine';
import { proposalPool, weightedSum } from '#ensemble';
import { type SimulatedVenueOptions, venueOptions } from '#execution';
import { currency, type Instrument, type InstrumentId, instrumentFor } from '#market';
import { fixedUnits, SIGMA_BREAKER, stopLossExit, takeProfitExit, timeExit } from '#risk';
import { crossSource, readScoreAnswer, remoteSource, source } from '#signals';

/** The instruments of the simulated portfolio: two desks share each of them, so the venue's net is a sum of books. */
export const INSTRUMENTS: readonly Instrument[] = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'].map((symbol) =>
  instrumentFor(`${symbol}.BINANCE-USDM` as InstrumentId),
);
export const VENUE = 'BINANCE-USDM';
export const BAR_MS = 5 * MINUTE;
/** Size of every entry of the fast desk. */
export const FIXED_UNITS = 0.5;
export const WARM_UP_BARS = 60;
export const DAY_BARS = 288;

const byId = new Map(INSTRUMENTS.map((i) => [i.id, i]));
export const instrumentOf = (id: InstrumentId): Instrument => byId.get(id)!;

/** Sigma with thresholds that let it trade several times in a day. */
function sigmaParts(): DeskParts {
  const parts = sigma.build(
    sigmaParameters.parse({
      v1Entry: 0.05,
      entryConfidence: 0.3,
      volumeShareMin: 0.01,
      volatilityMax: 5,
      adxMin: 5,
      stretchMin: 0.1,
      ignoreExpectancy: true,
      entriesPerSlice: 2,
      heatMax: 0.5,
    }),
    NO_RESOURCES,
  );
  return { ...parts, warmUpBars: WARM_UP_BARS };
}

/** Fast, long and short, turns round in one order, asks a remote source and lets a reviewer look at every entry. */
function flipParts(): DeskParts {
  const model = remoteSource({
    name: 'model',
    emits: 'score',
    features: { fast: 'ema:3' },
    timeoutMs: 40_000,
    ask: (view, values) =>
      view.count % 3 === 0 ? { topic: 'score', prompt: { close: view.close, ema: values.fast } } : null,
    read: (view, answer) =>
      readScoreAnswer(answer, { source: 'model', horizonMs: view.intervalMs * 10 } as never),
  });
  return {
    interval: '5m',
    warmUpBars: 20,
    sources: [crossSource({ fast: 'ema:2', slow: 'ema:5' }), model],
    pooling: weightedSum({ weights: { cross: 0.6, model: 0.7 }, enterFrom: 0.5 }),
    sizer: fixedUnits(FIXED_UNITS, {
      leverage: 5,
      stop: { atr: 'atr:14', atrMultiple: 1.2, costMultiple: 0, targetMultiple: 1.5 } as never,
    }),
    exits: [stopLossExit(), takeProfitExit(), timeExit({ otherwiseMs: 40 * MINUTE })],
    entry: { type: 'limit', offsetRate: 0.0002, bars: 2, postOnly: false },
    opposite: 'reverse',
    review: { topic: 'plan-review', timeoutMs: 8 * MINUTE },
  };
}

/** Two legs, all or none: buys one instrument and sells another when their ratio has moved, and closes both by time. */
function pairParts(): DeskParts {
  const [, eth, sol] = INSTRUMENTS as [Instrument, Instrument, Instrument];
  const ratio = source({
    name: 'ratio',
    emits: 'proposal',
    features: { here: 'sma:6' },
    signal: (view, values) => {
      if (view.instrument.id !== eth.id || view.count % 4 !== 0) return null;
      const other = view.peer(sol.id);
      if (other === null || other.count === 0) return null;
      const dear = view.close > values.here;
      const price = other.bars.close[other.bars.length - 1]!;
      const limited = view.count % 8 === 0;
      return {
        kind: 'proposal',
        source: 'ratio',
        expectedEdge: 5,
        worstLoss: 10,
        legs: [
          { instrument: eth.id, side: dear ? 'sell' : 'buy', quantity: 0.4, limitPrice: null },
          {
            instrument: sol.id,
            side: dear ? 'buy' : 'sell',
            quantity: 20,
            limitPrice: limited ? price * (dear ? 0.9995 : 1.0005) : null,
          },
        ],
      };
    },
  });
  return {
    interval: '5m',
    warmUpBars: 25,
    sources: [ratio],
    pooling: proposalPool(),
    sizer: fixedUnits(1),
    exits: [timeExit({ otherwiseMs: 50 * MINUTE })],
    leverage: 5,
    legFailure: 'unwind',
  };
}

function setup(name: string, parts: DeskParts, instruments: readonly Instrument[]): DeskSetup {
  return { name, configuration: 'default', parts, instruments, intervalMs: BAR_MS, otherMs: [] };
}

/** Options of the venue outside; the shadow venue inside the loop follows the same rules. */
export function simulationVenue(
  seed: string,
  changes: Partial<SimulatedVenueOptions> = {},
): SimulatedVenueOptions {
  return venueOptions({
    instrumentOf,
    seed,
    latencyMs: 250,
    participation: 0.05,
    slippage: { kind: 'fixed', rate: 20_000 },
    ...changes,
  });
}

/** A portfolio of these desks: one account, one breaker. */
function portfolio(desks: readonly DeskSetup[]): PortfolioDefinition {
  const { minorScale } = INSTRUMENTS[0]!;
  const { instrumentOf: _, seed: __, ...shadowVenue } = simulationVenue('shadow');
  return {
    name: 'sim',
    base: currency('USDT'),
    baseMinorScale: minorScale,
    cash: 100_000 * 10 ** minorScale,
    desks,
    feedMs: () => BAR_MS,
    breaker: { ...SIGMA_BREAKER, coolDownMs: [30_000, 60_000, 120_000] },
    platform: null,
    running: true,
    feeRate: null,
    shadowVenue,
    trace: NO_TRACE,
  };
}

const [BTC, ETH, SOL] = INSTRUMENTS as readonly [Instrument, Instrument, Instrument];

/** The portfolio that lives through the simulation: three desks on three instruments. Parts hold no state. */
export const LARGE: PortfolioDefinition = portfolio([
  setup('sigma', sigmaParts(), [BTC, ETH, SOL]),
  setup('flip', flipParts(), [BTC, SOL]),
  setup('pair', pairParts(), [ETH, SOL]),
]);

/** Two desks on two instruments that trade from the start: for a scenario that dies at every boundary. */
export const SMALL: PortfolioDefinition = portfolio([
  setup('flip', { ...flipParts(), warmUpBars: 6 }, [SOL]),
  setup('pair', { ...pairParts(), warmUpBars: 6, exits: [timeExit({ otherwiseMs: 20 * MINUTE })] }, [
    ETH,
    SOL,
  ]),
]);
