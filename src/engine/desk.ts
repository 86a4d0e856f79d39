import type { z } from 'zod';
import type { Gate, PoolingRule, Weights } from '#ensemble';
import type { MonitorConfig, ShadowConfig } from '#learning';
import type { BreakerConfig, Exit, KillGroupRules, KillRules, LegFailure, Limit, Sizer } from '#risk';
import type { FeatureNeeds, ModelArtefact, Signal, Source, View } from '#signals';
import type { Values } from './binding.ts';

/** A discrete state computed once per bar and instrument; sizers, exits and traces see its name. */
export interface RegimePart {
  readonly features: FeatureNeeds;
  readonly create: () => RegimeTracker;
}

/** Stateful (fields only, see base/state.ts). */
export interface RegimeTracker {
  /** Null until it is known. */
  readonly name: string | null;
  update(values: Values): void;
}

/** How an approved entry is worded. Prices are floats; the engine puts them on the grid, against us. */
export type EntryStyle =
  | { readonly type: 'market' }
  /** A limit `offsetRate` (fraction of price) better than the decision price, alive for `bars` bars. */
  | {
      readonly type: 'limit';
      readonly offsetRate: number;
      readonly bars: number;
      readonly postOnly: boolean;
    };

export interface ReviewPart {
  readonly topic: string;
  readonly timeoutMs: number;
}

/** What a desk's own watch has seen that trips its kill switch. */
export interface KillFault {
  readonly text: string;
  readonly measured?: number;
  readonly needed?: number;
}

/** A switch that stops a desk until a person resets it, and one that it shares with its siblings. */
export interface KillSwitchPart {
  readonly rules: KillRules;
  /** Desks that name the same group state the same rules for it; null: none. */
  readonly group: (KillGroupRules & { readonly name: string }) | null;
  /** Whether what is held is closed when either trips; else only entries are stopped and canceled. */
  readonly flatten: boolean;
  /** Asked about what the sources said, before anything is made of it. */
  readonly watch?: (signals: readonly Signal[], view: View) => KillFault | null;
}

/** What one simulated account of this desk assumes unless the command line says otherwise. */
export interface SimulationDefaults {
  readonly cash: number;
  readonly feeBps: number | null;
  /** What a maker pays where that is another fee; absent or null: `feeBps`. */
  readonly makerFeeBps?: number | null;
  readonly slippageBps: number | null;
  /** Largest share of a bar's volume one order may take; null is no cap. */
  readonly participation: number | null;
  readonly latencyMs: number;
}

/** The parts of a desk: what the engine composes. Absent parts do nothing. */
export interface DeskParts {
  /** Bars the desk decides on: `5m`, or `tape` for whatever the first tape holds. */
  readonly interval: string;
  /** Further intervals of every instrument that sources read through `view.peer`. */
  readonly otherIntervals?: readonly string[];
  /** Instruments it trades when nobody names others. */
  readonly instruments?: readonly string[];
  /** It trades those and no others, whatever a tape holds besides. */
  readonly onlyThose?: boolean;
  /** Instruments that its sources read through `view.peer` and that it never trades; a slice waits for their bars too. */
  readonly watches?: readonly string[];
  /** Features of what it only watches; absent: all of its own. */
  readonly watchFeatures?: readonly string[];
  /** Bars of history before the first decision. */
  readonly warmUpBars: number;
  /** How long a slice waits for a late bar. */
  readonly graceMs?: number;
  readonly regime?: RegimePart;
  readonly sources: readonly Source[];
  readonly pooling: PoolingRule;
  readonly weights?: Weights;
  readonly gates?: readonly Gate<never>[];
  readonly sizer: Sizer;
  readonly limits?: readonly Limit[];
  /** The five safety layers or their like: asked before limits, first failure blocks, all are logged. */
  readonly safetyLayers?: readonly Limit[];
  readonly exits?: readonly Exit[];
  readonly entry?: EntryStyle;
  /**
   * Share of their distance from the entry to which stops of open positions are drawn in by what the sources say of their
   * instrument; null or 1: left alone. A stop is never moved away again.
   */
  readonly stopShare?: (signals: readonly Signal[]) => number | null;
  /** What an opposite signal does to a position: nothing, close it, or turn it round in one order. */
  readonly opposite?: 'ignore' | 'close' | 'reverse';
  readonly shorts?: boolean;
  /** Leverage of legs that come from proposals; sizers state their own. */
  readonly leverage?: number;
  /** Best ideas by confidence that may enter in one slice; null is all. */
  readonly entriesPerSlice?: number | null;
  readonly legFailure?: LegFailure;
  readonly review?: ReviewPart;
  readonly breaker?: BreakerConfig;
  readonly killSwitch?: KillSwitchPart;
  readonly monitor?: Partial<MonitorConfig>;
  readonly shadow?: Partial<ShadowConfig>;
  /** Studies only: entries go on when no equity is left. */
  readonly unlimitedCredit?: boolean;
  /** Drops the expectancy rule for study; stamped on every report. */
  readonly stamps?: readonly string[];
  /** Bars without funding make a perpetual's backtest incomplete; the summary says so. */
  readonly simulation?: Partial<SimulationDefaults>;
}

/** A model that a desk asked for by name, with its id; what it was found as is part of the desk's configuration. */
export interface FoundModel {
  readonly id: string;
  readonly artefact: ModelArtefact;
}

/** Why a desk cannot use a model, in words; null where it can. */
export type ModelUnfit = (artefact: ModelArtefact) => string | null;

/** What a desk is handed besides its parameters. */
export interface DeskResources {
  /**
   * The model of a reference: an id, `NAME@STAGE` such as `S1_RX68_BTC_15M@paper`, or the path of a file. Null when there is none yet;
   * a desk without its model must not trade. Of `NAME@candidate` it is the newest of which `unfit` says nothing: whatever else has a
   * stage or is named by its id or file was chosen by a person or a judgement. Throws where there are candidates, and none fits.
   */
  readonly model: (reference: string, unfit?: ModelUnfit) => FoundModel | null;
}

/** For desks that ask for nothing, and where nothing is to be had. */
export const NO_RESOURCES: DeskResources = Object.freeze({ model: () => null });

/** A desk: a name, a typed schema of its parameters, and the parts they make. */
export interface DeskDefinition<P = unknown> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: z.ZodType<P>;
  readonly build: (parameters: P, resources: DeskResources) => DeskParts;
  /**
   * For a desk that stands for several: what one line of a configuration means, by the parameters it gives (not checked).
   * Each is a desk of its own; expanding its parameters again gives itself alone. Absent: itself.
   */
  readonly expand?: (given: Readonly<Record<string, unknown>>) => readonly DeskSibling[];
}

/** One of the desks that a line of a configuration stands for. */
export interface DeskSibling {
  readonly name: string;
  readonly parameters: Record<string, unknown>;
}

/** What a desk file exports by default. Types of parameters are inferred from the schema. */
export function defineDesk<const S extends z.ZodType>(desk: {
  name: string;
  summary?: string;
  parameters: S;
  build: (parameters: z.output<S>, resources: DeskResources) => DeskParts;
  expand?: (given: Readonly<Record<string, unknown>>) => readonly DeskSibling[];
}): DeskDefinition<z.output<S>> {
  return { summary: '', ...desk } as DeskDefinition<z.output<S>>;
}
