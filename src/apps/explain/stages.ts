import { type Explanation, OUTCOMES, objectionText, signalText, sizeText } from './explanation.ts';

export const STAGES = ['sources', 'pooling', 'gates', 'size', 'limits', 'review', 'orders'] as const;
export type StageName = (typeof STAGES)[number];

/** One step on an idea's way; null: it was not reached, or nobody had to be asked. */
export interface Stage {
  readonly stage: StageName;
  readonly passed: boolean | null;
  readonly text: string;
}

/** Rules of the engine that are asked behind the gates and before a size is computed. */
const BEFORE_SIZE = new Set([
  'stopped',
  'desk-stopped',
  'feed',
  'fx-rate',
  'working-order',
  'held-position',
  'long-only',
  'selection',
]);
/** Rules on a plan that has its size but does not fit the instrument's grid. */
const ON_SIZE = new Set(['grid', 'proposal']);

/** Where an idea was cut; null: it was not. */
export function cutAt(e: Explanation): StageName | null {
  const [first] = e.objections;
  switch (e.outcome) {
    case 'entered':
    case 'in-review':
    case 'exited':
      return null;
    case 'held':
    case 'not-selected':
      return 'gates';
    case 'shadow':
      return 'size';
    case 'wait':
      if (e.action !== 'wait') return isGate(e) ? 'gates' : 'pooling';
      return e.sources.length === 0 ? 'sources' : 'pooling';
    case 'refused':
      if (first === undefined) return 'limits';
      if (BEFORE_SIZE.has(first.by)) return 'gates';
      if (first.by === 'review') return 'review';
      if (ON_SIZE.has(first.by)) return 'size';
      if (e.limits.some(({ name }) => name === first.by)) return 'limits';
      // the breaker is asked before the size, and its sizer says so as well
      if (first.by === 'breaker') return e.size === null ? 'gates' : 'limits';
      return e.size === null ? 'size' : 'limits';
  }
}

/** Of an idea that wanted to act and waits: whether a gate objected first, not the pooling rule or a source. */
const isGate = ({ gates, objections }: Explanation) =>
  gates.length === 0 || gates.some(({ name }) => name === objections[0]?.by);

/** The way of an idea from its sources to its orders, with the step that cut it. */
export function stagesOf(e: Explanation): readonly Stage[] {
  const cut = cutAt(e);
  const end = cut === null ? STAGES.length : STAGES.indexOf(cut);
  return STAGES.map((stage, i) => {
    if (i > end) return { stage, passed: null, text: 'not reached' };
    if (i === end) return { stage, passed: false, text: whyCut(e, stage) };
    return passedStage(e, stage);
  });
}

function whyCut(e: Explanation, stage: StageName): string {
  if (stage === 'sources') return 'no source spoke';
  if (e.objections.length > 0) {
    return e.objections.map((one) => `${one.by}: ${objectionText(one)}`).join('; ');
  }
  return OUTCOMES[e.outcome];
}

function passedStage(e: Explanation, stage: StageName): Stage {
  switch (stage) {
    case 'sources': {
      const spoke = e.sources.map(({ signal }) => `${signal.source}: ${signalText(signal)}`);
      const silent = e.silent.length === 0 ? '' : `; silent: ${e.silent.join(', ')}`;
      return { stage, passed: true, text: `${spoke.join('; ') || 'no source spoke'}${silent}` };
    }
    case 'pooling':
      return { stage, passed: true, text: `${e.action}, confidence ${e.confidence.toFixed(3)}; ${e.rule}` };
    case 'gates': {
      const tolerated = e.gates.filter(({ verdict }) => verdict === 'objects').map(({ name }) => name);
      const names = e.gates.filter(({ verdict }) => verdict === 'passed').map(({ name }) => name);
      const passed = names.length === 0 ? 'none objected' : `passed ${names.join(', ')}`;
      return {
        stage,
        passed: true,
        text: tolerated.length === 0 ? passed : `${passed}; tolerated ${tolerated.join(', ')}`,
      };
    }
    case 'size':
      return e.size === null
        ? { stage, passed: null, text: sizeText(null) }
        : { stage, passed: true, text: sizeText(e.size) };
    case 'limits':
      return limitsStage(e);
    case 'review':
      return e.outcome === 'in-review'
        ? { stage, passed: null, text: 'waits for a person' }
        : { stage, passed: null, text: 'nobody was asked' };
    case 'orders':
      return ordersStage(e);
  }
}

function limitsStage(e: Explanation): Stage {
  const stage = 'limits';
  if (e.outcome === 'exited') return { stage, passed: null, text: 'not reached' };
  const reductions = e.objections.map((one) => `${one.by}: ${objectionText(one)}`);
  if (reductions.length > 0) return { stage, passed: true, text: `made smaller by ${reductions.join('; ')}` };
  const names = e.limits.filter(({ verdict }) => verdict === 'passed').map(({ name }) => name);
  return { stage, passed: true, text: names.length === 0 ? 'none objected' : `passed ${names.join(', ')}` };
}

function ordersStage(e: Explanation): Stage {
  const stage = 'orders';
  if (e.outcome === 'exited') return { stage, passed: null, text: 'the opposite position is closed first' };
  if (e.orders.length === 0) return { stage, passed: null, text: 'none yet' };
  const fills = e.orders.reduce((sum, order) => sum + order.fills.length, 0);
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
  return { stage, passed: true, text: `${count(e.orders.length, 'order')}, ${count(fills, 'fill')}` };
}
