import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '#base';
import type { ModelEvidence, PromotionException } from '#research';
import { type ModelArtefact, modelIdOf } from '#signals';
import { makeFolder } from '../../storage/make-folder.ts';
import type { EvidenceSignature } from './evidence-signature.ts';
import type { HeldStage, ModelEvent } from './model-event.ts';
import { type LoggedEvent, type LogHead, ModelLog } from './model-log.ts';
import { readArtefact, readEvidence } from './model-schemas.ts';
import { type Arrival, type ModelEntry, ModelState } from './model-state.ts';
import { treesOf } from './model-trees.ts';
import { ObjectStore } from './object-store.ts';
import {
  type Act,
  type EvidenceRecord,
  IMPORTED,
  type ModelVerdict,
  type Pruning,
  type RegistryCheck,
} from './registry-terms.ts';

/** The log of a registry, in its folder. */
export const MODELS_FILE = 'models.sqlite';
/** How long a reader waits for one who replaces the log's files. */
const READ_BUSY_MS = 100;
const OBJECTS = 'objects';

/**
 * Versions of models under their names, in one folder: objects named by their contents, and a log of what happened to them.
 * Objects are written before the log names them and taken away after it let go of them, both while no other process can write,
 * so that a kill at any moment leaves at most a file that nothing needs.
 */
export class ModelRegistry {
  readonly folder: string;
  private readonly log: ModelLog;
  private readonly objects: ObjectStore;
  private readonly state = new ModelState();
  private seen: LogHead = { entries: 0, chain: '' };

  private constructor(folder: string, log: ModelLog) {
    this.folder = folder;
    this.log = log;
    this.objects = new ObjectStore(join(folder, OBJECTS));
  }

  /** Opens a registry, a new one where there is none. Throws {@link InputError} for one that is damaged. */
  static open(folder: string): ModelRegistry {
    const path = resolve(folder);
    makeFolder(path);
    return new ModelRegistry(path, ModelLog.open(join(path, MODELS_FILE)));
  }

  /** The same of a registry that is there; null where none is. */
  static openExisting(folder: string): ModelRegistry | null {
    return existsSync(join(folder, MODELS_FILE)) ? ModelRegistry.open(folder) : null;
  }

  /** The same for reading alone, beside whoever writes: it waits a moment at most. Null where none is. */
  static openToRead(folder: string): ModelRegistry | null {
    const path = resolve(folder);
    const file = join(path, MODELS_FILE);
    return existsSync(file) ? new ModelRegistry(path, ModelLog.openToRead(file, READ_BUSY_MS)) : null;
  }

  /**
   * Puts a model on record, and what speaks for it. The same model twice is there once; evidence is added to it. With
   * {@link IMPORTED} as `from` the evidence is somebody else's, and `signatures` are those that came with it. Throws
   * {@link InputError} for a model that does not hold together, and for evidence of another.
   */
  register(
    artefact: ModelArtefact,
    evidence: readonly ModelEvidence[],
    from: string,
    { at, by }: Act,
    signatures: readonly EvidenceSignature[] = [],
  ): { readonly id: string; readonly isNew: boolean } {
    treesOf(readArtefact(artefact, artefact.name));
    const id = modelIdOf(artefact);
    for (const one of evidence) this.requireFor(one, id);
    return this.change((append) => {
      const known = this.state.entry(id);
      const isNew = known === null || known.isPruned;
      // also of one that is there: whoever brings it again mends a file that was damaged
      this.objects.put(artefact);
      if (isNew) {
        const { name, parent, stamps, metrics, training } = artefact;
        const { to: trainedTo, instrument, interval } = training;
        const facts = { name, parent, trainedTo, instrument, interval, stamps: [...stamps], metrics };
        append({ kind: 'registered', model: id, ...facts, metrics: { ...metrics }, from, by }, at);
      }
      const isHere = from !== IMPORTED;
      for (const one of evidence) {
        const hash = this.objects.put(one);
        const own = signatures.filter((signature) => signature.evidence === hash);
        const event = this.arriving(id, hash, { isHere, signatures: own }, by);
        if (event !== null) append(event, at);
      }
      return { id, isNew };
    });
  }

  /** Adds what was learned here about a model that is there. Returns the evidence's hash. */
  addEvidence(id: string, evidence: ModelEvidence, { at, by }: Act): string {
    this.requireFor(evidence, id);
    return this.change((append) => {
      this.present(id);
      const hash = this.objects.put(evidence);
      const event = this.arriving(id, hash, { isHere: true, signatures: [] }, by);
      if (event !== null) append(event, at);
      return hash;
    });
  }

