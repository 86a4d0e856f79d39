import { DAY } from '#base';
import {
  type DeskDefinition,
  type DeskParts,
  type DeskResources,
  defineDesk,
  type KillFault,
  type KillSwitchPart,
  type ModelUnfit,
} from '#engine';
import { fundingCost, learnedGates, noGap } from '#ensemble';
import { EDGEX, instrumentFor, isInstrumentId } from '#market';
import {
  type BreakerConfig,
  bufferedFraction,
  notionalLimit,
  SIGMA_BREAKER,
  stopLossExit,
  takeProfitExit,
  timeExit,
} from '#risk';
import {
  BARRIER_MODEL_SOURCE,
  barrierModel,
  barrierModelFault,
  momentumRegime,
  NEWS_SENTIMENT_SOURCE,
  newsSentiment,
  S1_WARM_UP_BARS,
  type Signal,
  s1LengthsOf,
} from '#signals';
import {
  S1_CONFIGS,
  S1_SYMBOLS,
  type S1Config,
  type S1Symbol,
  s1Config,
  s1Instrument,
} from './s1-configs.ts';
import { type S1Parameters, s1Parameters } from './s1-parameters.ts';

/** Name of the kill switch that all configs share. */
export const S1_GROUP = 's1';
const LEADER: S1Symbol = 'BTC';
/** Means of the leader's lead that its deviation is taken over, and returns in each mean. */
const DOMINANCE_BARS = 500;
const RETURN_BARS = 20;
/** A feed is old after so many bars, and from so many configs on it stops all. */
const STALE_BARS = 3;
const STALE_CONFIGS = 4;
/** Fees on paper where the venue is not edgeX itself, basis points: what a taker and what a maker pays there. */
const TAKER_BPS = 3.8;
const MAKER_BPS = 1.2;

/** The venue's health alone: losses are the kill switches' business, which only a person resets. */
export const S1_BREAKER: BreakerConfig = {
  ...SIGMA_BREAKER,
  loss: { ...SIGMA_BREAKER.loss, share: 1 },
  severity: { minor: 'ALERT', moderate: 'ALERT', severe: 'ALERT', critical: 'ALERT' },
  expectancyCollapse: 'ALERT',
};

/** The model that a config trades with, as it is asked for. */
export const s1ModelReference = (
  { model }: Pick<S1Parameters, 'model'>,
  { id }: Pick<S1Config, 'id'>,
): string => model ?? `${id}@paper`;

/**
 * Why a config cannot use a candidate: it was made from another market or length of bars, or the learned gate could not ask it. What
 * its training thought of it is no matter: whoever names a candidate wants one that nobody let through.
 */
const unfitFor =
  ({ symbol, interval }: S1Config): ModelUnfit =>
  (artefact) => {
    const { instrument, interval: made } = artefact.training;
    if (made !== interval) return `it was made from bars of ${made || 'unknown length'}, not of ${interval}`;
    if (underlyingOf(instrument) !== symbol)
      return `it was made from ${instrument || 'an unknown market'}, not from bars of ${symbol}`;
    return barrierModelFault(artefact);
  };

/** What an instrument is of; null where its name is none. */
const underlyingOf = (instrument: string): string | null =>
  isInstrumentId(instrument) ? instrumentFor(instrument).underlying : null;

