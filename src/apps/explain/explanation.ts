import { formatInstant } from '#base';
import type { DecisionTrace, DeskParts } from '#engine';
import { type Objection, type SmallestChange, smallestChange } from '#ensemble';
import { explainV2, type Signal } from '#signals';

export type CheckVerdict = 'passed' | 'objects' | 'reduces' | 'not asked';

export interface Check {
  readonly name: string;
  readonly verdict: CheckVerdict;
  readonly objection: Objection | null;
}

/** A fill of one of the decision's orders, as fills.csv has it. */
export interface FillLine {
  readonly orderId: string;
  readonly time: number;
  readonly side: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly reason: string;
}

/** One decision taken apart. */
export interface Explanation {
  readonly at: number;
  readonly time: string;
  readonly desk: string;
  readonly instrument: string;
  readonly shadow: boolean;
  readonly regime: string | null;
  readonly outcome: DecisionTrace['outcome'];
  readonly action: string;
  readonly confidence: number;
  readonly rule: string;
  readonly sources: readonly {
    readonly signal: Signal;
    readonly words: readonly string[];
    /** Members of Sigma's categories by name, where they were computed again. */
    readonly members: Readonly<Record<string, number>> | null;
  }[];
  /** Sources of the desk that gave no signal. */
  readonly silent: readonly string[];
  readonly gates: readonly Check[];
  readonly size: DecisionTrace['size'];
  readonly limits: readonly Check[];
  readonly objections: readonly Objection[];
  readonly orders: readonly { readonly id: string; readonly fills: readonly FillLine[] }[];
  /** For a non-trade: what objected first, and the least that would have satisfied it. */
  readonly firstObjection: Objection | null;
  readonly smallestChange: SmallestChange | null;
}

export interface ExplainInput {
  readonly trace: DecisionTrace;
  /** The desk's parts; null when it cannot be loaded any more. */
  readonly parts: DeskParts | null;
  readonly fills: readonly FillLine[];
  /** Sigma's members by name; null when they are not known. */
  readonly members: Readonly<Record<string, number>> | null;
}

const TRADED: readonly DecisionTrace['outcome'][] = ['entered', 'in-review', 'exited'];

/** Takes a decision apart: who said what, who was asked, what was cut, and where it ended. */
export function explainDecision({ trace, parts, fills, members }: ExplainInput): Explanation {
  const { at, desk, instrument, shadow, regime, outcome, action, confidence, rule, size, objections } = trace;
  const traded = TRADED.includes(outcome);
  const first = traded ? null : (objections[0] ?? null);
  const spoke = new Set(trace.signals.map(({ source }) => source));
  return {
    at,
    time: formatInstant(at),
    desk,
    instrument,
    shadow,
    regime,
    outcome,
    action,
    confidence,
    rule,
    sources: trace.signals.map((signal) => ({
      signal,
      words: wordsOf(signal, members),
      members: signal.source === 'sigma-v1' ? members : null,
    })),
    silent: (parts?.sources ?? []).map(({ name }) => name).filter((name) => !spoke.has(name)),
    gates: gateChecks(trace, parts),
    size,
    limits: limitChecks(trace, parts),
    objections,
    orders: trace.orders.map((id) => ({ id, fills: fills.filter(({ orderId }) => orderId === id) })),
    firstObjection: first,
    smallestChange: first === null ? null : smallestChange({ action: 'wait', objections }),
  };
}

function gateChecks(trace: DecisionTrace, parts: DeskParts | null): Check[] {
  const names = (parts?.gates ?? []).map(({ name }) => name);
  const objectionOf = (name: string) => trace.objections.find(({ by }) => by === name) ?? null;
  const asked = trace.action !== 'wait' || names.some((name) => objectionOf(name) !== null);
  return names.map((name) => {
    const objection = objectionOf(name);
    return { name, verdict: objection !== null ? 'objects' : asked ? 'passed' : 'not asked', objection };
  });
}

/** Limits are asked in order and the first refusal ends it; what they only reduced is no refusal. */
function limitChecks(trace: DecisionTrace, parts: DeskParts | null): Check[] {
  const names = [...(parts?.limits ?? []), ...(parts?.safetyLayers ?? [])].map(({ name }) => name);
  const accepted = trace.outcome === 'entered' || trace.outcome === 'in-review';
  const objectionOf = (name: string) => trace.objections.find(({ by }) => by === name) ?? null;
  const refusing = accepted ? -1 : names.indexOf(trace.objections[0]?.by);
  return names.map((name, i) => {
    const objection = objectionOf(name);
    if (objection !== null) return { name, verdict: accepted ? 'reduces' : 'objects', objection };
    return { name, verdict: accepted || i < refusing ? 'passed' : 'not asked', objection: null };
  });
}

