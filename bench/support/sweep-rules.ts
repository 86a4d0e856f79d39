import { z } from 'zod';
import { defineDesk, NO_TRACE } from '#engine';
import { single } from '#ensemble';
import { type BarColumns, defineInstrument, type InstrumentId } from '#market';
import { type KernelRule, kernelRuleOf, playRules } from '#research';
import { fixedUnits } from '#risk';
import { crossSource } from '#signals';
import { buildStudy } from '../../src/apps/setup/study.ts';
// by its path: only the benchmark looks inside the kernel
import { KernelMarket } from '../../src/research/kernel/kernel-market.ts';

/** Cents, whole shares, money to 1e-8: worth and fee of ten shares fit 64-bit integers, so the peer can be exact too. */
export const INSTRUMENT = defineInstrument({
  id: 'WALK.BENCH',
  kind: 'equity',
  tick: { units: 1, scale: 2 },
  lot: { units: 1, scale: 0 },
});
export const LOTS = 10;
export const CASH = 1_000_000;

/** The desk of examples/01-sma-cross.ts for every pair: long or flat, ten units, 5 bps. */
export function sweepOf(bars: BarColumns, fast: readonly number[], slow: readonly number[]) {
  const rules: KernelRule[] = [];
  for (const f of fast) for (const s of slow) rules.push(ruleOf(f, s));
  return {
    rules,
    market: new KernelMarket(bars, rules[0]!),
    play: () => {
      const plays = playRules(bars, rules)!;
      let fills = 0;
      let falls = 0;
      const equities = plays.map(({ outcome }) => {
        fills += outcome!.fills;
        falls += outcome!.maxDrawdown;
        return outcome!.equityEnd;
      });
      return { equities, fills, meanFall: falls / plays.length };
    },
  };
}

function ruleOf(fast: number, slow: number): KernelRule {
  const parts = {
    interval: 'tape',
    warmUpBars: slow,
    sources: [crossSource({ fast: `sma:${fast}`, slow: `sma:${slow}` })],
    pooling: single(),
    sizer: fixedUnits(LOTS),
    opposite: 'close',
    shorts: false,
    unlimitedCredit: true,
    simulation: { cash: CASH, feeBps: 5, slippageBps: 0, participation: null },
  } as const;
  const definition = defineDesk({ name: 'sma-cross', parameters: z.unknown(), build: () => parts });
  const series = [{ instrument: 'WALK.BENCH' as InstrumentId, intervalMs: 60_000 }];
  const study = buildStudy(
    { definition, parameters: {}, parts, sourceHash: '', named: '' },
    series,
    { cash: null, feeBps: null, slippageBps: null, seed: '' },
    NO_TRACE,
  );
  // the study knows the instrument by its name alone; the benchmark's has a grid of its own
  const desks = study.definition.desks.map((desk) => ({ ...desk, instruments: [INSTRUMENT] }));
  const { rule, reason } = kernelRuleOf({
    definition: { ...study.definition, desks },
    venue: study.venue,
    series: series.map((one) => ({ kind: 'bars', ...one })),
  });
  if (rule === null) throw new Error(reason);
  return rule;
}
