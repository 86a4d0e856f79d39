import { InputError } from '#base';
import type { Score, Signal } from '#signals';
import type { Objection } from '../decision.ts';
import type { Pooled, PoolingRule } from '../pooling.ts';
import { checkRange, entering, ofKind, strengthOf, waiting } from './inputs.ts';

export interface SigmaOrchestratorConfig {
  /** Names of the two sources. */
  readonly v1: string;
  readonly v2: string;
  /** Rules V2 has; neutral ones count in the total. */
  readonly rules: number;
  /** V1's entry threshold, for the objection that explains a WAIT. */
  readonly entry: number;
  /** V2 confirms when V1 states at least this confidence ... */
  readonly confidenceMin: number;
  /** ... at least so many rules support it and at most so many conflict. */
  readonly supportingMin: number;
  readonly conflictingMax: number;
  /** Confirmation in percent from which on confidence is raised, and from which on it stays. */
  readonly confirmedFrom: number;
  readonly acceptedFrom: number;
  readonly confirmedFactor: number;
  readonly unconfirmedFactor: number;
  /** V1 confidence that must be exceeded to act without V2. */
  readonly aloneAbove: number;
  readonly aloneFactor: number;
  readonly refusedFactor: number;
}

export const SIGMA_ORCHESTRATOR: SigmaOrchestratorConfig = Object.freeze({
  v1: 'sigma-v1',
  v2: 'sigma-v2',
  rules: 10,
  entry: 0.2,
  confidenceMin: 0.4,
  supportingMin: 3,
  conflictingMax: 2,
  confirmedFrom: 50,
  acceptedFrom: 30,
  confirmedFactor: 1.1,
  unconfirmedFactor: 0.5,
  aloneAbove: 0.7,
  aloneFactor: 0.8,
  refusedFactor: 0.5,
});

/** Name of a final confidence: STRONG from 0.8, NORMAL from 0.6. */
export function sigmaStrength(confidence: number): 'STRONG' | 'NORMAL' | 'NEUTRAL' {
  return confidence >= 0.8 ? 'STRONG' : confidence >= 0.6 ? 'NORMAL' : 'NEUTRAL';
}

/** Percent of all rules that support V1's direction. */
export function confirmationOf(supporting: number, rules = SIGMA_ORCHESTRATOR.rules): number {
  return (100 * supporting) / rules;
}

/** What the matrix needs of an entry wish of V1 and V2's votes seen from its direction. */
export interface SigmaMatrixInput {
  readonly confidence: number;
  readonly supporting: number;
  readonly conflicting: number;
}

export interface SigmaMatrixRow {
  readonly execute: boolean;
  readonly confidence: number;
  readonly valid: boolean;
  readonly confirmation: number;
  /** The row in words of the trace. */
  readonly row: string;
}

/** The matrix of V1 (which wants to enter) and V2. Inclusive where the sheet says "at least", strict for `aloneAbove`. */
export function sigmaMatrix(
  { confidence, supporting, conflicting }: SigmaMatrixInput,
  config: SigmaOrchestratorConfig = SIGMA_ORCHESTRATOR,
): SigmaMatrixRow {
  const confirmation = confirmationOf(supporting, config.rules);
  const valid =
    confidence >= config.confidenceMin &&
    supporting >= config.supportingMin &&
    conflicting <= config.conflictingMax;
  const row = (execute: boolean, factor: number, text: string): SigmaMatrixRow => ({
    execute,
    confidence: Math.min(1, confidence * factor),
    valid,
    confirmation,
    row: text,
  });
  if (valid) {
    if (confirmation >= config.confirmedFrom) return row(true, config.confirmedFactor, 'V2 confirms');
    if (confirmation >= config.acceptedFrom) return row(true, 1, 'V2 accepts');
    return row(false, config.unconfirmedFactor, 'V2 is valid without confirmation');
  }
  if (confidence > config.aloneAbove) return row(true, config.aloneFactor, 'V1 acts without V2');
  return row(false, config.refusedFactor, 'V2 does not confirm');
}

