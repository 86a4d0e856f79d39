import { describe, expect, it } from 'vitest';
import { type KernelRule, kernelRuleOf, playRules } from '#research';
import {
  kernelStudyOf,
  playLoop,
  type RandomCase,
  randomCase,
  recorderInto,
  studyOf,
  type Told,
} from './kernel-kit.ts';

const DESKS = 500;

/** Plays a rule with its fills told, and as one of a batch without. */
function playKernel({ bars }: RandomCase, rule: KernelRule) {
  const told: Told = { fills: [], trades: [] };
  const [followed] = playRules(bars, [rule], { recorderOf: () => recorderInto(told) })!;
  const [, unheard] = playRules(bars, [rule, rule])!;
  if (followed!.outcome === null || unheard!.outcome === null) {
    expect([followed!.outcome, unheard!.outcome]).toEqual([null, null]);
    return { reason: followed!.reason!, told, figures: null };
  }
  expect(unheard!.outcome).toEqual(followed!.outcome);
  const { daily, ...figures } = followed!.outcome;
  return { reason: null, told, figures: { ...figures, daily: [...daily] } };
}

/** Plays one random desk both ways. */
function playBoth(seed: string, change: (rule: KernelRule) => KernelRule = (rule) => rule) {
  const one = randomCase(seed);
  const study = studyOf(one);
  const { rule, reason } = kernelRuleOf(kernelStudyOf(one, study));
  expect(reason).toBeNull();
  return { name: one.describe, loop: playLoop(one, study), kernel: playKernel(one, change(rule!)) };
}

describe('the columnar kernel', () => {
  it(`comes to what the loop comes to, fill for fill, on ${DESKS} random desks`, () => {
    const left = new Map<string, number>();
    let fills = 0;
    let busy = 0;
    for (let i = 0; i < DESKS; i++) {
      const { name, loop, kernel } = playBoth(`kernel-${i}`);
      if (kernel.figures === null) {
        left.set(kernel.reason!, (left.get(kernel.reason!) ?? 0) + 1);
        continue;
      }
      expect(kernel.told, `desk ${i}: ${name}`).toEqual(loop.told);
      expect(kernel.figures, `desk ${i}: ${name}`).toEqual(loop.figures);
      fills += loop.told.fills.length;
      if (loop.told.trades.length > 2) busy += 1;
    }
    // handed back to the loop: few, and for reasons that a run alone can tell
    expect([...left.values()].reduce((sum, n) => sum + n, 0)).toBeLessThan(DESKS / 15);
    for (const reason of left.keys()) expect(reason).toMatch(/liquidated|lost all|would refuse|outgrow/);
    expect(fills).toBeGreaterThan(20_000);
    expect(busy).toBeGreaterThan(DESKS / 2);
  });

  it('would be found out if it reckoned otherwise', () => {
    const changes: ((rule: KernelRule) => KernelRule)[] = [
      (rule) => ({ ...rule, feeRate: rule.feeRate + 1 }),
      (rule) => ({ ...rule, slippageRate: rule.slippageRate + 1e-4 }),
      (rule) => ({ ...rule, warmUpBars: rule.warmUpBars + 40 }),
      (rule) => ({ ...rule, opposite: rule.opposite === 'close' ? 'ignore' : 'close' }),
    ];
    for (const [k, change] of changes.entries()) {
      let found = 0;
      for (let i = 0; i < 40; i++) {
        const { loop, kernel } = playBoth(`kernel-${i}`, change);
        if (JSON.stringify(kernel.told) !== JSON.stringify(loop.told)) found += 1;
      }
      expect(found, `change ${k}`).toBeGreaterThan(3);
    }
  });
});
