import { type Profiler, Session } from 'node:inspector/promises';

type Rule = readonly [stage: string, path: RegExp];

/** Which files of src/ are which stage of a bar's life; the first rule that fits counts. */
const RULES: readonly Rule[] = [
  ['tape: rows to events', /^adapters\/feeds\//],
  ['bars: checks, resampling, slices', /^market\/(bar|bar-check|resample|slice|event-order)\.ts$/],
  ['features', /^features\//],
  ['sources', /^signals\//],
  ['pooling and gates', /^ensemble\//],
  ['risk: sizes, limits, exits, breaker', /^risk\//],
  ['plans', /^execution\/(planner|leg-tracker)\.ts$/],
  ['venues, the simulated and the shadow', /^(execution\/|engine\/shadow-venue\.ts$)/],
  ['ledger', /^ledger\//],
  ['learning', /^learning\//],
  ['journal', /^(engine\/(journal-format|loop)\.ts$|adapters\/storage\/)/],
  ['equity curve', /^research\/equity-curve\.ts$/],
  ['engine: dispatch, bindings, records', /^(engine|research|desks|apps)\//],
];

const COLLECTOR = 'garbage collection';
const REST = 'the rest of the process';
export const STAGES: readonly string[] = [...RULES.map(([stage]) => stage), COLLECTOR, REST];

/** Between two samples, in microseconds. */
export const SAMPLING_US = 200;

/**
 * Share of the time per stage while `work` runs, from samples of the call stack: a sample counts for the innermost
 * function that has a stage, so that shared arithmetic and built-ins count for whoever called them.
 */
export async function stageShares(work: () => void): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
  await session.post('Profiler.start');
  work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const stages = stageOfNodes(profile);
  const times = new Map<string, number>(STAGES.map((stage) => [stage, 0]));
  let total = 0;
  profile.samples?.forEach((node, i) => {
    const stage = stages.get(node)!;
    if (stage === '(idle)') return;
    const time = profile.timeDeltas![i]!;
    times.set(stage, times.get(stage)! + time);
    total += time;
  });
  return new Map([...times].map(([stage, time]) => [stage, time / total]));
}

function stageOfNodes({ nodes }: Profiler.Profile): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stages = new Map<number, string>();
  const visit = (id: number, above: string) => {
    const { callFrame, children } = byId.get(id)!;
    const stage = stageOf(callFrame.functionName, callFrame.url) ?? above;
    stages.set(id, stage);
    for (const child of children ?? []) visit(child, stage);
  };
  visit(nodes[0]!.id, REST);
  return stages;
}

function stageOf(name: string, url: string): string | null {
  if (name === '(garbage collector)') return COLLECTOR;
  if (name === '(idle)') return name;
  const path = /\/src\/(.+)$/.exec(url)?.[1];
  return RULES.find(([, rule]) => path !== undefined && rule.test(path))?.[0] ?? null;
}