/** Why the matrix refused, the missing condition first. */
function refusals(
  input: SigmaMatrixInput,
  result: SigmaMatrixRow,
  config: SigmaOrchestratorConfig,
): Objection[] {
  const { confidence, supporting, conflicting } = input;
  const by = config.v2;
  const found: Objection[] = [];
  const add = (reason: string, measured: number, needed: number, relation: '>=' | '<=' | '>', unit: string) =>
    found.push({ by, reason, measured, needed, relation, unit });
  if (result.valid) {
    add('confirmation is too low', result.confirmation, config.acceptedFrom, '>=', '%');
    return found;
  }
  if (!(supporting >= config.supportingMin)) {
    add('too few rules support the direction', supporting, config.supportingMin, '>=', 'rules');
  }
  if (!(conflicting <= config.conflictingMax)) {
    add('too many rules conflict', conflicting, config.conflictingMax, '<=', 'rules');
  }
  if (!(confidence >= config.confidenceMin)) {
    add('V1 is not confident enough to be confirmed', confidence, config.confidenceMin, '>=', 'confidence');
  }
  add('V1 is not confident enough to act alone', confidence, config.aloneAbove, '>', 'confidence');
  return found;
}

function countOf(signal: Score, name: string, max: number): number | null {
  const n = signal.detail?.[name];
  return typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && n <= max ? n : null;
}

function malformed(by: string, reason: string): Pooled {
  return waiting('sigma: a source cannot be read', [{ by, reason }]);
}

/**
 * Sigma's orchestrator: V1 proposes a direction, V2's rules confirm, accept or refuse it. Takes the scores of
 * exactly these two sources; the silence of either is a wait.
 */
export function sigmaOrchestrator(changes: Partial<SigmaOrchestratorConfig> = {}): PoolingRule {
  const config: SigmaOrchestratorConfig = Object.freeze({ ...SIGMA_ORCHESTRATOR, ...changes });
  checkConfig(config);
  return {
    name: 'sigma-orchestrator',
    takes: 'score',
    pool(signals: readonly Signal[]): Pooled {
      let v1: Score | null = null;
      let v2: Score | null = null;
      for (const signal of ofKind(signals, 'score', 'sigma-orchestrator')) {
        if (signal.source === config.v1) v1 = signal;
        else if (signal.source === config.v2) v2 = signal;
        else {
          throw new InputError(
            `sigma-orchestrator does not know the source ${signal.source}`,
            `give it only ${config.v1} and ${config.v2}`,
          );
        }
      }
      if (v1 === null) {
        return waiting('V1 is silent', [
          { by: config.v1, reason: 'silent: too few bars or an undefined member' },
        ]);
      }
      const confidence = strengthOf(v1);
      const action = v1.detail?.action;
      if (action === 'WAIT') {
        const measured = Math.abs(v1.value);
        const reason = 'adjusted score is too small to enter';
        const short = {
          by: config.v1,
          reason,
          measured,
          needed: config.entry,
          relation: '>=',
          unit: 'score',
        } as const;
        return waiting('V1 waits', [short], confidence);
      }
      const direction = action === 'ENTER_LONG' ? 1 : action === 'ENTER_SHORT' ? -1 : 0;
      if (direction === 0 || !(direction * v1.value > 0))
        return malformed(config.v1, 'its action does not fit its score');
      if (v2 === null) return waiting('V2 is silent', [{ by: config.v2, reason: 'silent' }], confidence);
      const long = countOf(v2, 'long', config.rules);
      const short = countOf(v2, 'short', config.rules);
      if (long === null || short === null || long + short > config.rules) {
        return malformed(config.v2, 'its counts of rules cannot be read');
      }
      const input =
        direction > 0
          ? { confidence, supporting: long, conflicting: short }
          : { confidence, supporting: short, conflicting: long };
      const result = sigmaMatrix(input, config);
      if (result.execute) return entering(direction, result.confidence, result.row);
      return waiting(result.row, refusals(input, result, config), result.confidence);
    },
  };
}

function checkConfig(config: SigmaOrchestratorConfig): void {
  const rule = 'sigma-orchestrator';
  checkRange(rule, 'rules', config.rules, 1, 1000);
  checkRange(rule, 'entry', config.entry, 0, 1);
  checkRange(rule, 'confidenceMin', config.confidenceMin, 0, 1);
  checkRange(rule, 'aloneAbove', config.aloneAbove, 0, 1);
  checkRange(rule, 'supportingMin', config.supportingMin, 0, config.rules);
  checkRange(rule, 'conflictingMax', config.conflictingMax, 0, config.rules);
  checkRange(rule, 'acceptedFrom', config.acceptedFrom, 0, config.confirmedFrom);
  checkRange(rule, 'confirmedFrom', config.confirmedFrom, 0, 100);
  for (const factor of ['confirmedFactor', 'unconfirmedFactor', 'aloneFactor', 'refusedFactor'] as const) {
    checkRange(rule, factor, config[factor], 0, 10);
  }
}
