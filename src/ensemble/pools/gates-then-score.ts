import { InputError } from '#base';
import type { Score, Signal, View } from '#signals';
import type { Objection } from '../decision.ts';
import type { Pooled, PoolingRule, Weights } from '../pooling.ts';
import { checkRange, entering, ofKind, reaches, strengthOf, waiting, weightOf } from './inputs.ts';

/** A member that must let a direction pass before its strength counts. */
export interface GatedMember {
  readonly source: string;
  readonly weight: number;
  /** Why it does not let `direction` pass, or null. By default the score must point that way. */
  readonly objects?: (score: Score, direction: 1 | -1) => Objection | null;
  /** Its strength 0..1 in `direction`. By default its stated confidence, or |value|. */
  readonly strength?: (score: Score, direction: 1 | -1) => number;
  /** Its silence is no objection, and the remaining weights are scaled up to their former sum. */
  readonly optional?: boolean;
}

export interface GatesThenScoreConfig {
  readonly name?: string;
  /** The first one leads: its sign is the direction the others are asked about. */
  readonly members: readonly GatedMember[];
  readonly scoreMin: number;
}

/** Objects unless the score in `direction` is more than `above` (default 0). */
export function pointsThatWay(above = 0): (score: Score, direction: 1 | -1) => Objection | null {
  return (score, direction) => {
    const measured = direction * score.value;
    if (measured > above) return null;
    return {
      by: score.source,
      reason: 'does not point that way',
      measured,
      needed: above,
      relation: '>',
      unit: 'score',
    };
  };
}

/** Objects in both directions while the score is at or below `kill`: a kill switch. */
export function killsAt(kill: number): (score: Score, direction: 1 | -1) => Objection | null {
  return (score) => {
    if (score.value > kill) return null;
    return {
      by: score.source,
      reason: 'kill switch',
      measured: score.value,
      needed: kill,
      relation: '>',
      unit: 'score',
    };
  };
}

/**
 * All gates, then the score: every member must let the leader's direction pass; the weighted mean of strengths only
 * ranks what passed, and must reach `scoreMin`. Every objection is collected, the first member's first.
 */
export function allGatesThenScore(config: GatesThenScoreConfig): PoolingRule {
  const { name = 'all-gates-then-score', members, scoreMin } = config;
  checkRange(name, 'scoreMin', scoreMin, 0, 1);
  const leader = members[0];
  if (leader === undefined || leader.optional) {
    throw new InputError(`${name}: there is no leading member`, 'put a member that is not optional first');
  }
  for (const { source, weight } of members)
    checkRange(name, `weight of ${source}`, weight, 0, Number.MAX_VALUE);
  return {
    name,
    takes: 'score',
    pool(signals: readonly Signal[], _view: View, learned: Weights): Pooled {
      const scores = ofKind(signals, 'score', name);
      const found = new Map(scores.map((score) => [score.source, score]));
      const led = found.get(leader.source);
      if (led === undefined)
        return waiting('the leader is silent', [{ by: leader.source, reason: 'silent' }]);
      if (led.value === 0) {
        const flat = {
          by: leader.source,
          reason: 'gives no direction',
          measured: 0,
          needed: 0,
          relation: '>',
        } as const;
        return waiting('the leader is neutral', [flat]);
      }
      const direction = led.value > 0 ? 1 : -1;
      const objections: Objection[] = [];
      let sum = 0;
      let total = 0;
      for (const member of members) {
        const score = found.get(member.source);
        if (score === undefined) {
          if (!member.optional) objections.push({ by: member.source, reason: 'silent' });
          continue;
        }
        const objection = (member.objects ?? pointsThatWay())(score, direction);
        if (objection !== null) objections.push(objection);
        const weight = member.weight * weightOf(learned, member.source);
        total += weight;
        sum += weight * (member.strength ?? strengthOf)(score, direction);
      }
      const score = total > 0 ? sum / total : 0;
      if (!reaches(score, scoreMin)) {
        objections.push({
          by: name,
          reason: 'score is too low',
          measured: score,
          needed: scoreMin,
          relation: '>=',
          unit: 'score',
        });
      }
      const confidence = Math.min(1, Math.max(0, score));
      if (objections.length > 0) return waiting('not all members agree', objections, confidence);
      return entering(direction, confidence, 'all members agree');
    },
  };
}
