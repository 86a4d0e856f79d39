import type { DeskParts, PortfolioDefinition } from '#engine';
import { columnarPoolings } from '#ensemble';
import type { SimulatedVenueOptions } from '#execution';
import { featureDefinitions, parseFeature } from '#features';
import { feesAt, type Instrument, RATE_ONE } from '#market';
import { type ColumnarExit, type ColumnarSizer, columnarExits, columnarSizers } from '#risk';
import { type ColumnarSource, columnarSources } from '#signals';

/** A desk that the columnar kernel can play: what it does, as data. */
export interface KernelRule {
  readonly instrument: Instrument;
  readonly intervalMs: number;
  readonly signal: ColumnarSource;
  readonly sizer: ColumnarSizer;
  readonly exits: readonly ColumnarExit[];
  /** What an opposite signal does to a position. */
  readonly opposite: 'ignore' | 'close' | 'reverse';
  readonly shorts: boolean;
  /** A signal to go short closes what is held and opens nothing. */
  readonly shortsClose: boolean;
  /** Bars seen before the first decision, that one's included. */
  readonly warmUpBars: number;
  /** Entries need a positive equity. */
  readonly solvent: boolean;
  /** Minor units. */
  readonly cash: number;
  /** One side's cost as the sizer reckons with it, fraction of price. */
  readonly costRate: number;
  /** Units of 1e-8 of a fill's worth. */
  readonly feeRate: number;
  /** Lost by a taker, fraction of price. */
  readonly slippageRate: number;
  /** Largest share of a bar's volume; null is no cap. */
  readonly participation: number | null;
  readonly liquidates: boolean;
  /**
   * At the closes of these bars (1 each, from the first bar on) the stop of what is held is drawn in to a share of its distance from the
   * entry, once; what has passed it is closed. Only for positions with a stop.
   */
  readonly drawsIn?: { readonly share: number; readonly bars: Uint8Array };
  /** Canonical texts of the features it needs. */
  readonly requests: readonly string[];
}

/** The rule of a desk, or why the loop must play it, in words for whoever runs the sweep. */
export type KernelVerdict =
  | { readonly rule: KernelRule; readonly reason: null }
  | { readonly rule: null; readonly reason: string };

export interface KernelSeries {
  readonly kind: string;
  readonly instrument: string;
  readonly intervalMs: number;
}

/** What a run of one desk is made from: the same as the loop gets. */
export interface KernelStudy {
  readonly definition: PortfolioDefinition;
  readonly venue: SimulatedVenueOptions;
  readonly series: readonly KernelSeries[];
}

/** Reads what a desk would do in a run. Any part that is not known exactly makes it the loop's. */
export function kernelRuleOf(study: KernelStudy): KernelVerdict {
  const reason =
    seriesReason(study) ?? deskReason(study) ?? instrumentReason(study) ?? venueReason(study.venue, study);
  if (reason !== null) return { rule: null, reason };
  const { definition, venue } = study;
  const { parts, instruments, intervalMs } = definition.desks[0]!;
  const instrument = instruments[0]!;
  const signal = columnarSources.find(parts.sources[0]!);
  if (signal === null) return refused(`the source ${parts.sources[0]!.name} is not one whose rule is known`);
  const pooling = columnarPoolings.find(parts.pooling);
  if (pooling === null) return refused(`the pooling rule ${parts.pooling.name} is not single()`);
  if (pooling.source !== null && pooling.source !== parts.sources[0]!.name)
    return refused('the pooling rule listens to no source of the desk');
  const sizer = columnarSizers.find(parts.sizer);
  if (sizer === null) return refused(`the sizer ${parts.sizer.name} is not one whose rule is known`);
  if (!(sizer.leverage >= 1 && sizer.leverage <= instrument.maxLeverage))
    return refused(`${instrument.id} is not traded with a leverage of ${sizer.leverage}`);
  const exits: ColumnarExit[] = [];
  for (const exit of parts.exits ?? []) {
    const known = columnarExits.find(exit);
    if (known === null) return refused(`the exit ${exit.name} is not one whose rule is known`);
    exits.push(known);
  }
  const requests = expressionsOf(signal, sizer).map((text) => parseFeature(text.split('/')[0]!));
  const own = requests.find(({ definition: feature }) => !featureDefinitions.includes(feature));
  if (own !== undefined) return refused(`the feature ${own.text} is not built in`);
  const slippage = venue.slippage.kind === 'fixed' ? venue.slippage.rate / RATE_ONE : 0;
  const takerRate = venue.feeOverride?.takerRate ?? feesAt(instrument, 0).takerRate;
  const expected = (parts.simulation?.slippageBps ?? 0) / 10_000;
  return {
    reason: null,
    rule: {
      instrument,
      intervalMs,
      signal,
      sizer,
      exits,
      opposite: parts.opposite ?? 'ignore',
      shorts: parts.shorts !== false,
      shortsClose: pooling.shortsClose,
      warmUpBars: parts.warmUpBars,
      solvent: parts.unlimitedCredit !== true,
      cash: definition.cash,
      costRate: (definition.feeRate ?? feesAt(instrument, 0).takerRate / RATE_ONE) + expected,
      feeRate: takerRate,
      slippageRate: slippage,
      participation: venue.participation,
      liquidates: venue.liquidation && instrument.kind === 'linear-perpetual',
      requests: [...new Set(requests.map(({ text }) => text))],
    },
  };
}

