import type { ModelStage } from '#research';
import type { EvidenceSignature } from './evidence-signature.ts';
import { HELD_STAGES, type HeldStage } from './model-event.ts';
import type { LoggedEvent } from './model-log.ts';

/** A model as the log knows it. */
export interface ModelEntry {
  readonly id: string;
  readonly name: string;
  readonly parent: string | null;
  readonly stage: ModelStage;
  /** Stages it holds now. */
  readonly holds: readonly HeldStage[];
  /** Whether it ever held one: such a model is kept. */
  readonly wasStaged: boolean;
  /** Epoch milliseconds at which it came, the last time. */
  readonly at: number;
  /** Place in the log at which it came; the newest of a name has the highest. */
  readonly position: number;
  readonly trainedTo: number;
  readonly instrument: string;
  readonly interval: string;
  readonly stamps: readonly string[];
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Where it came from: `trained`, `imported`. */
  readonly from: string;
  /** Hashes of its evidence, oldest first. */
  readonly evidence: readonly string[];
  /** Taken away by retention: what is left is what this record says. */
  readonly isPruned: boolean;
  /** Where it was published. */
  readonly published: readonly string[];
}

/** How a record of evidence came. */
export interface Arrival {
  /** Whether a training on this machine made it. */
  readonly isHere: boolean;
  readonly signatures: readonly EvidenceSignature[];
}

type Mutable = { -readonly [K in keyof ModelEntry]: ModelEntry[K] } & {
  isRetired: boolean;
  evidence: string[];
  published: string[];
};

/** Who holds a stage of a name, and who did before. */
interface Chair {
  /** Holders under the present one, oldest first; the present one is last unless the chair is empty. */
  readonly stack: string[];
  isEmpty: boolean;
}

/** All that a log comes to. Fed in order, so that it can go on where it stopped. */
export class ModelState {
  private readonly models = new Map<string, Mutable>();
  private readonly chairs = new Map<string, Chair>();
  private readonly verdicts = new Set<string>();
  /** By model and hash of the evidence. */
  private readonly arrivals = new Map<string, Arrival>();

  apply({ position, at, event }: LoggedEvent): void {
    if (event.kind === 'registered') {
      const { model: id, name, parent, trainedTo, instrument, interval, stamps, metrics, from } = event;
      const before = this.models.get(id);
      const facts = {
        id,
        name,
        parent,
        at,
        position,
        trainedTo,
        instrument,
        interval,
        stamps,
        metrics,
        from,
      };
      const fresh = { stage: 'candidate' as const, holds: [], wasStaged: false, evidence: [], published: [] };
      // one that was pruned and came again keeps its past
      this.models.set(id, { ...fresh, isRetired: false, ...before, ...facts, isPruned: false });
      return;
    }
    const model = this.models.get(event.model);
    if (model === undefined) return;
    switch (event.kind) {
      case 'evidence': {
        const { evidence, origin, signatures = [] } = event;
        if (!model.evidence.includes(evidence)) model.evidence.push(evidence);
        const before = this.arrival(event.model, evidence);
        this.arrivals.set(`${event.model} ${evidence}`, {
          isHere: origin === 'here' || (before?.isHere ?? false),
          signatures: [...(before?.signatures ?? []), ...signatures],
        });
        return;
      }
      case 'staged': {
        const chair = this.chair(event.name, event.stage);
        // who takes an empty chair again stands on the stack once
        if (chair.stack.at(-1) !== event.model) chair.stack.push(event.model);
        chair.isEmpty = false;
        model.wasStaged = true;
        this.verdicts.add(event.verdict);
        return;
      }
      case 'rolled-back': {
        const chair = this.chair(event.name, event.stage);
        while (chair.stack.length > 0 && chair.stack.at(-1) !== event.model) chair.stack.pop();
        if (chair.stack.length === 0) chair.stack.push(event.model);
        chair.isEmpty = false;
        return;
      }
      case 'retired':
        model.isRetired = true;
        for (const stage of HELD_STAGES) {
          const chair = this.chair(event.name, stage);
          if (this.holder(event.name, stage) !== event.model) continue;
          chair.stack.pop();
          chair.isEmpty = true;
        }
        return;
      case 'pruned':
        model.isPruned = true;
        for (const one of model.evidence) this.arrivals.delete(`${event.model} ${one}`);
        // its evidence went with it; should it come again, it has to bring it again
        model.evidence = [];
        return;
      case 'published':
        if (!model.published.includes(event.to)) model.published.push(event.to);
        return;
    }
  }

  /** Every model, in the order they came. */
  entries(): ModelEntry[] {
    return [...this.models.values()].map((model) => this.seen(model)).sort((a, b) => a.position - b.position);
  }

  entry(id: string): ModelEntry | null {
    const model = this.models.get(id);
    return model === undefined ? null : this.seen(model);
  }

  /** How a record of a model's evidence came; null for one that never did. */
  arrival(id: string, evidence: string): Arrival | null {
    return this.arrivals.get(`${id} ${evidence}`) ?? null;
  }

  /** Who holds a stage of a name; null for nobody. */
  holder(name: string, stage: HeldStage): string | null {
    const chair = this.chair(name, stage);
    return chair.isEmpty ? null : (chair.stack.at(-1) ?? null);
  }

  /** Who held it before, and may again: neither retired by a person nor pruned. Null for nobody. */
  previous(name: string, stage: HeldStage): string | null {
    const { stack, isEmpty } = this.chair(name, stage);
    const before = isEmpty ? stack : stack.slice(0, -1);
    const isFit = (id: string) => {
      const model = this.models.get(id);
      return model !== undefined && !model.isRetired && !model.isPruned;
    };
    return before.findLast(isFit) ?? null;
  }

  /** Objects that are still needed: models, their evidence, and every verdict there ever was. */
  needed(): Set<string> {
    const kept = [...this.models.values()].filter(({ isPruned }) => !isPruned);
    return new Set([...this.verdicts, ...kept.flatMap(({ id, evidence }) => [id, ...evidence])]);
  }

  private chair(name: string, stage: HeldStage): Chair {
    const key = `${name}@${stage}`;
    let chair = this.chairs.get(key);
    if (chair === undefined) {
      chair = { stack: [], isEmpty: false };
      this.chairs.set(key, chair);
    }
    return chair;
  }

  private seen(model: Mutable): ModelEntry {
    const holds = HELD_STAGES.filter((stage) => this.holder(model.name, stage) === model.id);
    const { isRetired, ...entry } = model;
    // live is further than paper; who held a stage and lost it is a candidate no more
    const stage = holds.at(-1) ?? (isRetired || model.wasStaged ? 'retired' : 'candidate');
    return { ...entry, stage, holds };
  }
}
