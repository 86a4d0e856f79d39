import { InputError } from '#base';
import { type Signal, type Source, signalFault, type View } from '#signals';
import { type Calibrations, calibrated, NO_CALIBRATIONS } from './calibration.ts';
import type { Action, Decision, Objection } from './decision.ts';
import type { Gate, Pooled, PoolingRule, Weights } from './pooling.ts';

/** How many objections of gates (not vetoes) a desk lets pass. */
export interface GateQuorum {
  readonly tolerated: number;
}

/** One objection of either kind refuses. */
export const ONE_REFUSES: GateQuorum = Object.freeze({ tolerated: 0 });

export interface DecideInput {
  readonly view: View;
  readonly signals: readonly Signal[];
  readonly pooling: PoolingRule;
  readonly gates: readonly Gate<never>[];
  /** Values of each gate's features, in the order of `gates`. */
  readonly gateValues: readonly Readonly<Record<string, number>>[];
  readonly weights: Weights;
  readonly quorum?: GateQuorum;
  readonly calibrations?: Calibrations;
}

const NONE: readonly Objection[] = Object.freeze([]);

/** Whether an action opens something new. */
function isEntry(action: Action): action is 'enter-long' | 'enter-short' | 'propose' {
  return action === 'enter-long' || action === 'enter-short' || action === 'propose';
}

/** Signals that cannot be used and repeated answers of one source, as objections; null when there is none. */
function faultsOf(signals: readonly Signal[]): { usable: Signal[]; objections: Objection[] } | null {
  let found: { usable: Signal[]; objections: Objection[] } | null = null;
  for (let i = 0; i < signals.length; i++) {
    const signal = signals[i]!;
    let fault = signalFault(signal);
    for (let j = 0; fault === null && j < i; j++) {
      if (signals[j]!.source === signal.source) fault = 'a second answer of the same source';
    }
    if (fault !== null) {
      found ??= { usable: signals.slice(0, i), objections: [] };
      found.objections.push({ by: signal.source, reason: `malformed: ${fault}` });
    } else found?.usable.push(signal);
  }
  return found;
}

function applyCalibrations(signals: readonly Signal[], calibrations: Calibrations): readonly Signal[] {
  return calibrations === NO_CALIBRATIONS
    ? signals
    : signals.map((signal) => calibrated(signal, calibrations));
}

/** A pooled result whose numbers are no numbers cannot be acted on. */
function pooledFault(pooled: Pooled): Objection | null {
  const { confidence, probability } = pooled;
  if (!(confidence >= 0 && confidence <= 1))
    return { by: 'pooling', reason: 'pooled confidence is not within 0..1' };
  if (probability !== null && !(probability >= 0 && probability <= 1)) {
    return { by: 'pooling', reason: 'pooled probability is not within 0..1' };
  }
  if (pooled.action === 'propose' && pooled.proposal === undefined) {
    return { by: 'pooling', reason: 'a proposal was chosen but not named' };
  }
  return null;
}

/**
 * Signals in, one Decision out: drops what is malformed, applies calibrations, pools, then asks every gate.
 *
 * Gates are asked only when pooling wants a new position; a wait already has its reasons and an exit is never held
 * up. All gates are asked, so that the trace has every objection: malformed signals first, then vetoes and gates in
 * the desk's order. An entry becomes a wait when a signal was malformed (a broken source is no silent one), when any
 * veto objects, or when more gates object than the desk tolerates. No gate can turn a wait into an entry.
 */
export function decide(input: DecideInput): Decision {
  const { view, pooling, weights } = input;
  const faults = faultsOf(input.signals);
  const signals = faults === null ? input.signals : faults.usable;
  const pooled = pooling.pool(
    applyCalibrations(signals, input.calibrations ?? NO_CALIBRATIONS),
    view,
    weights,
  );
  const fault = pooledFault(pooled);
  const at = view.at;
  const instrument = view.instrument.id;
  const { rule } = pooled;
  const wanted = pooled.action === 'wait' ? null : pooled.action;
  if (fault !== null) {
    const objections = [...(faults?.objections ?? NONE), fault];
    return {
      at,
      instrument,
      action: 'wait',
      wanted,
      confidence: 0,
      probability: null,
      rule,
      signals,
      objections,
    };
  }
  const { action, confidence, probability } = pooled;
  const early = faults === null ? pooled.objections : [...faults.objections, ...pooled.objections];
  if (!isEntry(action))
    return { at, instrument, action, wanted, confidence, probability, rule, signals, objections: early };
  const asked = askGates(pooled, input);
  const refused = early.length > 0 || asked.refused;
  const objections = asked.objections.length === 0 ? early : [...early, ...asked.objections];
  const decision = {
    at,
    instrument,
    action: refused ? 'wait' : action,
    wanted,
    confidence,
    probability,
    rule,
    signals,
    objections,
  } as const;
  return pooled.proposal === undefined ? decision : { ...decision, proposal: pooled.proposal };
}

function askGates(
  pooled: Pooled,
  input: DecideInput,
): { refused: boolean; objections: readonly Objection[] } {
  const { view, gates, gateValues } = input;
  const tolerated = (input.quorum ?? ONE_REFUSES).tolerated;
  let objections: Objection[] | null = null;
  let vetoed = false;
  let against = 0;
  for (let i = 0; i < gates.length; i++) {
    const { check, veto } = gates[i]!;
    const objection = check(pooled, view, gateValues[i] as never);
    if (objection === null) continue;
    objections ??= [];
    objections.push(objection);
    if (veto) vetoed = true;
    else against += 1;
  }
  return { refused: vetoed || against > tolerated, objections: objections ?? NONE };
}

/** Refuses a desk whose sources state a kind its pooling rule does not take. Throws {@link InputError}. */
export function checkComposition(
  sources: readonly Source[],
  pooling: PoolingRule,
  calibrations: Calibrations = NO_CALIBRATIONS,
): void {
  const names = new Set<string>();
  for (const { name, emits } of sources) {
    if (names.has(name))
      throw new InputError(`two sources are called ${name}`, 'give each source a name of its own');
    names.add(name);
    const becomes = emits === 'score' && Object.hasOwn(calibrations, name) ? 'forecast' : emits;
    if (becomes !== undefined && becomes !== pooling.takes) {
      throw new InputError(
        `${pooling.name} pools ${pooling.takes}s, but ${name} gives a ${becomes}`,
        becomes === 'score' && pooling.takes === 'forecast'
          ? `give ${name} a calibration, which turns its score into a forecast`
          : `take ${name} out, or pool with a rule that takes ${becomes}s`,
      );
    }
  }
}