  /** Every model, oldest first. */
  entries(): ModelEntry[] {
    this.refresh();
    return this.state.entries();
  }

  entry(id: string): ModelEntry | null {
    this.refresh();
    return this.state.entry(id);
  }

  /** What happened to a model, oldest first. */
  history(id: string): LoggedEvent[] {
    return this.log.read().events.filter(({ event }) => event.model === id);
  }

  /** Throws {@link InputError} for one that is missing, pruned or damaged. */
  artefact(id: string): ModelArtefact {
    this.refresh();
    const entry = this.present(id);
    return readArtefact(this.objects.read(id), `${entry.name} (${id.slice(0, 12)})`);
  }

  /** Everything that speaks for a model, whoever says it, oldest first. */
  evidenceOf(id: string): ModelEvidence[] {
    return this.evidenceRecords(id).map(({ evidence }) => evidence);
  }

  /** The same with how each record came. */
  evidenceRecords(id: string): EvidenceRecord[] {
    this.refresh();
    return this.present(id).evidence.map((hash) => ({
      hash,
      evidence: readEvidence(this.objects.read(hash), `evidence ${hash.slice(0, 12)}`),
      ...this.state.arrival(id, hash)!,
    }));
  }

  /** Bytes of a model's own object; 0 where it is gone. */
  sizeOf(id: string): number {
    return this.objects.sizeOf(id);
  }

  holder(name: string, stage: HeldStage): string | null {
    this.refresh();
    return this.state.holder(name, stage);
  }

  /** Who would hold a stage after a roll-back; null for nobody. */
  previous(name: string, stage: HeldStage): string | null {
    this.refresh();
    return this.state.previous(name, stage);
  }

  head(): LogHead {
    return this.log.head();
  }

  /**
   * Stages a model that was let through when the log ended at `judgedAt`. Throws {@link InputError} where something happened
   * since: it was not judged. The verdict is kept.
   */
  promote(
    verdict: ModelVerdict,
    exception: PromotionException | null,
    judgedAt: LogHead,
    { at, by }: Act,
  ): void {
    const { model, to: stage, profile, promoted } = verdict;
    if (!promoted) throw new InputError('a refused model is not staged', 'mend what was refused');
    this.change((append, head) => {
      const { name } = this.present(model);
      if (head.chain !== judgedAt.chain)
        throw new InputError(
          `something else happened in ${this.folder} while ${name} was judged: nothing was promoted`,
          'promote again, so that it is judged as things are now',
        );
      const kept = this.objects.put(verdict);
      append({ kind: 'staged', model, name, stage, profile, verdict: kept, exception, by }, at);
    });
  }

  /** Gives a stage back to the one that held it before, and returns its id. Throws {@link InputError} where there is none. */
  rollBack(name: string, stage: HeldStage, reason: string, { at, by }: Act): string {
    return this.change((append) => {
      const model = this.state.previous(name, stage);
      if (model === null)
        throw new InputError(
          `no model held ${name}@${stage} before`,
          'promote another one, or retire the present one',
        );
      const instead = this.state.holder(name, stage);
      append({ kind: 'rolled-back', model, name, stage, instead, reason, by }, at);
      return model;
    });
  }

  /** Takes a model out of every stage, for good: it is neither promoted nor rolled back to. */
  retire(id: string, reason: string, { at, by }: Act): void {
    this.change((append) => {
      const { name } = this.present(id);
      append({ kind: 'retired', model: id, name, reason, by }, at);
    });
  }

  /** Remembers where a model was published. */
  published(id: string, to: string, { at, by }: Act): void {
    this.change((append) => {
      const { name } = this.present(id);
      append({ kind: 'published', model: id, name, to, by }, at);
    });
  }

  /**
   * Keeps the newest `keep` models of each name and whatever is or was staged, and takes the others away; the log remembers
   * them. A dry run takes nothing.
   */
  prune(keep: number, isDry: boolean, { at, by }: Act): Pruning {
    if (isDry) {
      this.refresh();
      return this.prunable(keep);
    }
    const gone = this.change((append) => {
      const found = this.prunable(keep);
      for (const { id, name } of found.models) append({ kind: 'pruned', model: id, name, by }, at);
      return found;
    });
    // a second change: what the first let go of is on record before a file goes
    this.change(() => {
      for (const hash of this.unneeded()) this.objects.remove(hash);
      for (const path of this.objects.listing().strange) rmSync(path, { force: true, recursive: true });
    });
    return gone;
  }

