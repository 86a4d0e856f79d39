import { assert } from '#base';
import type { BarColumns } from '#market';
import { barsReason, type KernelRule, type KernelVerdict, kernelRuleOf } from '#research';
import type { RecordedData } from '../run-backtest.ts';
import type { Study } from '../study.ts';

/** Verdicts on bars are the same for all variants that assume the same of the market. */
const judgedBars = new WeakMap<BarColumns, Map<string, string | null>>();

/** The rule of a study for the kernel, or why it is the loop's. */
export function kernelVerdictOf(study: Study, { tape }: RecordedData): KernelVerdict {
  const series = tape.series.map((one) => ({
    kind: one.kind,
    instrument: one.instrument,
    intervalMs: one.kind === 'bars' ? one.intervalMs : 0,
  }));
  const verdict = kernelRuleOf({ definition: study.definition, venue: study.venue, series });
  if (verdict.rule === null) return verdict;
  const reason = reasonOfBars(barsOf(tape), verdict.rule);
  return reason === null ? verdict : { rule: null, reason };
}

function reasonOfBars(bars: BarColumns, rule: KernelRule): string | null {
  let known = judgedBars.get(bars);
  if (known === undefined) {
    known = new Map();
    judgedBars.set(bars, known);
  }
  const key = `${rule.instrument.id} ${rule.intervalMs}`;
  if (!known.has(key)) known.set(key, barsReason(bars, rule));
  return known.get(key) ?? null;
}

/** The bars of a tape that holds nothing else. */
export function barsOf(tape: RecordedData['tape']): BarColumns {
  const series = tape.series[0]!;
  assert(series.kind === 'bars', 'the kernel plays bars');
  return series.columns;
}
