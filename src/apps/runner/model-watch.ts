import { readReference } from '#adapters';
import { InputError, type Instant, SECOND } from '#base';
import { type Engine, type OperatorAction, operatorRefusal } from '#engine';
import { type Meant, MeantModels } from '../models/meant-models.ts';
import { modelResources } from '../models/model-resources.ts';
import type { PaperSetup } from './portfolio-setup.ts';
import type { Session } from './session.ts';

type ModelAct = Extract<OperatorAction, { action: 'model' }>;

export interface ModelWatchOptions {
  readonly session: Session;
  /** Never before the engine's. */
  readonly now: () => Instant;
  /** The journal takes nothing more. */
  readonly isOver: () => boolean;
  /** A step of the loop threw: the portfolio must end. */
  readonly onBroken: (error: unknown) => void;
  /** Where models are on record; the usual place unless given. */
  readonly meant?: MeantModels;
}

/** Who changes models in the journal. */
const BY = 'model registry';
/** Between two looks at the registry's files, and at the latest between two readings of them. */
const LOOK_MS = 5 * SECOND;
const READ_MS = 60 * SECOND;
/** What the journal and its readers take of a reason. */
const TEXT_MOST = 500;

/** Why an act about a model cannot be done now, one that is missing or damaged included; null when it can. */
export function modelFault(engine: Engine, act: ModelAct): string | null {
  try {
    return operatorRefusal(engine, act);
  } catch (error) {
    // a desk file may throw whatever it likes at a model that it does not know
    if (!(error instanceof Error)) throw error;
    return error instanceof InputError ? error.message : `the desk cannot be made with it: ${error.message}`;
  }
}

/**
 * Why a person cannot have a candidate's reference mean this model; null where it can. A stage that was judged, an id and a file mean
 * what they mean, and so does a model that is not here: whoever takes it says so.
 */
export function candidateFault({ unfit }: Pick<PaperSetup, 'unfit'>, act: ModelAct): string | null {
  const { desk, reference, id } = act;
  const judge = unfit[desk]?.[reference];
  const read = readReference(reference);
  if (judge === undefined || id === null || read.kind !== 'stage' || read.stage !== 'candidate') return null;
  const found = modelResources().model(id);
  return found === null ? null : judge(found.artefact);
}

/**
 * Follows what the references of a portfolio's desks mean in the registry of models, and has a desk take what was promoted,
 * rolled back to or retired. What cannot be taken leaves the desk as it is; people hear of it once.
 */
export class ModelWatch {
  private readonly options: ModelWatchOptions;
  private readonly meant: MeantModels;
  /** What was told already, by desk and reference. */
  private readonly told = new Map<string, string>();
  private timer: NodeJS.Timeout | null = null;
  private readAt = Number.NEGATIVE_INFINITY;

  constructor(options: ModelWatchOptions) {
    this.options = options;
    this.meant = options.meant ?? new MeantModels();
  }

  /** Takes what has happened meanwhile, and goes on looking until {@link close}. */
  start(): void {
    if (this.options.session.engine.desks.every(({ models }) => models === null)) return;
    while (this.look()) if (this.options.isOver()) return;
    this.timer = setInterval(() => this.beat(), LOOK_MS).unref();
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private beat(): void {
    if (this.options.isOver()) return;
    const now = performance.now();
    if (!this.meant.hasMoved() && now - this.readAt < READ_MS) return;
    this.readAt = now;
    this.lookOn();
  }

  /** A model takes a moment to read: other turns of the loop go between one and the next. */
  private lookOn(): void {
    if (this.timer !== null && !this.options.isOver() && this.look()) setImmediate(() => this.lookOn());
  }

  /** Does the first thing that is to be done; false when there was nothing. */
  look(): boolean {
    const { session } = this.options;
    const { desks } = session.engine;
    const asked = desks.flatMap(({ name, models }) =>
      Object.entries(models ?? {}).map(([reference, id]) => ({ desk: name, reference, id })),
    );
    let meant: readonly (Meant | null)[];
    try {
      const { unfit } = session.setup;
      meant = this.meant.moved(
        asked.map(({ desk, reference, id }) => ({ reference, id, unfit: unfit[desk]?.[reference] })),
      );
    } catch (error) {
      // whatever is wrong there, the portfolio goes on with what it has
      if (!(error instanceof Error)) throw error;
      const [first] = asked;
      if (first !== undefined) this.tell({ action: 'model', ...first }, error.message);
      return false;
    }
    for (const [i, one] of meant.entries()) {
      const { desk, reference } = asked[i]!;
      if (one === null) {
        this.told.delete(`${desk} ${reference}`);
        continue;
      }
      const act: ModelAct = { action: 'model', desk, reference, id: one.id };
      const fault = one.fault ?? modelFault(session.engine, act);
      if (fault === null) {
        this.told.delete(`${desk} ${reference}`);
        this.act(act, one.why);
        return true;
      }
      if (this.tell(act, fault)) return true;
    }
    return false;
  }

  /** Has the journal say that a model was not taken, once for each reason; false when it says so already. */
  private tell(act: ModelAct, fault: string): boolean {
    const key = `${act.desk} ${act.reference}`;
    const words = `${act.id ?? ''} ${fault}`;
    if (this.told.get(key) === words) return false;
    this.told.set(key, words);
    this.act({ ...act, fault: fault.slice(0, TEXT_MOST) }, fault);
    return true;
  }

  private act(act: ModelAct, why: string): void {
    const { session, now, isOver, onBroken } = this.options;
    if (isOver()) return;
    const at = now();
    const reason = why.slice(0, TEXT_MOST);
    try {
      session.happened({ kind: 'operator-acted', at, eventTime: at, by: BY, reason, act });
      session.commit();
    } catch (error) {
      onBroken(error);
    }
  }
}
