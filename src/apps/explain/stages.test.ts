import { describe, expect, it } from 'vitest';
import type { DecisionTrace, DeskParts } from '#engine';
import { explainDecision } from './explanation.ts';
import { cutAt, STAGES, stagesOf } from './stages.ts';

const parts = {
  sources: [{ name: 's' }, { name: 'quiet' }],
  gates: [{ name: 'thin' }, { name: 'wild' }],
  safetyLayers: [{ name: 'leverage' }],
  limits: [{ name: 'heat' }],
} as unknown as DeskParts;

const trace = (some: Partial<DecisionTrace>): DecisionTrace =>
  ({
    type: 'decision',
    at: 0,
    desk: 'd',
    instrument: 'A.X',
    shadow: false,
    regime: null,
    signals: [{ kind: 'score', source: 's', value: 0.5, horizonMs: 1 }],
    action: 'enter-long',
    confidence: 0.5,
    rule: 'rule',
    size: null,
    objections: [],
    outcome: 'entered',
    orders: [],
    ...some,
  }) as DecisionTrace;

const explained = (some: Partial<DecisionTrace>, known: DeskParts | null = parts) =>
  explainDecision({ trace: trace(some), parts: known, fills: [], members: null });

const by = (name: string) => ({ objections: [{ by: name, reason: 'why' }] });
const size = { quantity: '1', riskFraction: 0.01, cuts: [{ by: 'cap', factor: 0.5 }] };

describe('where an idea is cut', () => {
  it.each<[string, Partial<DecisionTrace>, string | null]>([
    ['nobody spoke', { outcome: 'wait', action: 'wait', signals: [] }, 'sources'],
    ['the pool waits', { outcome: 'wait', action: 'wait', ...by('quorum') }, 'pooling'],
    ['a rule of the pool objects', { outcome: 'wait', ...by('quorum') }, 'pooling'],
    ['a gate objects', { outcome: 'wait', ...by('wild') }, 'gates'],
    ['the portfolio is stopped', { outcome: 'refused', ...by('stopped') }, 'gates'],
    ['the breaker is open', { outcome: 'refused', ...by('breaker') }, 'gates'],
    ['a position is held', { outcome: 'held', ...by('held-position') }, 'gates'],
    ['a better idea took the slice', { outcome: 'not-selected', ...by('selection') }, 'gates'],
    ['nothing could be sized', { outcome: 'refused', ...by('expectancy') }, 'size'],
    ['followed as a shadow', { outcome: 'shadow', ...by('expectancy') }, 'size'],
    ['the grid is too coarse', { outcome: 'refused', size, ...by('grid') }, 'size'],
    ['a limit refuses', { outcome: 'refused', size, ...by('heat') }, 'limits'],
    ['a layer refuses', { outcome: 'refused', size, ...by('leverage') }, 'limits'],
    ['a limit of the portfolio refuses', { outcome: 'refused', size, ...by('single-asset') }, 'limits'],
    ['a person refuses', { outcome: 'refused', size, ...by('review') }, 'review'],
    ['it is entered', { outcome: 'entered', size, orders: ['o'] }, null],
    ['a limit makes it smaller', { outcome: 'entered', size, ...by('heat') }, null],
    ['it waits for a person', { outcome: 'in-review', size }, null],
    ['the opposite is closed', { outcome: 'exited', ...by('held-position') }, null],
  ])('%s', (_, some, cut) => {
    const e = explained(some);
    expect(cutAt(e)).toBe(cut);
    const stages = stagesOf(e);
    expect(stages.map(({ stage }) => stage)).toEqual(STAGES);
    const end = stages.findIndex(({ passed }) => passed === false);
    expect(end).toBe(cut === null ? -1 : STAGES.indexOf(cut as (typeof STAGES)[number]));
    if (cut !== null) expect(stages.slice(end + 1).every(({ text }) => text === 'not reached')).toBe(true);
    expect(stages.every(({ text }) => text !== '')).toBe(true);
  });

  it('is told without the parts of the desk as well', () => {
    expect(cutAt(explained({ outcome: 'wait', ...by('wild') }, null))).toBe('gates');
    expect(cutAt(explained({ outcome: 'refused', size, ...by('heat') }, null))).toBe('limits');
  });

  it('tells who spoke, what was cut and what objected', () => {
    const [sources, , gates, sized, limits, , orders] = stagesOf(
      explained({
        size,
        orders: ['o'],
        objections: [{ by: 'heat', reason: 'hot', measured: 2, needed: 1, relation: '<=' }],
      }),
    );
    expect(sources!.text).toBe('s: score 0.500; silent: quiet');
    expect(gates!.text).toBe('passed thin, wild');
    expect(sized!.text).toContain('cut by cap x0.5');
    expect(limits!.text).toBe('made smaller by heat: hot (2, needed <= 1)');
    expect(orders).toEqual({ stage: 'orders', passed: true, text: '1 order, 0 fills' });
  });
});