const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  momentum: ['rsi', 'stochastic', 'cci'],
  trend: ['macd', 'ema'],
  volatility: ['bollinger'],
  volume: ['obv', 'mfi', 'vwap'],
  meanReversion: ['z', 'bollingerExtremes'],
  probability: ['monteCarlo'],
};

const figure = (value: number) => (value >= 0 ? ' ' : '') + value.toFixed(3);

/** A signal's detail in words: Sigma's categories with their members, its ten rules, or whatever a source kept. */
function wordsOf(signal: Signal, members: Readonly<Record<string, number>> | null): string[] {
  const { detail } = signal;
  if (detail === undefined) return [];
  if ('longRules' in detail && 'shortRules' in detail) {
    const votes = explainV2(detail);
    const loud = votes.filter(({ vote }) => vote !== 'neutral');
    const neutral = votes.filter(({ vote }) => vote === 'neutral').map(({ rule }) => rule);
    return [
      ...loud.map(({ vote, rule, text }) => `${vote.padEnd(5)} ${rule}: ${text}`),
      ...(neutral.length > 0 ? [`neutral: ${neutral.join(', ')}`] : []),
    ];
  }
  if (typeof detail.momentum === 'number' && typeof detail.meanReversion === 'number') {
    const memberOf = (name: string) => members?.[name] ?? detail[`member.${name}`];
    const lines = Object.entries(CATEGORIES).map(([category, names]) => {
      const known = names.flatMap((name) => {
        const value = memberOf(name);
        return typeof value === 'number' ? [`${name} ${figure(value).trim()}`] : [];
      });
      const of = known.length > 0 ? `  (${known.join(', ')})` : '';
      return `${category.padEnd(14)}${figure(Number(detail[category]))}${of}`;
    });
    const { raw, factor, action } = detail;
    return [
      `${action}: raw ${figure(Number(raw)).trim()} x volatility factor ${figure(Number(factor)).trim()}`,
      ...lines,
    ];
  }
  return Object.entries(detail).map(([name, value]) => `${name}: ${value}`);
}

/** What a signal says, in words. */
export function signalText(signal: Signal): string {
  switch (signal.kind) {
    case 'score': {
      const sure = signal.confidence === undefined ? '' : `, confidence ${signal.confidence.toFixed(3)}`;
      return `score ${figure(signal.value).trim()}${sure}`;
    }
    case 'forecast':
      return `${signal.claim} with probability ${signal.probability.toFixed(3)}`;
    case 'proposal': {
      const legs = signal.legs.map((leg) => `${leg.side} ${leg.quantity} ${leg.instrument}`).join(', ');
      return `proposes ${legs}; edge ${signal.expectedEdge}, worst loss ${signal.worstLoss}`;
    }
  }
}

/** Where an idea ended, in words. */
export const OUTCOMES: Readonly<Record<DecisionTrace['outcome'], string>> = {
  wait: 'waited',
  entered: 'entered',
  refused: 'refused by risk',
  'not-selected': 'not selected: a better idea took the slice',
  'in-review': 'sent to review',
  exited: 'closed the opposite position',
  shadow: 'followed as a shadow trade only',
  held: 'a position is held already',
};

/** An objection with its numbers. */
export function objectionText({ reason, measured, needed, relation = '>=', unit }: Objection): string {
  if (measured === undefined || needed === undefined) return reason;
  const short = (value: number) => String(Number(value.toPrecision(6)));
  return `${reason} (${short(measured)}${unit === undefined ? '' : ` ${unit}`}, needed ${relation} ${short(needed)})`;
}

/** A size with what cut it. */
export function sizeText(size: DecisionTrace['size']): string {
  if (size === null) return 'none was computed';
  const risk = size.riskFraction === null ? '' : `, risk ${(size.riskFraction * 100).toFixed(3)} % of equity`;
  const cuts = size.cuts.map(({ by, factor }) => `${by} x${Number(factor.toPrecision(4))}`);
  return `${size.quantity} units${risk}${cuts.length > 0 ? `; cut by ${cuts.join(', ')}` : ''}`;
}
