import { assert } from '#base';
import type { BoostingHand } from './boosting-hand.ts';
import type { BoostingData } from './boosting-options.ts';
import { CONTROL, WORK } from './control-words.ts';
import { PartWork, type Work } from './part-work.ts';

/** Threads that share work. */
export interface BoostingTeam {
  /** Of the thread that leads. */
  readonly own: PartWork;
  readonly threads: number;
  /** Does all parts of a kind of work; what it needs to know stands in the control words. */
  run(work: Work, parts: number): void;
}

/** One thread that does everything. */
export class SoloTeam implements BoostingTeam {
  readonly own: PartWork;
  readonly threads = 1;

  constructor(hand: BoostingHand, data: BoostingData) {
    this.own = new PartWork(hand, data);
  }

  run(work: Work, parts: number): void {
    for (let part = 0; part < parts; part++) this.own.perform(work, part);
  }
}

function control({ plan, words }: BoostingHand): Int32Array {
  return words.subarray(plan.at.control >>> 2, (plan.at.control >>> 2) + CONTROL.told);
}

/** Takes parts that nobody has taken yet until none is left. */
function takeParts(words: Int32Array, own: PartWork, work: Work, parts: number): void {
  for (;;) {
    const part = Atomics.add(words, CONTROL.next, 1);
    if (part >= parts) return;
    own.perform(work, part);
  }
}

/** The leading thread's end of several that work in one shared memory; the others are in {@link followBoosting}. */
export class ThreadTeam implements BoostingTeam {
  readonly own: PartWork;
  readonly threads: number;
  private readonly words: Int32Array;

  constructor(hand: BoostingHand, data: BoostingData) {
    assert(hand.thread === 0, 'the first thread leads');
    this.own = new PartWork(hand, data);
    this.threads = hand.plan.shape.threads;
    this.words = control(hand);
  }

  run(work: Work, parts: number): void {
    const { words, own } = this;
    words[CONTROL.parts] = parts;
    words[CONTROL.turn]!++;
    // not worth waking anyone for
    if (parts <= 1) {
      if (parts === 1) own.perform(work, 0);
      return;
    }
    this.call(work);
    takeParts(words, own, work, parts);
    for (;;) {
      const working = Atomics.load(words, CONTROL.working);
      if (working === 0) return;
      Atomics.wait(words, CONTROL.working, working);
    }
  }

  /** Lets the others go. */
  end(): void {
    this.call(WORK.end);
  }

  private call(work: number): void {
    const { words, threads } = this;
    words[CONTROL.work] = work;
    Atomics.store(words, CONTROL.next, 0);
    Atomics.store(words, CONTROL.working, threads - 1);
    Atomics.add(words, CONTROL.call, 1);
    Atomics.notify(words, CONTROL.call);
  }
}

/** What every thread but the first does until the first one lets it go. It waits without using the processor. */
export function followBoosting(hand: BoostingHand, data: BoostingData): void {
  const own = new PartWork(hand, data);
  const words = control(hand);
  let seen = 0;
  for (;;) {
    Atomics.wait(words, CONTROL.call, seen);
    seen = Atomics.load(words, CONTROL.call);
    const work = words[CONTROL.work]!;
    if (work === WORK.end) return;
    takeParts(words, own, work as Work, words[CONTROL.parts]!);
    if (Atomics.sub(words, CONTROL.working, 1) === 1) Atomics.notify(words, CONTROL.working);
  }
}