  /** Reads everything and compares it with its hash and its chain. */
  verify(): RegistryCheck {
    return this.change(() => {
      const { events, head } = this.log.read();
      const faults: string[] = [];
      const entries = this.state.entries();
      for (const entry of entries) {
        if (entry.isPruned) continue;
        faults.push(...this.faultsOf(entry));
      }
      for (const { event } of events)
        if (event.kind === 'staged' && !this.objects.isWhole(event.verdict))
          faults.push(`the verdict on ${event.model.slice(0, 12)} is missing or was changed`);
      const { hashes, strange } = this.objects.listing();
      return {
        models: entries.filter(({ isPruned }) => !isPruned).length,
        entries: head.entries,
        objects: hashes.length,
        head: head.chain,
        faults,
        leftOver: [...this.unneeded(), ...strange],
      };
    });
  }

  close(): void {
    this.log.close();
  }

  private faultsOf({ id, name, evidence }: ModelEntry): string[] {
    const subject = `${name} ${id.slice(0, 12)}`;
    if (!this.objects.has(id)) return [`${subject} is missing`];
    try {
      const found = readArtefact(this.objects.read(id), subject);
      if (found.name !== name) return [`${subject} holds a model of another name`];
      for (const hash of evidence) this.requireFor(readEvidence(this.objects.read(hash), subject), id);
      return [];
    } catch (error) {
      if (error instanceof InputError) return [error.message];
      throw error;
    }
  }

  /** What the log has to say of evidence that came, or came again; null where it says so already. */
  private arriving(model: string, evidence: string, came: Arrival, by: string): ModelEvent | null {
    const before = this.state.arrival(model, evidence);
    const known = before?.signatures ?? [];
    const signatures = came.signatures.filter((one) => !known.some(({ value }) => value === one.value));
    if (before !== null && (before.isHere || !came.isHere) && signatures.length === 0) return null;
    const origin = came.isHere ? 'here' : 'elsewhere';
    const signed = signatures.length === 0 ? {} : { signatures };
    return { kind: 'evidence', model, evidence, origin, ...signed, by };
  }

  private prunable(keep: number): Pruning {
    const younger = new Map<string, number>();
    const models: ModelEntry[] = [];
    for (const entry of this.state.entries().reverse()) {
      if (entry.isPruned) continue;
      const rank = younger.get(entry.name) ?? 0;
      younger.set(entry.name, rank + 1);
      if (rank >= keep && !entry.wasStaged) models.push(entry);
    }
    const gone = new Set(models.map(({ id }) => id));
    const others = this.state.entries().filter(({ id, isPruned }) => !isPruned && !gone.has(id));
    const shared = new Set(others.flatMap(({ evidence }) => evidence));
    const objects = models.flatMap(({ id, evidence }) => [id, ...evidence.filter((one) => !shared.has(one))]);
    const bytes = objects.reduce((sum, hash) => sum + this.objects.sizeOf(hash), 0);
    const { strange } = this.objects.listing();
    return { models: models.reverse(), bytes, leftOver: this.unneeded().length + strange.length };
  }

  private unneeded(): string[] {
    const needed = this.state.needed();
    return this.objects.listing().hashes.filter((hash) => !needed.has(hash));
  }

  private requireFor(evidence: ModelEvidence, id: string): void {
    readEvidence(evidence, 'the evidence');
    if (evidence.model === id) return;
    throw new InputError(
      `the evidence speaks of ${evidence.model.slice(0, 12)}, not of ${id.slice(0, 12)}`,
      'measure this very model',
    );
  }

  private present(id: string): ModelEntry {
    const entry = this.state.entry(id);
    if (entry === null)
      throw new InputError(
        `there is no model ${id.slice(0, 12)} in ${this.folder}`,
        'list them: quorum models list',
      );
    if (!entry.isPruned) return entry;
    throw new InputError(
      `${entry.name} (${id.slice(0, 12)}) was taken away by retention`,
      'import its exported file, or train again with the same seed and data',
    );
  }

  /** Runs a change on the state as it is now. */
  private change<T>(action: (append: (event: ModelEvent, at: number) => void, head: LogHead) => T): T {
    return this.log.change((append) => {
      this.refresh();
      // what is appended reaches the state when it is read back: a change that is undone leaves no trace in it
      return action(append, this.seen);
    });
  }

  private refresh(): void {
    const { events, head } = this.log.read(this.seen);
    for (const event of events) this.state.apply(event);
    this.seen = head;
  }
}
