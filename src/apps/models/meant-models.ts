import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type LoggedEvent,
  MODELS_FILE,
  type ModelEntry,
  ModelRegistry,
  modelAtStage,
  readReference,
} from '#adapters';
import { InputError } from '#base';
import type { ModelUnfit } from '#engine';
import { newestFit } from './fit-candidate.ts';
import { modelsFolder } from './models-folder.ts';

/** What a reference has come to mean. */
export interface Meant {
  readonly id: string | null;
  /** Who made it so, and where that stands. */
  readonly why: string;
  /** Why it cannot be taken, where that is known already; null otherwise. */
  readonly fault: string | null;
}

/** What a reference of a desk means at present. */
export interface InPlace {
  readonly reference: string;
  readonly id: string | null;
  /** Asked of candidates; without it all of them fit. */
  readonly unfit?: ModelUnfit | undefined;
}

/** Whether the model of a reference may become another one: of a stage, but not of an id, a name or a file. */
export const followsStage = (reference: string): boolean => readReference(reference).kind === 'stage';

/**
 * What references by stage mean in a registry that other processes change. Reads only, and waits for nobody longer than a loop
 * can: whoever writes does not stand in its way.
 */
export class MeantModels {
  private readonly folder: string;
  private seen = '';
  /** Candidates that do not fit, by who said so: they do not change, and reading one holds up the loop. */
  private readonly known = new Map<ModelUnfit | undefined, Map<string, string>>();

  constructor(folder: string = modelsFolder()) {
    this.folder = folder;
  }

  /** Whether anything may have happened since the last call. Two looks at a folder: nothing is opened. */
  hasMoved(): boolean {
    const path = join(this.folder, MODELS_FILE);
    const now = [path, `${path}-wal`].map(stampOf).join('/');
    const moved = now !== this.seen;
    this.seen = now;
    return moved;
  }

  /**
   * What each of these means now, where it is not the model in place. Throws {@link InputError} where it cannot be said: the
   * registry is gone, damaged, or another one.
   */
  moved(inPlace: readonly InPlace[]): readonly (Meant | null)[] {
    const followed = inPlace.filter(({ reference }) => followsStage(reference));
    if (followed.length === 0) return inPlace.map(() => null);
    const registry = ModelRegistry.openToRead(this.folder);
    if (registry === null) {
      if (followed.every(({ id }) => id === null)) return inPlace.map(() => null);
      throw new InputError(
        `there is no registry of models at ${this.folder}`,
        'put its folder back, or name it with QUORUM_MODELS',
      );
    }
    try {
      return inPlace.map((one) => meantNow(registry, one, this.knownBy(one.unfit)));
    } finally {
      registry.close();
    }
  }

  private knownBy(unfit: ModelUnfit | undefined): Map<string, string> {
    const known = this.known.get(unfit) ?? new Map<string, string>();
    this.known.set(unfit, known);
    return known;
  }
}

function stampOf(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    // an empty log is one that nobody has written in: whoever reads leaves it there
    return found === undefined || found.size === 0 ? '' : `${found.size} ${found.mtimeMs}`;
  } catch (error) {
    // whoever reads it says what is wrong
    return (error as Error).message;
  }
}

function meantNow(
  registry: ModelRegistry,
  { reference: text, id: inPlace, unfit }: InPlace,
  known: Map<string, string>,
): Meant | null {
  const reference = readReference(text);
  if (reference.kind !== 'stage') return null;
  const { name, stage } = reference;
  const before = inPlace === null ? null : registry.entry(inPlace);
  if (stage === 'candidate') return newCandidate(registry, name, before, unfit, known);
  const found = modelAtStage(registry, name, stage);
  if ((found?.id ?? null) === inPlace) return null;
  if (found !== null)
    return {
      id: found.id,
      why: whyOf(registry.history(found.id), ['staged', 'rolled-back'], stage),
      fault: null,
    };
  if (before === null)
    throw new InputError(
      `the registry of models does not know ${inPlace!.slice(0, 12)}, which ${text} meant`,
      'put its folder back, or import the exported model',
    );
  return { id: null, why: whyOf(registry.history(before.id), ['retired']), fault: null };
}

/**
 * The newest candidate that came behind the one in place and fits, else the newest that does not, with the reason. One that was promoted
 * is no candidate any more, and an older one is none that has come.
 */
function newCandidate(
  registry: ModelRegistry,
  name: string,
  before: ModelEntry | null,
  unfit: ModelUnfit | undefined,
  known: Map<string, string>,
): Meant | null {
  const { found, passedOver } = newestFit(registry, name, unfit, before?.position, known);
  const [strange] = passedOver;
  const id = found?.id ?? strange?.id;
  if (id === undefined) return null;
  const fault = found === null ? strange!.why : null;
  return { id, why: whyOf(registry.history(id), ['registered']), fault };
}

/** Who did the newest of these things, and why. */
function whyOf(
  history: readonly LoggedEvent[],
  kinds: readonly string[],
  stage: string | null = null,
): string {
  const last = history.findLast(
    ({ event }) =>
      kinds.includes(event.kind) && (stage === null || !('stage' in event) || event.stage === stage),
  );
  if (last === undefined) return 'as the registry has it';
  const { event, position } = last;
  const place = `(entry ${position} of the registry)`;
  switch (event.kind) {
    case 'staged':
      return `promoted to ${event.stage} by ${event.by} ${place}`;
    case 'rolled-back':
      return `rolled back to by ${event.by}: ${event.reason} ${place}`;
    case 'retired':
      return `retired by ${event.by}: ${event.reason} ${place}`;
    default:
      return `${event.kind} by ${event.by} ${place}`;
  }
}