const refused = (reason: string): KernelVerdict => ({ rule: null, reason });

/** Feature expressions that the rule reads. */
function expressionsOf(signal: ColumnarSource, sizer: ColumnarSizer): string[] {
  const own = sizer.stop === null ? [] : [sizer.stop.atr];
  if (sizer.kind === 'volatility-target') own.push(sizer.feature);
  switch (signal.kind) {
    case 'cross':
      return [signal.fast, signal.slow, ...own];
    case 'threshold':
      return [signal.feature, ...own];
    case 'series':
      return own;
    case 'breakout':
      return [`donchian:${signal.bars}`, ...own];
  }
}

function seriesReason({ definition, series }: KernelStudy): string | null {
  const other = series.find(({ kind }) => kind !== 'bars');
  if (other !== undefined) return `the data hold ${other.kind} of ${other.instrument} beside the bars`;
  if (series.length !== 1 || definition.desks[0]?.instruments.length !== 1)
    return 'it trades more than one series of bars';
  const { intervalMs, otherMs } = definition.desks[0];
  if (otherMs.length > 0) return 'it reads bars of a second interval';
  return intervalMs === series[0]!.intervalMs ? null : 'its bars are put together from finer ones';
}

/** Parts that decide something and that the kernel does not know at all. */
const FOREIGN: Readonly<Partial<Record<keyof DeskParts, string>>> = {
  regime: 'a regime',
  review: 'a review',
  breaker: 'a breaker',
  monitor: 'a monitor of its trades',
};
const FOREIGN_LISTS: Readonly<Partial<Record<keyof DeskParts, string>>> = {
  gates: 'gates',
  limits: 'limits',
  safetyLayers: 'safety layers',
};

function deskReason({ definition }: KernelStudy): string | null {
  const { desks, breaker, platform, running } = definition;
  if (desks.length !== 1) return 'several desks share the account';
  if (breaker !== null || platform !== null || !running) return 'a breaker or a platform guard watches it';
  const { parts } = desks[0]!;
  for (const [part, words] of Object.entries(FOREIGN))
    if (parts[part as keyof DeskParts] !== undefined) return `it has ${words}`;
  for (const [part, words] of Object.entries(FOREIGN_LISTS))
    if (((parts[part as keyof DeskParts] as readonly unknown[] | undefined) ?? []).length > 0)
      return `it has ${words}`;
  if (parts.sources.length !== 1) return 'it listens to more than one source';
  if (parts.entry !== undefined && parts.entry.type !== 'market') return 'it enters with limit orders';
  if ((parts.entriesPerSlice ?? 1) < 1) return 'it may not enter at all';
  return null;
}

function instrumentReason({ definition }: KernelStudy): string | null {
  const instrument = definition.desks[0]!.instruments[0]!;
  const { id, kind, settle, fees } = instrument;
  if (kind !== 'spot' && kind !== 'equity' && kind !== 'linear-perpetual')
    return `${id} is of the kind ${kind}`;
  if (settle !== definition.base) return `${id} settles in another currency than the account's`;
  return fees.length > 1 ? `the fees of ${id} change over time` : null;
}

function venueReason(venue: SimulatedVenueOptions, { definition }: KernelStudy): string | null {
  if (venue.latencyMs >= definition.desks[0]!.intervalMs) return 'orders take a bar or longer to arrive';
  if (venue.slippage.kind === 'impact') return 'slippage depends on the size of the order';
  if (venue.limitFill !== 'through' || venue.intrabar !== 'adverse-first')
    return 'the venue fills by other rules than the usual';
  const special =
    venue.faults ?? venue.priceBand ?? venue.feeRule ?? venue.noise ?? (venue.deafTo?.length || undefined);
  return special === undefined || special === null ? null : 'the venue has rules of its own';
}
