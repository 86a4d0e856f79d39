import type { ResponseOf } from '@contract';

type Stage = ResponseOf<'decision'>['stages'][number];
export type Fate = 'passed' | 'skipped' | 'cut' | 'never';

/** What became of the idea at each stage. */
export function fatesOf(stages: readonly Stage[]): readonly Fate[] {
  const cut = stages.findIndex((stage) => stage.passed === false);
  const last = cut >= 0 ? cut : stages.findLastIndex((stage) => stage.passed === true);
  return stages.map((stage, i) => {
    if (i === cut) return 'cut';
    if (i > last) return 'never';
    return stage.passed === true ? 'passed' : 'skipped';
  });
}