function build(p: S1Parameters, resources: DeskResources): DeskParts {
  const config = s1Config(p.symbol, p.timeframe);
  const instrumentOf = (symbol: S1Symbol) => p.instruments[symbol] ?? s1Instrument(symbol);
  const peers = p.symbol === LEADER ? [] : S1_SYMBOLS.filter((symbol) => symbol !== p.symbol);
  const holdMs = config.barrierBars * config.intervalMs;
  const found = resources.model(s1ModelReference(p, config), unfitFor(config));
  // the measure of stop and target is the one that the model's labels were made with
  const atr = `atr:${s1LengthsOf(found?.artefact.training.parameters ?? {}).atr}`;
  return {
    interval: config.interval,
    instruments: [instrumentOf(p.symbol)],
    onlyThose: true,
    watches: peers.map(instrumentOf),
    // its closes are all that is looked at
    watchFeatures: [],
    // without so many the leader's lead is not known, and nothing but a flat regime could come of it
    warmUpBars: peers.length === 0 ? S1_WARM_UP_BARS : DOMINANCE_BARS + RETURN_BARS,
    sources: [
      momentumRegime({
        bars: RETURN_BARS,
        tMin: p.tMin,
        dominanceBars: DOMINANCE_BARS,
        dominance:
          peers.length === 0
            ? null
            : {
                leader: instrumentOf(LEADER) as never,
                others: S1_SYMBOLS.filter((symbol) => symbol !== LEADER).map(instrumentOf) as never,
              },
      }),
      barrierModel({
        artefact: found?.artefact ?? null,
        id: found === null ? null : found.id.slice(0, 12),
        horizonMs: holdMs,
        pineSubject: p.parity ? `pine:${config.id}` : null,
        inSample: p.inSample,
      }),
      ...(p.news
        ? [newsSentiment({ asset: p.symbol, directions: p.killDirections, horizonMs: holdMs })]
        : []),
    ],
    pooling: learnedGates({
      scoreMin: p.scoreMin ?? config.scoreMin,
      // the model's own thresholds may only be stricter
      probabilityMin: Math.max(p.probabilityMin, found?.artefact.threshold.probabilityMin ?? 0),
      leadMin: Math.max(p.leadMin, found?.artefact.threshold.leadMin ?? 0),
      parityBpMax: p.parityBpMax,
      news: p.news,
    }),
    gates: [
      fundingCost({ shareMax: p.fundingShareMax, holdMs, atr, targetAtr: p.targetAtr }),
      noGap(S1_WARM_UP_BARS),
    ],
    sizer: bufferedFraction({
      risk: p.riskShare,
      stop: { atr, atrMultiple: p.stopAtr, costMultiple: 0, targetMultiple: p.targetAtr / p.stopAtr },
      notionalMax: p.notionalMax,
      leverage: p.leverage,
      bufferStops: p.bufferStops,
    }),
    limits: [notionalLimit({ name: 's1-notional', max: p.groupNotionalMax, of: isS1 })],
    exits: [
      stopLossExit(),
      takeProfitExit(),
      // half a bar less: what was filled somewhat after a bar had opened ends with the same bar as what was filled at its opening
      timeExit({ longestMs: {}, otherwiseMs: holdMs - config.intervalMs / 2 }),
    ],
    opposite: 'close',
    shorts: true,
    stopShare: (signals) => (detailOf(signals, NEWS_SENTIMENT_SOURCE)?.halvesStops === true ? 0.5 : null),
    breaker: S1_BREAKER,
    killSwitch: killSwitchOf(p, config),
    stamps: [
      ...(p.news ? [] : ['no sentiment gate']),
      ...(p.inSample ? ['in sample'] : []),
      ...(found === null ? ['no model'] : []),
    ],
    simulation: {
      cash: 10_000,
      ...feesOf(p.feeBps, instrumentOf(p.symbol)),
      slippageBps: p.slippageBps,
      participation: 0.1,
      latencyMs: 250,
    },
  };
}

/** The schedule of edgeX's own contracts is the one that its metadata state; bars of others cost what edgeX is said to. */
function feesOf(feeBps: number | null, instrument: string) {
  if (feeBps === null && instrument.endsWith(`.${EDGEX}`)) return {};
  return { feeBps: feeBps ?? TAKER_BPS, makerFeeBps: feeBps ?? MAKER_BPS };
}

/** Desks whose positions are counted together. */
const isS1 = (desk: string): boolean => desk.startsWith('s1-');

const detailOf = (signals: readonly Signal[], source: string) =>
  signals.find((signal) => signal.source === source)?.detail;

function killSwitchOf(p: S1Parameters, config: S1Config): KillSwitchPart {
  return {
    rules: {
      dayLossMax: p.dayLossMax,
      drawdownMax: p.drawdownMax ?? config.drawdownMax,
      lossesInARow: p.lossesInARow,
    },
    group: {
      name: S1_GROUP,
      dayLossMax: p.groupDayLossMax,
      staleBars: STALE_BARS,
      staleDesks: STALE_CONFIGS,
      withBreaker: true,
    },
    flatten: p.flatten,
    watch: (signals) => (p.watchModel ? modelFault(signals, p) : null),
  };
}

/** What of the model's own figures stops a config until a person looks at it. */
function modelFault(
  signals: readonly Signal[],
  { modelAgeMaxDays, parityBpMax }: Pick<S1Parameters, 'modelAgeMaxDays' | 'parityBpMax'>,
): KillFault | null {
  const { ageMs, drifted, parityBp } = detailOf(signals, BARRIER_MODEL_SOURCE) ?? {};
  if (typeof ageMs === 'number' && ageMs > modelAgeMaxDays * DAY)
    return { text: 'the model is too old', measured: ageMs / DAY, needed: modelAgeMaxDays };
  if (drifted === true) return { text: 'the model is asked about values it was not trained on' };
  if (typeof parityBp === 'number' && parityBp > parityBpMax + 1e-12)
    return { text: 'features differ from the chart script', measured: parityBp, needed: parityBpMax };
  return null;
}

/** Desks that a line of a configuration stands for: all sixteen, those of one symbol or length of bars, or one. */
function expand(given: Readonly<Record<string, unknown>>) {
  const { symbol, timeframe } = given;
  const is = (own: string, wanted: unknown) =>
    wanted === undefined || (typeof wanted === 'string' && own === wanted.toUpperCase());
  return S1_CONFIGS.filter((one) => is(one.symbol, symbol) && is(one.timeframe, timeframe)).map((one) => ({
    name: one.desk,
    parameters: { ...given, symbol: one.symbol, timeframe: one.timeframe },
  }));
}

/** S1 RX68: momentum on crypto perpetuals, one config a symbol and length of bars; three gates that must all agree. */
export const s1Momentum: DeskDefinition<S1Parameters> = defineDesk({
  name: 's1-momentum',
  summary: 'momentum on crypto perpetuals: regime, learned model and news must agree; sixteen configs',
  parameters: s1Parameters,
  build,
  expand,
});
